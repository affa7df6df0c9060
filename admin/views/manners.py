"""How messages behave: quiet hours, who wants none, what they cost, and a day told again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_admin.form import BaseForm
from werkzeug.wrappers import Response as AnyResponse

from admin.cells import local
from admin.forms import form_for, read
from admin.views.providers import titles
from admin.words import NOTICES, TRIGGERS, Clock, typed, typed_day
from hub.core.contracts import NotificationChannel
from hub.core.manners import Manners
from hub.core.notices import Trigger
from hub.flows.business import business_of
from hub.flows.log_in import Role
from hub.flows.notice_costs import Spent, spent
from hub.flows.notice_replay import MOST, Replayed, replay
from hub.flows.notice_rules import manners_of, save_manners
from hub.flows.suppressions import WORDS, lift, listed, note_stop
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


def manners(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "manners", __name__, url_prefix="/panel/messages", template_folder="../templates"
    )

    @pages.get("/quiet")
    @needs()
    def quiet() -> AnyResponse:
        known = manners_of(hub, me().business_id)
        return _quiet_page(form_for(Manners)(None, data=known.model_dump()))

    @pages.post("/quiet")
    @needs()
    def save_quiet() -> AnyResponse:
        form = form_for(Manners)(request.form)
        given = read(form, Manners)
        if given is None:
            return _quiet_page(form, 422)
        save_manners(hub, me().business_id, given, actor=me().actor)
        flash("Saved. It counts from the next message.", "ok")
        return redirect(url_for("manners.quiet"))

    @pages.get("/unwanted")
    @needs(Role.DISPATCHER)
    def unwanted() -> AnyResponse:
        return _unwanted_page(hub)

    @pages.post("/unwanted")
    @needs(Role.DISPATCHER)
    def stop_one() -> AnyResponse:
        given = typed("address", 254)
        try:
            note_stop(hub, me().business_id, given, actor=me().actor)
        except ValueError as problem:
            return _unwanted_page(hub, given, str(problem), 422)
        flash("Noted. Nothing is sent there any more.", "ok")
        return redirect(url_for("manners.unwanted"))

    @pages.post("/unwanted/<row_id:row_id>")
    @needs(Role.DISPATCHER)
    def lift_one(row_id: str) -> AnyResponse:
        try:
            lift(hub, me().business_id, row_id, actor=me().actor)
        except LookupError:
            abort(404)
        flash("Messages go there again.", "ok")
        return redirect(url_for("manners.unwanted"))

    @pages.get("/costs")
    @needs(Role.DISPATCHER, Role.ACCOUNTANT)
    def costs() -> AnyResponse:
        named = titles(hub, NotificationChannel)
        rows = [
            (row, f"{row.month:%B %Y}", named.get(row.channel, row.channel), _money(row))
            for row in spent(hub, me().business_id)
        ]
        return page("panel/messages_costs.html", rows=rows)

    @pages.get("/again")
    @needs(Role.DISPATCHER)
    def again() -> AnyResponse:
        business, _ = business_of(hub, me().business_id)
        clock = Clock.of(business.zone, hub.now())
        day = typed_day("day") or clock.today(hub.now()) - timedelta(days=1)
        found = replay(hub, me().business_id, day)
        named = titles(hub, NotificationChannel)
        sent = sum(not one.why for one in found)
        return page(
            "panel/messages_again.html",
            day=day,
            shown=clock.day(day),
            sent=sent,
            held=len(found) - sent,
            rows=[_again(one, clock, named) for one in found],
            is_cut=len(found) == MOST,
        )

    return pages


def _quiet_page(form: BaseForm, status: int = 200) -> AnyResponse:
    return page("panel/messages_quiet.html", status, form=form)


def _unwanted_page(
    hub: Hub, typed: str = "", problem: str | None = None, status: int = 200
) -> AnyResponse:
    rows = [
        (row, WORDS.get(row.why, row.why), local(row.at)) for row in listed(hub, me().business_id)
    ]
    return page("panel/messages_unwanted.html", status, rows=rows, typed=typed, problem=problem)


def _money(row: Spent) -> str:
    return f"{row.micros / 1_000_000:.2f} {row.currency}" if row.currency else "–"


def _again(
    one: Replayed, clock: Clock, named: dict[str, str]
) -> tuple[Replayed, str, str, str, str]:
    when = TRIGGERS.get(Trigger(one.trigger), one.trigger)
    was = NOTICES.get(one.then, ("–", ""))[0]
    return one, clock.time(one.at), when, named.get(one.channel, one.channel), was
