"""What is served under a business's own domain: its customers' pages, and nothing else.

The panel, the board, the API and the pages of other businesses are not there: no log-in, no
cookie and no key ever belongs to a name that somebody else's DNS decides about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, abort, request
from sqlmodel import Session

from hub.flows.domains import business_at, hub_host
from hub.flows.tracking_link import link_row
from hub.flows.unsubscribe import business_of

if TYPE_CHECKING:
    from hub.app import Hub

SERVED = frozenset({"tracking", "unsubscribe"})  # blueprints
ASK = "/front/ask"
"""Where our front door asks whether to get a certificate for a name; not reachable through it."""


def own_domains(app: Flask, hub: Hub) -> None:
    """Keep what does not belong there from the domains of businesses."""
    asked = Blueprint("front", __name__)

    @asked.get(ASK)
    def ask() -> Response:
        with hub.reading() as session:
            asked_for = request.args.get("domain", "").rstrip(".").lower()
            known = business_at(session, asked_for[:253])
        return Response(status=200 if known else 404)

    app.register_blueprint(asked)

    @app.before_request
    def only_its_own() -> None:
        host = request.host.partition(":")[0].rstrip(".").lower()  # DNS knows it with a dot, too
        if "." not in host or host == hub_host(hub) or host.replace(".", "").isdigit():
            return
        with hub.reading() as session:
            business_id = business_at(session, host)
            if business_id is None:
                return
            if request.blueprint not in SERVED:
                abort(404)
            token = str((request.view_args or {}).get("token", ""))
            owner = _owner(session, request.blueprint, token)
        if owner not in ("", business_id):
            abort(404)


def _owner(session: Session, blueprint: str, token: str) -> str:
    """Whose page ``token`` opens; empty for one that opens none."""
    if blueprint == "unsubscribe":
        return business_of(session, token)
    link = link_row(session, token)
    return link.business_id if link is not None else ""
