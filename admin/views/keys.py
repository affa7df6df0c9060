"""API keys: made here, shown once, revoked here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, request, url_for
from sqlmodel import col, select
from werkzeug.wrappers import Response as AnyResponse

from admin.cells import local
from hub.db.tables import ApiKeyRow
from hub.flows.api_keys import Scope, make_key, revoke_key
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

SCOPES = (
    (Scope.ORDERS_READ, "Read orders"),
    (Scope.ORDERS_WRITE, "Send and change orders"),
    (Scope.ENQUIRIES_WRITE, "Note who asks where an order is, and hear what to tell"),
    (Scope.WEBHOOKS_READ, "See where webhooks go"),
    (Scope.WEBHOOKS_WRITE, "Choose where webhooks go"),
)


def keys(hub: Hub) -> Blueprint:
    pages = Blueprint("keys", __name__, url_prefix="/panel/keys", template_folder="../templates")

    @pages.get("")
    @needs()
    def show() -> AnyResponse:
        return _page(hub)

    @pages.post("")
    @needs()
    def make() -> AnyResponse:
        title, scopes = request.form.get("title", "").strip()[:200], request.form.getlist("scopes")
        errors = {}
        if not title:
            errors["title"] = "Say which program will use it, so that you know it again."
        if not scopes or not set(scopes) <= {scope.value for scope in Scope}:
            errors["scopes"] = "Choose at least one thing the key may do."
        if errors:
            return _page(hub, 422, errors=errors, title=title, scopes=scopes)
        _, key = make_key(hub, me().business_id, title, scopes, actor=me().actor)
        return _page(hub, made=key, made_title=title)

    @pages.post("/<key_id>/revoke")
    @needs()
    def revoke(key_id: str) -> AnyResponse:
        if not revoke_key(hub, me().business_id, key_id, actor=me().actor):
            abort(404)
        flash("The key opens nothing any more.", "ok")
        return redirect(url_for("keys.show"))

    return pages


def _page(hub: Hub, status: int = 200, **more: object) -> AnyResponse:
    with hub.reading() as session:
        rows = session.exec(
            select(ApiKeyRow)
            .where(ApiKeyRow.business_id == me().business_id, col(ApiKeyRow.revoked_at).is_(None))
            .order_by(col(ApiKeyRow.created_at).desc())
        ).all()
    known = [
        (row.id, row.title, row.hint, row.scopes, local(row.created_at), local(row.used_at))
        for row in rows
    ]
    defaults = {"errors": {}, "title": "", "scopes": [Scope.ORDERS_WRITE.value], "made": ""}
    return page(
        "panel/keys.html",
        status,
        keys=known,
        offered=SCOPES,
        public_url=hub.settings.public_url,
        **{**defaults, **more},
    )
