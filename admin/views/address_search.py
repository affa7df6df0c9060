"""Who is asked where an address is: the hub's own map, outside services, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_admin.form import BaseForm
from werkzeug.wrappers import Response as AnyResponse

from admin.forms import form_for
from admin.views.providers import form_of, installed, offered, save_form
from hub.core.contracts import Geocoder
from hub.db.tables import ChoiceRow
from hub.flows.choices import choice, choices, choose, move_up, switch
from hub.flows.locate import DEFAULT
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


def address_search(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "address_search",
        __name__,
        url_prefix="/panel/settings/address-search",
        template_folder="../templates",
    )

    @pages.get("")
    @needs()
    def show() -> AnyResponse:
        services = offered(hub, "geocoder")
        chosen = [one for one in services if one.row]
        return page(
            "panel/address_search.html",
            services=services,
            chosen=len(chosen),
            in_use=[one for one in chosen if one.row and one.row.active],
            default=DEFAULT,
        )

    @pages.get("/<key>")
    @needs()
    def service(key: str) -> AnyResponse:
        cls = installed(hub, Geocoder, key)
        row = choice(hub, me().business_id, "geocoder", key)
        return _service_page(cls, row, form_of(cls, row))

    @pages.post("/<key>")
    @needs()
    def save(key: str) -> AnyResponse:
        cls = installed(hub, Geocoder, key)
        form = form_for(cls.Settings)(request.form)
        is_first = not choices(hub, me().business_id, "geocoder")
        if not save_form(hub, "geocoder", cls, form):
            row = choice(hub, me().business_id, "geocoder", key)
            return _service_page(cls, row, form, 422)
        if is_first:
            _keep_the_map(hub, key)
        flash(f"{cls.title}: works, and is asked from now on.", "ok")
        return redirect(url_for("address_search.show"))

    @pages.post("/<key>/switch")
    @needs()
    def switch_service(key: str) -> AnyResponse:
        active = request.form.get("active") == "1"
        try:
            switch(hub, me().business_id, "geocoder", key, active=active, actor=me().actor)
        except LookupError:
            abort(404)
        flash("Switched on." if active else "Switched off. It is not asked any more.", "ok")
        return redirect(url_for("address_search.show"))

    @pages.post("/<key>/up")
    @needs()
    def up(key: str) -> AnyResponse:
        try:
            move_up(hub, me().business_id, "geocoder", key, actor=me().actor)
        except LookupError:
            abort(404)
        return redirect(url_for("address_search.show"))

    return pages


def _keep_the_map(hub: Hub, key: str) -> None:
    """The map answered until now and goes on doing so, first: it tells nobody an address."""
    known = {cls.key for cls in hub.registry.all(Geocoder)}
    if key != DEFAULT and DEFAULT in known:
        choose(hub, me().business_id, "geocoder", DEFAULT, {}, actor=me().actor)
        move_up(hub, me().business_id, "geocoder", DEFAULT, actor=me().actor)


def _service_page(
    cls: type[Geocoder], row: ChoiceRow | None, form: BaseForm, status: int = 200
) -> AnyResponse:
    return page("panel/address_search_one.html", status, service=cls, row=row, form=form)
