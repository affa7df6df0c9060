"""What is plugged in, what it offers, how far it goes, and what could not be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from hub.flows.installed import installed, switched_off, troubles
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


def plugins(hub: Hub) -> Blueprint:
    pages = Blueprint("plugins", __name__, url_prefix="/panel", template_folder="../templates")

    @pages.get("/plugins")
    @needs()
    def show() -> AnyResponse:
        off, unknown = switched_off(hub)
        return page(
            "panel/plugins.html",
            plugins=installed(hub.registry),
            troubles=troubles(hub, me().business_id),
            problems=hub.registry.problems,
            off=off,
            unknown=unknown,
        )

    return pages
