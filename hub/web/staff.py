"""Pages for staff: whose session it is, what their role opens, and forms that are theirs.

A surface for staff is a URL prefix. Below it nothing answers without a session,
except endpoints marked ``open_to_all``; nothing changes without the session's CSRF
token (field ``csrf`` or header ``X-CSRF``) sent from our own origin.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Flask, Request, Response, abort, current_app, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hub.flows.log_in import Role, Staff, staff_of
from hub.web.pages import guarded

if TYPE_CHECKING:
    from hub.app import Hub

COOKIE = "hub_staff"
PREFIXES = ("/panel", "/board")
LOG_IN = "/panel/log-in"


def staff_surfaces(app: Flask, hub: Hub) -> None:
    """Guard everything below ``PREFIXES`` of ``app``."""

    @app.before_request
    def who() -> AnyResponse | None:
        g.staff = None
        if not _for_staff(request.path):
            return None
        g.staff = staff_of(hub, request.cookies.get(COOKIE, ""))
        view = current_app.view_functions.get(request.endpoint or "")
        is_open = getattr(view, "open_to_all", False)
        changes = request.method not in ("GET", "HEAD", "OPTIONS")
        if changes:
            _same_origin()
        if g.staff is None and not is_open:
            return _to_log_in()  # before a body of any size is read
        if changes and not is_open:
            _csrf()
        if not _readable(request):
            abort(400)
        return None

    @app.after_request
    def policy(answer: Response) -> Response:
        if _for_staff(request.path) and answer.mimetype == "text/html":
            guarded(answer)
            answer.headers["Referrer-Policy"] = "same-origin"  # else forms have no origin
        return answer


def open_to_all[F: Callable[..., Any]](view: F) -> F:
    """Mark a view of a staff surface that needs no session: logging in, the first run."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def needs[F: Callable[..., Any]](*roles: Role) -> Callable[[F], F]:
    """Let only these roles in; owners always are. Others get 403."""

    def guard(view: F) -> F:
        @wraps(view)
        def guarded_view(*args: Any, **values: Any) -> Any:
            if not may(*roles):
                abort(403)
            return view(*args, **values)

        return guarded_view  # type: ignore[return-value]

    return guard


def may(*roles: Role | str) -> bool:
    """Whether whoever looks has one of ``roles`` or owns the business; nobody has none.

    Pages show a link or a button by the same rule by which ``needs`` opens what it leads to.
    """
    staff: Staff | None = g.get("staff")
    return staff is not None and (staff.role is Role.OWNER or staff.role in roles)


def me() -> Staff:
    """Who is logged in. Only below a staff surface."""
    staff: Staff | None = g.staff
    if staff is None:
        abort(401)
    return staff


def set_session(answer: AnyResponse, token: str) -> AnyResponse:
    """Hand the session to the browser; it ends with it or on the server, whichever is first."""
    answer.set_cookie(
        COOKIE, token, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
    )
    return answer


def end_session(answer: AnyResponse) -> AnyResponse:
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _readable(incoming: Request) -> bool:
    """Whether no value holds a NUL: nothing a person types, and no database stores it."""
    values = [*incoming.args.values(), *incoming.cookies.values()]
    if incoming.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        values += incoming.form.values()
    return "\0" not in "".join([incoming.path, *values])


def _for_staff(path: str) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in PREFIXES)


def _to_log_in() -> AnyResponse:
    if request.method != "GET" or request.headers.get("X-Requested-With") == "fetch":
        abort(401)
    back = request.full_path.rstrip("?")
    return redirect(LOG_IN if back == "/panel" else f"{LOG_IN}?next={quote(back, safe='/')}")


def _same_origin() -> None:
    """Browsers say where a form was sent from; only our own pages may change anything."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        abort(403)
    origin = request.headers.get("Origin")
    if origin == "null" and site is None:
        abort(403)  # our pages say where they are; a page that hides itself is none of ours
    if origin and origin != "null" and origin.split("://")[-1] != request.host:
        abort(403)


def _csrf() -> None:
    given = request.headers.get("X-CSRF") or request.form.get("csrf", "")
    if not hmac.compare_digest(given.encode(), me().csrf.encode()):
        abort(403, "This form is no longer valid. Go back, load the page again and repeat.")
