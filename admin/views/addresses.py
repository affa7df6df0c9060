"""Addresses: set the pin where nobody was sure, and keep what to know at the door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, isfinite, radians
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, url_for
from markupsafe import Markup
from sqlmodel import col, select
from werkzeug.wrappers import Response as AnyResponse

from admin.words import typed
from hub.core.contracts import Match
from hub.core.jobs import State
from hub.core.places import place_key
from hub.core.values import Address, Point
from hub.db.tables import DepotRow, JobRow, OrderRow, PlaceRow
from hub.flows.locate import AddressBook, place_of, set_pin
from hub.flows.log_in import Role
from hub.flows.places import contacts_at, remember, search
from hub.flows.sync import address_document
from hub.maps.build import read_info
from hub.maps.coast import Bounds
from hub.maps.svg import Pin, draw
from hub.maps.tiles import current_tiles
from hub.web.pages import csp_nonce, page
from hub.web.route_map import SIZES
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

AROUND_M = (150, 400, 1000, 3000, 10_000, 40_000)
"""How far the map may reach to each side, closest first."""
M_PER_DEGREE = 111_320
MOST, MOST_CANDIDATES = 200, 5
AREAS = {"city": "only the town", "postcode": "only the postcode's area"}
SURE = ((0.8, "very likely"), (0.5, "likely"), (0.0, "a guess"))


@dataclass(frozen=True)
class Waiting:
    """A place that needs its pin, with the numbers of the orders that wait for it."""

    row: PlaceRow
    address: str
    numbers: tuple[str, ...]


def addresses(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "addresses", __name__, url_prefix="/panel/addresses", template_folder="../templates"
    )

    @pages.get("")
    @needs(Role.DISPATCHER, Role.VIEWER)
    def index() -> AnyResponse:
        text = typed("q", 200)
        return page(
            "panel/addresses.html",
            waiting=_waiting(hub, me().business_id),
            query=text,
            known=_known(hub, me().business_id, text) if text else [],
        )

    @pages.get("/<place_id>")
    @needs(Role.DISPATCHER, Role.VIEWER)
    def one(place_id: str) -> AnyResponse:
        return _show(place_id)

    @pages.post("/<place_id>/pin")
    @needs(Role.DISPATCHER)
    def pin(place_id: str) -> AnyResponse:
        point = _typed_point()
        if point is None:
            wrong = {"lat": "Click the map, or write degrees like 60.16952 and 24.93545."}
            return _show(place_id, wrong, 422)
        try:
            set_pin(hub, me().business_id, place_id, point, actor=me().actor)
        except LookupError:
            abort(404)
        waiting = _waiting(hub, me().business_id)
        flash("The pin is set. This address is never asked about again.", "ok")
        if waiting:
            return redirect(url_for("addresses.one", place_id=waiting[0].row.id))
        return redirect(url_for("addresses.index"))

    @pages.post("/<place_id>/notes")
    @needs(Role.DISPATCHER)
    def notes(place_id: str) -> AnyResponse:
        try:
            service_s, access_s = _seconds("minutes", 14_400), _seconds("access", 3600)
            remember(
                hub,
                me().business_id,
                place_id,
                access_note=typed("access_note", 1000),
                safe_place=typed("safe_place", 500),
                contacts=contacts_at(_place(place_id)),
                service_s=service_s,
                access_s=access_s,
                actor=me().actor,
            )
        except _NotMinutes as wrong:
            return _show(place_id, {wrong.name: str(wrong)}, 422)
        except LookupError:
            abort(404)
        flash("Kept for every order to this address.", "ok")
        return redirect(url_for("addresses.one", place_id=place_id))

    def _place(place_id: str) -> PlaceRow:
        try:
            with hub.reading() as session:
                return place_of(session, me().business_id, place_id)
        except LookupError:
            abort(404)

    def _show(
        place_id: str, errors: dict[str, str] | None = None, status: int = 200
    ) -> AnyResponse:
        row = _place(place_id)
        address = address_document.validate_python(row.address)
        text = typed("q", 200)
        if text:
            found = search(hub, me().business_id, text)
        else:
            found = list(AddressBook.of(hub, me().business_id).ask(address).values())
        candidates = _apart(found)[:MOST_CANDIDATES]
        here = _typed_point() if not errors else None
        placed = Point(row.lat, row.lon) if row.lat is not None and row.lon is not None else None
        chosen = here or placed
        step = _step(typed("around", 2), bool(here))
        waiting = {one.row.id: one.numbers for one in _waiting(hub, me().business_id)}
        return page(
            "panel/addresses_one.html",
            status,
            place=row,
            address=address.one_line() or row.label,
            numbers=waiting.get(row.id, ()),
            candidates=[(match, _how_sure(match), _is_a_door(match)) for match in candidates],
            map=_map(hub, me().business_id, candidates, chosen, step),
            chosen=chosen,
            is_new=here is not None,
            lat=typed("lat", 20) if errors else f"{chosen.lat:.6f}" if chosen else "",
            lon=typed("lon", 20) if errors else f"{chosen.lon:.6f}" if chosen else "",
            closer=step - 1 if step > 0 else None,
            wider=step + 1 if step + 1 < len(AROUND_M) else None,
            minutes=typed("minutes", 6) if errors else _minutes(row.service_s),
            access=typed("access", 6) if errors else _minutes(row.access_s),
            note=typed("access_note", 1000) if _AT_DOOR & set(errors or {}) else row.access_note,
            safe=typed("safe_place", 500) if _AT_DOOR & set(errors or {}) else row.safe_place,
            query=text,
            errors=errors or {},
        )

    return pages


def _waiting(hub: Hub, business_id: str) -> list[Waiting]:
    """The longest waiting first."""
    with hub.reading() as session:
        found = session.exec(
            select(PlaceRow, OrderRow.number)
            .join(JobRow, col(JobRow.place_id) == col(PlaceRow.id))
            .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
            .where(PlaceRow.business_id == business_id, JobRow.state == State.NEEDS_REVIEW)
            .order_by(col(JobRow.id))
        ).all()
    numbers: dict[str, list[str]] = {}
    rows: dict[str, PlaceRow] = {}
    for row, number in found:
        rows[row.id] = row
        numbers.setdefault(row.id, []).append(number)
    return [
        Waiting(row, _written(row), tuple(dict.fromkeys(numbers[row.id])))
        for row in list(rows.values())[:MOST]
    ]


def _known(hub: Hub, business_id: str, text: str) -> list[tuple[PlaceRow, str]]:
    """Places of the business that are written like ``text``."""
    folded = place_key(Address((text,)))
    if not folded:
        return []
    with hub.reading() as session:
        rows = session.exec(
            select(PlaceRow)
            .where(PlaceRow.business_id == business_id, col(PlaceRow.key).contains(folded))
            .order_by(PlaceRow.key)
            .limit(50)
        ).all()
    return [(row, _written(row)) for row in rows]


def _written(row: PlaceRow) -> str:
    return address_document.validate_python(row.address).one_line() or row.label or row.key


def _map(
    hub: Hub, business_id: str, candidates: Sequence[Match], chosen: Point | None, step: int
) -> Markup:
    """The candidates by number, the chosen point, and at least ``AROUND_M[step]`` around it."""
    pins: list[Pin] = [
        (match.point, "done" if chosen else "stop", str(n)) for n, match in enumerate(candidates, 1)
    ]
    if chosen is not None:
        pins.append((chosen, "stop", ""))
    if not pins:
        pins = _depots(hub, business_id)
    if not pins:
        return Markup("")
    middle = chosen or pins[0][0]
    if chosen is not None or len(pins) == 1:
        pins = [pin for pin in pins if _near(pin[0], middle, AROUND_M[step])]
    # A line of one point draws nothing but is kept in view: that is how the map reaches further.
    drawn_area = read_info(hub.settings.data_dir / "map")
    around = _corners(middle, AROUND_M[step])
    if drawn_area is not None:
        around = _on_the_map(around, middle, drawn_area.bbox)
    corners = [[corner] for corner in around]
    tiles, nonce = current_tiles(hub.settings.data_dir / "map"), csp_nonce()
    drawn = [
        draw(tiles, pins=pins, lines=corners, width=width, height=height, nonce=nonce).replace(
            'class="', f'class="{shape} ', 1
        )
        for shape, width, height in SIZES
    ]
    return Markup("".join(drawn))  # noqa: S704  (our own drawing; its labels are escaped)


def _depots(hub: Hub, business_id: str) -> list[Pin]:
    with hub.reading() as session:
        rows = session.exec(select(DepotRow).where(DepotRow.business_id == business_id)).all()
    return [(Point(row.lat, row.lon), "depot", row.name) for row in rows]


def _corners(middle: Point, around_m: int) -> list[Point]:
    dlat = around_m / M_PER_DEGREE / 2
    dlon = dlat / max(0.05, cos(radians(middle.lat)))
    return [
        Point(
            max(-85.0, min(85.0, middle.lat + north * dlat)),
            max(-180.0, min(180.0, middle.lon + east * dlon)),
        )
        for north, east in ((-1, -1), (1, 1))
    ]


def _on_the_map(corners: list[Point], middle: Point, bounds: Bounds) -> list[Point]:
    """``corners`` drawn in to where the map ends, unless ``middle`` itself lies beyond."""
    west, south, east, north = bounds
    if not (west <= middle.lon <= east and south <= middle.lat <= north):
        return corners
    return [Point(min(max(c.lat, south), north), min(max(c.lon, west), east)) for c in corners]


def _near(point: Point, middle: Point, around_m: int) -> bool:
    return abs(point.lat - middle.lat) * M_PER_DEGREE <= around_m and (
        abs(point.lon - middle.lon) * M_PER_DEGREE * cos(radians(middle.lat)) <= around_m
    )


def _typed_point() -> Point | None:
    """``None`` when the fields hold no place on Earth that a map can show."""
    try:
        lat, lon = (float(typed(name, 20).replace(",", ".")) for name in ("lat", "lon"))
        if not (isfinite(lat) and isfinite(lon)) or abs(lat) > 85:
            return None
        return Point(lat, lon)
    except ValueError:
        return None


def _step(text: str, has_point: bool) -> int:
    usual = 1 if has_point else 2
    return min(int(text), len(AROUND_M) - 1) if text.isdecimal() else usual


def _apart(found: Sequence[Match]) -> list[Match]:
    """Without those that stand where an earlier one of the same name does."""
    kept: dict[tuple[str, float, float], Match] = {}
    for match in found:
        spot = (match.label, round(match.point.lat, 4), round(match.point.lon, 4))
        kept.setdefault(spot, match)
    return list(kept.values())


def _how_sure(match: Match) -> str:
    if match.precision in AREAS:
        return AREAS[match.precision]
    return next(words for bar, words in SURE if match.confidence >= bar)


def _is_a_door(match: Match) -> bool:
    """Whether it may be taken at a click: not the middle of a town, and no mere guess."""
    return match.precision not in AREAS and match.confidence >= SURE[1][0]


class _NotMinutes(ValueError):
    def __init__(self, name: str, most_s: int) -> None:
        super().__init__(f"Write minutes from 0 to {most_s // 60}, or nothing.")
        self.name = name


_AT_DOOR = {"minutes", "access"}


def _seconds(name: str, most_s: int) -> int | None:
    """The minutes typed in a field; ``None``: nothing was. Raises ``_NotMinutes``."""
    text = typed(name, 6).replace(",", ".")
    if not text:
        return None
    try:
        seconds = round(float(text) * 60)
    except (ValueError, OverflowError):
        raise _NotMinutes(name, most_s) from None
    if not 0 <= seconds <= most_s:
        raise _NotMinutes(name, most_s)
    return seconds


def _minutes(service_s: int | None) -> str:
    return "" if service_s is None else f"{service_s / 60:g}"
