"""The driver's phone: its page, what the page keeps for later, and what the phone says."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from flask import Blueprint, Response, abort, render_template, request
from msgspec import to_builtins
from PIL import Image
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from hub.core.errors import HubError, Refused
from hub.core.values import Point
from hub.flows.directions import directions_to
from hub.flows.drive import IncomingAct, device_for, pair, take_acts
from hub.flows.pairing import plain_code
from hub.flows.phone import shown_to
from hub.flows.prove import put_file
from hub.flows.throttle import within_limit
from hub.web.pages import file_answer, page
from hub.web.problems import Problem, json_body, unsafe

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.db.tables import DeviceRow

log = logging.getLogger(__name__)
MOST_ACTS = 200
MOST_ACT_CHARS = 64_000
MOST_FILE = 10 * 1024 * 1024
MOST_PIXELS = 60_000_000  # a picture that small can still unfold to gigabytes
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
WAIT_S = 600
STORE_AGAIN_S = 30
HERE = Path(__file__).parent
FILES = {
    **{file.name: file for file in sorted((HERE / "static" / "driver").iterdir())},
    "hub.css": HERE / "static" / "hub.css",
    "signature_pad.js": HERE / "vendored" / "signature_pad" / "signature_pad.js",
}
"""Everything the page is made of, under one name for all its present contents."""
NOT_KEPT = {"icon-512.png"}  # what the app can do without when there is no signal


class PairIn(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    code: str = Field(min_length=1, max_length=40)


class ActsIn(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    acts: list[Any] = Field(max_length=MOST_ACTS)


Id = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[\x21-\x7e]+$")]


class ActIn(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    act_id: Id
    kind: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    occurred_at: AwareDatetime
    job_id: Id | None = None
    route_id: Id | None = None
    body: dict[str, Any] = Field(default_factory=dict)


class DirectionsIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    stop_id: Id
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)
    language: str = Field(default="en", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")


def driver(hub: Hub) -> Blueprint:
    routes = Blueprint("driver", __name__, url_prefix="/driver")

    @routes.get("/")
    @routes.get("/pair")
    def shell() -> Response:
        return page("driver/app.html", version=_version())

    @routes.get("/sw.js")
    def service_worker() -> Response:
        kept = [f"/driver/v/{_version()}/{name}" for name in FILES if name not in NOT_KEPT]
        text = render_template("driver/sw.js", version=_version(), kept=kept)
        answer = Response(text, content_type="text/javascript; charset=utf-8")
        answer.headers["Cache-Control"] = "no-cache"
        answer.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; connect-src 'self'"
        )
        return answer

    @routes.get("/manifest.webmanifest")
    def manifest() -> Response:
        text = render_template("driver/manifest.json", version=_version())
        return Response(text, content_type="application/manifest+json")

    @routes.get("/v/<version>/<name>")
    def file(version: str, name: str) -> Response:
        if name not in FILES or version != _version():
            abort(404)
        answer = file_answer(FILES[name], max_age=31_536_000)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer

    @routes.post("/api/pair")
    def pair_phone() -> Response:
        code = plain_code(_read(PairIn, json_body(request)).code)
        # Per address against one guesser; per beginning of the code against many at once.
        allowed = within_limit(hub, f"pair:{request.remote_addr}", 12, WAIT_S)
        if not (within_limit(hub, f"pair-code:{code[:2]}", 60, WAIT_S) and allowed):
            detail = "Too many tries. Wait ten minutes, then ask the dispatcher for a new code."
            raise Problem(429, detail, headers={"Retry-After": str(WAIT_S)})
        if (token := pair(hub, code)) is None:
            raise Problem(404, "This code is unknown, used or too old. Ask for a new one.")
        return _json({"token": token})

    @routes.get("/api/route")
    def route() -> Response:
        answer = _json(to_builtins(shown_to(hub, _phone(hub)), builtin_types=(datetime,)))
        answer.set_etag(hashlib.sha256(answer.get_data()).hexdigest()[:32])
        answer.headers["Cache-Control"] = "private, no-cache"
        if hub.settings.clock_file is not None:  # the page stamps what it sends by it
            answer.headers["Hub-Clock"] = hub.now().isoformat()
        answer.make_conditional(request)
        return answer

    @routes.post("/api/acts")
    def acts() -> Response:
        phone = _phone(hub)
        told = _read(ActsIn, json_body(request)).acts
        read = [_act(one) for one in told]
        good = [act for act in read if isinstance(act, IncomingAct)]
        taken = iter(take_acts(hub, phone, good))
        results = [asdict(next(taken)) if isinstance(act, IncomingAct) else act for act in read]
        return _json({"results": results})

    @routes.post("/api/directions")
    def directions() -> Response:
        """Asked by POST: where somebody is belongs in no log of addresses."""
        phone = _phone(hub)
        asked = _read(DirectionsIn, json_body(request))
        here = None if asked.lat is None or asked.lon is None else Point(asked.lat, asked.lon)
        try:
            found = directions_to(hub, phone, asked.stop_id, here=here, language=asked.language)
        except LookupError:
            raise Problem(404, "There is no such stop on your route.") from None
        return _json(asdict(found))

    @routes.put("/api/files/<row_id:job_id>/<sha256>")
    def put_proof(job_id: str, sha256: str) -> Response:
        phone = _phone(hub)
        kind = request.args.get("kind", "")
        if kind not in ("photo", "signature"):
            raise Problem(422, "kind must be photo or signature.")
        content = _content()
        media_type = _media_type(content)
        try:
            about = (phone.business_id, job_id, kind, media_type, content, sha256)
            put_file(hub, *about, device=phone)
        except LookupError:
            raise Problem(404, "There is no such job.") from None
        except Refused as problem:
            raise Problem(422, str(problem)) from None
        except HubError as problem:  # the phone keeps the picture and brings it again
            log.warning("proof cannot be stored business=%s: %s", phone.business_id, problem)
            detail = "The place for photos does not answer just now. The phone tries again."
            raise Problem(503, detail, headers={"Retry-After": str(STORE_AGAIN_S)}) from None
        return _json({"sha256": sha256, "kind": kind})

    return routes


def _phone(hub: Hub) -> DeviceRow:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    device = device_for(hub, token.strip()) if scheme.lower() == "bearer" else None
    if device is None:
        detail = "This phone is not paired, or no longer. Ask the dispatcher for a new code."
        raise Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="driver"'})
    return device


def _read[M: BaseModel](model: type[M], body: bytes) -> M:
    try:
        return model.model_validate(json.loads(body))
    except ValidationError as error:
        raise Problem(422, _first(error)) from None


def _act(told: Any) -> IncomingAct | dict[str, Any]:
    """The act, or the answer that says what is wrong with it: the others are taken all the same."""
    told_id = told.get("act_id") if isinstance(told, dict) else None
    act_id = told_id if isinstance(told_id, str) and not unsafe(told_id) else None
    text = json.dumps(told)
    try:
        if len(text) > MOST_ACT_CHARS:
            raise ValueError("The act is too large.")
        if _any_unsafe(told):
            raise ValueError("The act holds characters that cannot be stored.")
        act = ActIn.model_validate_json(text)
    except ValidationError as error:
        return _malformed(act_id, _first(error))
    except ValueError as error:
        return _malformed(act_id, str(error))
    return IncomingAct(**{name: getattr(act, name) for name in ActIn.model_fields})


def _malformed(act_id: str | None, why: str) -> dict[str, Any]:
    return {"act_id": act_id, "result": "malformed", "why": why, "repeated": False}


def _any_unsafe(value: Any) -> bool:
    match value:
        case str():
            return unsafe(value)
        case list():
            return any(_any_unsafe(one) for one in value)
        case dict():
            return any(unsafe(name) or _any_unsafe(one) for name, one in value.items())
    return False


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'The body'}: {first['msg']}"


def _content() -> bytes:
    request.max_content_length = MOST_FILE
    if (request.content_length or 0) > MOST_FILE:
        raise Problem(413, "The picture is larger than 10 MB.")
    return request.get_data(cache=False)


def _media_type(content: bytes) -> str:
    """What the picture really is, whatever the phone calls it."""
    problem = Problem(422, "This is not a JPEG, PNG or WebP picture that can be read.")
    try:
        with Image.open(io.BytesIO(content), formats=tuple(TYPES)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise problem
            media_type = TYPES[image.format or ""]
            image.load()
    except (OSError, ValueError, SyntaxError, KeyError, Image.DecompressionBombError):
        raise problem from None
    return media_type


@lru_cache(maxsize=1)
def _version() -> str:
    """Changes with anything the page is made of, so that a phone never mixes two versions."""
    found = hashlib.sha256()
    made_of = [*FILES.values(), *sorted((HERE / "templates" / "driver").iterdir())]
    for path in made_of:
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def _json(content: Any) -> Response:
    text = json.dumps(content, default=lambda moment: moment.isoformat(), ensure_ascii=False)
    return Response(text, content_type="application/json", headers={"Cache-Control": "no-store"})
