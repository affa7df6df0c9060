"""Fixes from apps that are not ours: Traccar Client (old and new), OsmAnd, OwnTracks.

Sources: traccar.org/osmand and /traccar-client, owntracks.org/booklet/tech/json,
and requests recorded from the apps. They number nothing, so a fix's number is its moment.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hub.live.fixes import MOST_FIXES, Fix, in_order
from hub.live.problems import Problem

log = logging.getLogger(__name__)

KNOT_MS = 0.514444
UNKNOWN_ACC_M = 30.0  # what a phone in a street has when its app does not say
_SECONDS_BELOW = 2**31 - 1  # Traccar's own rule for telling seconds from milliseconds
_FIRST_MS, _LAST_MS = 946_684_800_000, 4_102_444_800_000  # 2000 to 2100


def read(query: bytes, body: bytes, now_ms: int, device_id: str = "") -> list[Fix]:
    """The fixes of one call by their moments; none for what tells no place (a heartbeat).

    Raises ``Problem`` 400 for what is of no known form, 413 for too many, 422 for a place that
    cannot be. In a list such a place is logged with the device and left out: the app would
    send the whole list for ever.
    """
    if body.lstrip()[:1] in (b"{", b"["):
        return in_order(_of_json(body, now_ms, device_id))
    values = dict(parse_qsl(query.decode("latin-1")))
    values |= dict(parse_qsl(body.decode("latin-1")))
    if not values:
        raise Problem(400, "Nothing was sent: neither a query nor a body.")
    fix = _osmand(values, now_ms)
    return [fix] if fix else []


def is_owntracks(body: bytes) -> bool:
    """Whether it waits for a JSON array in answer."""
    return body.lstrip()[:1] == b"{" and b'"_type"' in body


def _of_json(body: bytes, now_ms: int, device_id: str) -> list[Fix]:
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise Problem(400, "The body is nested deeper than any position is.") from None
    if isinstance(said, list):
        return _listed(said, now_ms, device_id)
    if said.get("_type") == "location":
        return [_owntracks(said)]
    if said.get("_type") == "encrypted":
        detail = (
            "OwnTracks encrypts what it sends, and the hub cannot read it. Empty the encryption"
            " key in the app's settings; HTTPS keeps positions secret on their way."
        )
        raise Problem(400, detail)
    if "_type" in said:  # transition, waypoint, status: nothing of a place we follow
        return []
    if isinstance(said.get("location"), dict):
        return [_traccar(said["location"])]
    raise Problem(400, "This is no form that Traccar Client, OsmAnd or OwnTracks send.")


def _listed(said: Sequence[object], now_ms: int, device_id: str) -> list[Fix]:
    if len(said) > MOST_FIXES:
        detail = f"{len(said)} positions came at once. Send {MOST_FIXES} at most in one call."
        raise Problem(413, detail)
    fixes: list[Fix] = []
    bad: list[str] = []
    for one in said:
        try:
            fix = _osmand(one, now_ms) if isinstance(one, dict) else _no_fix(one)
        except Problem as problem:
            bad.append(problem.detail)
            continue
        if fix:
            fixes.append(fix)
    if bad:
        log.warning(
            "positions of an app left out device=%s count=%d of=%d: %s",
            device_id,
            len(bad),
            len(said),
            bad[0],
        )
    return fixes


def _no_fix(said: object) -> Fix:
    raise Problem(422, f"A position is no object but {said!r:.20}.")


def _osmand(said: Mapping[str, Any], now_ms: int) -> Fix | None:
    """Traccar Client up to 8 and from 10, OsmAnd: ``?lat=…&lon=…&timestamp=…``, speed in knots."""
    lat, lon = said.get("lat"), said.get("lon")
    if lat is None and isinstance(where := said.get("location"), str):
        lat, _, lon = where.partition(",")
    if lat is None and lon is None:
        return None
    speed = _number(said.get("speed"), 0, 1000)
    return _fix(
        _moment(said.get("timestamp")) or now_ms,
        lat,
        lon,
        said.get("accuracy"),
        None if speed is None else speed * KNOT_MS,
        said.get("bearing", said.get("heading")),
        _number(said.get("batt"), 0, 100),
        str(said.get("mock", "")).lower() == "true",
    )


def _traccar(said: Mapping[str, Any]) -> Fix:
    """Traccar Client 9: ``{"location": {"timestamp", "coords", "battery"}}``, speed in m/s."""
    coords, battery = said.get("coords"), said.get("battery")
    coords = coords if isinstance(coords, dict) else {}
    level = _number(battery.get("level"), 0, 1) if isinstance(battery, dict) else None
    return _fix(
        _moment(said.get("timestamp")),
        coords.get("latitude"),
        coords.get("longitude"),
        coords.get("accuracy"),
        _number(coords.get("speed"), 0, 1000),
        coords.get("heading"),
        None if level is None else level * 100,
        said.get("mock") is True,
    )


def _owntracks(said: Mapping[str, Any]) -> Fix:
    """``{"_type": "location", "tst", "lat", "lon"}``, speed in km/h."""
    speed = _number(said.get("vel"), 0, 2000)
    return _fix(
        _moment(said.get("tst")),
        said.get("lat"),
        said.get("lon"),
        said.get("acc"),
        None if speed is None else speed / 3.6,
        said.get("cog"),
        _number(said.get("batt"), 0, 100),
        False,
    )


def _fix(
    at_ms: int | None,
    lat: object,
    lon: object,
    acc: object,
    speed_ms: float | None,
    heading: object,
    battery: float | None,
    mock: bool,
) -> Fix:
    if at_ms is None:
        raise Problem(422, "A fix has no moment that can be read, or one far from now.")
    north, east = _number(lat, -90, 90), _number(lon, -180, 180)
    if north is None or east is None:
        raise Problem(422, f"No place on earth has the coordinates {lat!s:.20}, {lon!s:.20}.")
    accuracy_m = _number(acc, 0, 1e7)
    return Fix(
        at_ms,
        at_ms,
        north,
        east,
        UNKNOWN_ACC_M if accuracy_m is None else accuracy_m,
        speed_ms,
        _number(heading, 0, 360),
        battery,
        mock,
    )


def _number(said: object, low: float, high: float) -> float | None:
    """``None`` for anything else, as -1, which apps send for what they do not know."""
    if isinstance(said, bool) or not isinstance(said, (int, float, str)):
        return None
    try:
        number = float(said)
    except (ValueError, OverflowError):  # a number with hundreds of digits is none of ours
        return None
    return number if low <= number <= high else None  # NaN is neither


def _moment(said: object) -> int | None:
    """Epoch ms of seconds, milliseconds or ISO 8601 (UTC without a zone)."""
    if (number := _number(said, 0, 1e15)) is not None:
        at_ms = round(number if number >= _SECONDS_BELOW else number * 1000)
    elif isinstance(said, str) and said:
        try:
            moment = datetime.fromisoformat(said)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        at_ms = round(moment.timestamp() * 1000)
    else:
        return None
    return at_ms if _FIRST_MS <= at_ms <= _LAST_MS else None
