"""Who is asked how long ways take: outside services of the business, then roads, then straight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_admin.form import BaseForm
from werkzeug.wrappers import Response as AnyResponse

from admin.cells import size
from admin.forms import form_for
from admin.views.providers import form_of, installed, offered, save_form
from hub.core.contracts import TravelTimes
from hub.core.errors import HubError
from hub.db.tables import ChoiceRow
from hub.flows.choices import choice, move_up, switch
from hub.flows.travel_asked import (
    BY_MEASURES,
    BY_MEASURES_UP_TO,
    is_set_up,
    keys_with_measures,
    known_travel,
)
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


@dataclass(frozen=True)
class ForAll:
    """One that answers without being set up; ``why_not``: it cannot now, and what would help.

    ``for_measures``: it is asked only for vehicles whose height, length or weight is known.
    """

    title: str
    why_not: str
    for_measures: bool


@dataclass(frozen=True)
class Remembered:
    """What services told, as people read it; ``spared`` are hundredths of all ways."""

    wanted: int
    spared: int
    holds: str


def travel_times(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "travel_times",
        __name__,
        url_prefix="/panel/settings/travel-times",
        template_folder="../templates",
    )

    @pages.get("")
    @needs()
    def show() -> AnyResponse:
        services = [
            one
            for one in offered(hub, "travel_times")
            if one.row or is_set_up(hub.registry.get(TravelTimes, one.key))
        ]
        return page(
            "panel/travel_times.html",
            services=services,
            for_all=[_for_all(hub, key) for key in keys_with_measures(hub)],
            remembered=_remembered(hub),
            most_measured=BY_MEASURES_UP_TO,
        )

    @pages.get("/<key>")
    @needs()
    def service(key: str) -> AnyResponse:
        cls = installed(hub, TravelTimes, key)
        row = choice(hub, me().business_id, "travel_times", key)
        return _service_page(cls, row, form_of(cls, row))

    @pages.post("/<key>")
    @needs()
    def save(key: str) -> AnyResponse:
        cls = installed(hub, TravelTimes, key)
        form = form_for(cls.Settings)(request.form)
        if not save_form(hub, "travel_times", cls, form):
            row = choice(hub, me().business_id, "travel_times", key)
            return _service_page(cls, row, form, 422)
        flash(f"{cls.title}: works, and is asked from now on.", "ok")
        return redirect(url_for("travel_times.show"))

    @pages.post("/<key>/switch")
    @needs()
    def switch_service(key: str) -> AnyResponse:
        active = request.form.get("active") == "1"
        try:
            switch(hub, me().business_id, "travel_times", key, active=active, actor=me().actor)
        except LookupError:
            abort(404)
        flash("Switched on." if active else "Switched off. It is not asked any more.", "ok")
        return redirect(url_for("travel_times.show"))

    @pages.post("/<key>/up")
    @needs()
    def up(key: str) -> AnyResponse:
        try:
            move_up(hub, me().business_id, "travel_times", key, actor=me().actor)
        except LookupError:
            abort(404)
        return redirect(url_for("travel_times.show"))

    return pages


def _for_all(hub: Hub, key: str) -> ForAll:
    """Whether it can tell anything now: the built map may be none."""
    cls, why_not = installed(hub, TravelTimes, key), ""
    try:
        hub.provider(TravelTimes, key, {}).check()
    except HubError as problem:
        why_not = str(problem)
    except Exception:  # a stranger's mistake: the Plugins page tells it, this one has other news
        hub.tools.log.exception("travel times %s cannot be checked", key)
        why_not = "Its plugin failed."
    return ForAll(cls.title, why_not, key == BY_MEASURES)


def _remembered(hub: Hub) -> Remembered | None:
    use = known_travel(hub).use()
    if not use.wanted:
        return None
    return Remembered(use.wanted, round(100 * use.known / use.wanted), size(use.bytes))


def _service_page(
    cls: type[TravelTimes], row: ChoiceRow | None, form: BaseForm, status: int = 200
) -> AnyResponse:
    return page("panel/travel_times_one.html", status, service=cls, row=row, form=form)
