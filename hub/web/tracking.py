"""The customer's page: one link, one order, no log-in, no cookie, no script needed."""

from __future__ import annotations

from functools import lru_cache, partial
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, make_response, request

from hub.core.asked import is_a_look
from hub.core.errors import RetryLater
from hub.core.self_service_words import done_words
from hub.core.tracking_page import WATCHED, Life
from hub.db.tables import BrandRow
from hub.flows.enquiries import note_view
from hub.flows.throttle import within_limit
from hub.flows.tongues import Spoken, tongue
from hub.flows.tracking_view import Tracked, document, photo, tracked
from hub.maps.svg import Pin, draw
from hub.maps.tiles import current_tiles
from hub.web.look import Look, look_of, shrunk
from hub.web.pages import csp_nonce, page
from hub.web.tracking_asks import asks
from hub.web.tracking_doing import Shell, doing

if TYPE_CHECKING:
    from hub.app import Hub

GUESSES, WITHIN_S = 30, 600  # of tokens that open nothing, from one address
PHOTO_PX = (1280, 1280)
STORE_AGAIN_S = 30
MOST_ITEMS = 12  # more would push the page over what it may weigh
# Of a page from which no form was sent, and which nobody watches.
UNTOUCHED: dict[str, Any] = {
    "sent": {},
    "wrong": {},
    "stars": "",
    "unrated": "",
    "done": "",
    "opened": False,
    "is_live": False,
}
TAG = "@@tag@@"  # where the page carries the name of its own content


def tracking(hub: Hub) -> Blueprint:
    pages = Blueprint("tracking", __name__)

    @pages.get("/t/<token>")
    def status(token: str) -> Response:
        return whole(token)

    def whole(token: str, code: int = 200, **typed: Any) -> Response:
        """The page; with what was ``typed`` on it, and what is wrong with that."""
        seen = tracked(hub, token)
        if seen is None:
            return _unknown(hub)
        look = look_of(seen.brand)
        match seen.life:
            case Life.GONE:
                return _message("gone", 410, look, seen.tongue)
            case Life.BARE:
                return page("tracking/bare.html", look=look, seen=seen, tongue=seen.tongue)
        answer = _tagged(
            page(
                "tracking/page.html",
                token=token,
                tag=TAG,
                live_js=_inlined("glide.js", "live.js"),
                notify_js=_inlined("notify.js"),
                **shown(hub, seen, look)
                | {
                    "is_live": seen.shows in WATCHED,
                    "done": done_words(request.args.get("done", ""), seen.tongue),
                    "opened": "wrong" in typed or "do" in request.args,
                }
                | typed,
            ),
            code,
        )
        headers = {name.lower(): value for name, value in request.headers.items()}
        if seen.asked is not None and is_a_look(headers, request.method):
            answer.call_on_close(partial(note_view, hub, seen.asked))  # nobody waits for it
        return answer

    def slow_down(brand: BrandRow, spoken: Spoken) -> Response:
        return _message("slow_down", 429, look_of(brand), spoken)

    doing(hub, pages, Shell(whole, lambda: _unknown(hub), slow_down))
    asks(pages, hub, partial(whole, code=422), lambda: _unknown(hub))

    @pages.get("/t/<token>/photo/<int:n>")
    def door(token: str, n: int) -> Response:
        try:
            content = photo(hub, token, n)
        except RetryLater:
            answer = _file(b"", "text/plain")
            answer.status_code, answer.headers["Retry-After"] = 503, str(STORE_AGAIN_S)
            return answer
        shown = small_photo(content) if content is not None else b""
        return _file(shown, "image/webp") if shown else _unknown(hub)

    @pages.get("/t/<token>/proof.pdf")
    def proof(token: str) -> Response:
        content = document(hub, token)
        if content is None:
            return _unknown(hub)
        answer = _file(content, "application/pdf")
        answer.headers["Content-Disposition"] = 'inline; filename="proof.pdf"'
        return answer

    @pages.after_request
    def unlisted(answer: Response) -> Response:
        answer.headers["X-Robots-Tag"] = "noindex, nofollow"
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    return pages


def small_photo(content: bytes) -> bytes:
    """A photo for a phone, without what a camera adds (place, device); empty if it is none."""
    return shrunk(content, PHOTO_PX, quality=70)


def shown(hub: Hub, seen: Tracked, look: Look) -> dict[str, Any]:
    """What the page's template draws, whether of an order or of a sample of one."""
    return {
        "look": look,
        "seen": seen,
        "tongue": seen.tongue,
        "map": _map(hub, seen, look),
        "most_items": MOST_ITEMS,
        **_heard(hub, seen),
        **UNTOUCHED,
    }


def _map(hub: Hub, seen: Tracked, look: Look) -> str:
    """The map with the destination, and with the driver where he may be seen."""
    say = seen.tongue.say
    pins: list[Pin] = [(seen.pin, "stop", say("your address"))] if seen.pin else []
    if seen.position is not None:
        pins.append((seen.position.point, "driver", say("the driver")))
    if not pins:
        return ""
    return draw(
        current_tiles(hub.settings.data_dir / "map"),
        pins=pins,
        lines=[seen.road] if seen.road else (),
        height=210,
        theme=look.theme or "auto",
        accent=look.accent,
        nonce=csp_nonce(),
        name=say("Map"),
    )


def _heard(hub: Hub, seen: Tracked) -> dict[str, int]:
    """When the driver's phone was last heard of, and how long ago that is, for the script."""
    if seen.heard_at is None:
        return {}
    age_s = (hub.now() - seen.heard_at).total_seconds()
    return {"heard_ms": round(seen.heard_at.timestamp() * 1000), "heard_s": max(0, round(age_s))}


def _tagged(answer: Response, code: int) -> Response:
    """``answer`` with a name for its content, and empty where the browser has just that."""
    body = answer.get_data(as_text=True)
    tag = sha256(body.replace(csp_nonce(), "").encode()).hexdigest()[:16]
    answer.set_data(body.replace(TAG, f"&quot;{tag}&quot;"))
    answer.status_code = code
    if code == HTTPStatus.OK:
        answer.set_etag(tag)
        answer.make_conditional(request)
    return answer


@lru_cache(maxsize=4)
def _inlined(*names: str) -> str:
    """Scripts as they go into the page: without what is only for their readers."""
    folder = Path(__file__).parent / "static" / "tracking"
    text = "\n".join((folder / name).read_text() for name in names)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _unknown(hub: Hub) -> Response:
    """The same answer whether a token never was, was revoked, or shows no such thing."""
    if not within_limit(hub, f"tracking {request.remote_addr}", GUESSES, WITHIN_S):
        answer = _message("slow_down", 429)
        answer.headers["Retry-After"] = str(WITHIN_S)
        return answer
    return _message("unknown", 404)


def _message(
    which: str, status: int, look: Look | None = None, spoken: Spoken | None = None
) -> Response:
    """In the language of the browser, where nobody knows whose link it would be."""
    asked = spoken or tongue(*request.accept_languages.values())
    return page("tracking/message.html", status, which=which, look=look, tongue=asked)


def _file(content: bytes, media_type: str) -> Response:
    answer = make_response(content)
    answer.mimetype = media_type
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
