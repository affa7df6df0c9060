"""Orders: find one, see all that happened to it, decide what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin.order_fetch import FETCH_NAMES, FETCH_TIMES
from admin.order_form import KINDS, NAMES, read_order
from admin.order_times import MORE_TIMES, Desk
from admin.views.providers import titles
from admin.words import NOTICES, RECEIPTS, TRIGGERS, Clock, pill, typed, typed_day
from hub.core.contracts import NotificationChannel
from hub.core.csv_planning import names
from hub.core.errors import HubError, Refused
from hub.core.ids import new_id
from hub.core.jobs import NextStep, State
from hub.core.notices import Trigger
from hub.flows.business import business_of
from hub.flows.claims import leave_claim, take_claim
from hub.flows.fleet import depot_names
from hub.flows.kept_apart import Apart, UnknownOrdersError, keep_apart, why_not
from hub.flows.kept_goods import note_fetched, note_not_fetched
from hub.flows.log_in import Role
from hub.flows.month import records_of
from hub.flows.next_steps import choose_step
from hub.flows.order_desk import call_off, note_for_driver, take_order
from hub.flows.order_story import JobStory, order_story, reason_in_words
from hub.flows.orders_listed import FILTERS, orders_like
from hub.flows.wishes import for_staff
from hub.web.api import ROW_ID
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

A_PAGE = 50
MOST_TYPED = 20_000  # the order's own limits are told at its fields
CLAIMED = ("Needs a decision", "warn")
CLAIMED_WORDS = {
    "succeeded": "done",
    "partial": "done in part",
    "failed": "not done, tried at the door",
    "skipped": "not attempted",
}
STEPS = (
    (NextStep.ANOTHER_DAY, "Try again another day"),
    (NextStep.RETRY_TODAY, "Try again today"),
    (NextStep.RETURN, "Return to sender"),
    (NextStep.COLLECT, "Keep it; the customer collects it"),
    (NextStep.CANCEL, "Nothing more; cancel"),
)


def _by_hand(apart: Sequence[Apart]) -> str:
    return ", ".join(one.written for one in apart if one.written)


def _last_attempt_first(job: JobStory) -> tuple[int, int]:
    """Of one attempt, what is fetched comes before what is brought then."""
    return -job.row.attempt, job.row.leg


def _stands(jobs: Sequence[JobStory]) -> tuple[str, str]:
    """How far the order is: words and look of what is next of its last attempt, else of its end."""
    last = max(job.row.attempt for job in jobs)
    legs = sorted((job.row for job in jobs if job.row.attempt == last), key=lambda row: row.leg)
    return pill(next((row for row in legs if row.state != State.CLOSED), legs[-1]))


def orders(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "orders", __name__, url_prefix="/panel/orders", template_folder="../templates"
    )

    @pages.get("")
    def index() -> AnyResponse:
        clock = Clock.of(me().zone, hub.now())
        query = {name: typed(name, 100) for name in ("q", "state", "day")}
        found = orders_like(
            hub,
            me().business_id,
            text=query["q"],
            state=query["state"],
            day=typed_day("day"),
            before=typed("before", 36),
            limit=A_PAGE + 1,
        )
        more = ""
        if len(found) > A_PAGE:
            kept = {name: value for name, value in query.items() if value}
            more = urlencode({**kept, "before": found[A_PAGE - 1].id})
        return page(
            "panel/orders.html",
            found=[
                (line, CLAIMED if line.is_claimed else pill(line.job)) for line in found[:A_PAGE]
            ],
            more=more,
            query=query,
            is_first=not typed("before", 36),
            filters=FILTERS,
            clock=clock,
            midnight=clock.midnight(hub.now()),
        )

    @pages.get("/new")
    @needs(Role.DISPATCHER)
    def new() -> AnyResponse:
        return _new(dict.fromkeys(NAMES, ""), new_id(), {})

    @pages.post("/new")
    @needs(Role.DISPATCHER)
    def take() -> AnyResponse:
        given = {name: typed(name, MOST_TYPED) for name in NAMES}
        ref = ref if ROW_ID.fullmatch(ref := typed("ref", 36)) else new_id()
        order, errors = read_order(given, ref, _desk())
        if why := why_not(hub, me().business_id, names(given["apart_from"])):
            errors.setdefault("apart_from", why)
        if order is None or errors:
            return _new(given, ref, errors, 422)
        try:
            order_id = take_order(hub, me().business_id, order, actor=me().actor)
        except UnknownOrdersError as problem:
            return _new(given, ref, {"apart_from": str(problem)}, 422)
        except Refused as problem:
            return _new(given, ref, {"number": str(problem)}, 422)
        flash("The order is in. Its address is being looked up.", "ok")
        return redirect(url_for("orders.one", order_id=order_id))

    @pages.get("/<order_id>")
    def one(order_id: str) -> AnyResponse:
        return _show(order_id)

    @pages.post("/<order_id>/apart")
    @needs(Role.DISPATCHER)
    def apart(order_id: str) -> AnyResponse:
        wanted = names(typed("apart_from", 2000))
        try:
            keep_apart(hub, me().business_id, order_id, wanted, actor=me().actor)
            flash("Kept. It counts from the next plan.", "ok")
        except LookupError:
            abort(404)
        except UnknownOrdersError as problem:
            return _show(order_id, {"apart_from": str(problem)}, 422)
        return redirect(url_for("orders.one", order_id=order_id))

    @pages.post("/<order_id>/cancel")
    @needs(Role.DISPATCHER)
    def cancel(order_id: str) -> AnyResponse:
        try:
            call_off(hub, me().business_id, order_id, actor=me().actor)
            flash("The order is cancelled.", "ok")
        except LookupError:
            abort(404)
        except HubError as problem:
            flash(str(problem), "bad")
        return redirect(url_for("orders.one", order_id=order_id))

    @pages.post("/<order_id>/jobs/<job_id>/next")
    @needs(Role.DISPATCHER)
    def next_step(order_id: str, job_id: str) -> AnyResponse:
        _job_of(order_id, job_id)
        step = typed("step", 20)
        if step not in list(NextStep):
            return _show(order_id, {f"step-{job_id}": "Choose what follows."}, 422)
        day = typed_day("on_day")
        today = Clock.of(me().zone).today(hub.now())
        if step == NextStep.ANOTHER_DAY and (day is None or day <= today):
            wrong = "Choose a day after today."
            return _show(order_id, {f"on_day-{job_id}": wrong}, 422)
        try:
            choose_step(hub, me().business_id, job_id, NextStep(step), actor=me().actor, on_day=day)
        except HubError as problem:
            flash(str(problem), "bad")
        return redirect(url_for("orders.one", order_id=order_id))

    @pages.post("/<order_id>/jobs/<job_id>/fetched")
    @needs(Role.DISPATCHER)
    def fetched(order_id: str, job_id: str) -> AnyResponse:
        return _noted(order_id, job_id, note_fetched, "the customer has collected it")

    @pages.post("/<order_id>/jobs/<job_id>/not-fetched")
    @needs(Role.DISPATCHER)
    def not_fetched(order_id: str, job_id: str) -> AnyResponse:
        return _noted(order_id, job_id, note_not_fetched, "it was not collected")

    @pages.post("/<order_id>/jobs/<job_id>/note")
    @needs(Role.DISPATCHER)
    def note(order_id: str, job_id: str) -> AnyResponse:
        _job_of(order_id, job_id)
        try:
            note_for_driver(
                hub, me().business_id, job_id, typed("driver_note", 1000), actor=me().actor
            )
            flash("The note is kept.", "ok")
        except HubError as problem:
            flash(str(problem), "bad")
        return redirect(url_for("orders.one", order_id=order_id))

    @pages.post("/<order_id>/jobs/<job_id>/claims/<act_id>")
    @needs(Role.DISPATCHER)
    def decide(order_id: str, job_id: str, act_id: str) -> AnyResponse:
        if act_id not in {claim.act_id for claim in _job_of(order_id, job_id).claims}:
            abort(404)
        about = (hub, me().business_id, act_id)
        try:
            match typed("decision", 10):
                case "take":
                    take_claim(*about, actor=me().actor)
                    flash("The job is done, by this driver's proof.", "ok")
                case "leave":
                    leave_claim(*about, actor=me().actor)
                    flash("Left as it is. What the driver said stays on record.", "ok")
                case _:
                    flash("Choose: take it as done, or leave it.", "bad")
        except HubError as problem:
            flash(str(problem), "bad")
        return redirect(url_for("orders.one", order_id=order_id))

    def _desk() -> Desk:
        row, _ = business_of(hub, me().business_id)
        depots = depot_names(hub, me().business_id)
        return Desk(ZoneInfo(row.zone), row.country, hub.now(), depots)

    def _new(
        given: Mapping[str, str], ref: str, errors: Mapping[str, str], status: int = 200
    ) -> AnyResponse:
        today = Clock.of(me().zone).today(hub.now()).isoformat()
        about = {"typed": given, "ref": ref, "errors": errors, "kinds": KINDS, "today": today}
        about |= {"more_times": MORE_TIMES, "fetch_times": FETCH_TIMES, "fetch_names": FETCH_NAMES}
        depots = [(name, name) for name in _desk().depots]
        return page("panel/orders_new.html", status, depots=depots, **about)

    def _noted(order_id: str, job_id: str, note: Callable[..., None], what: str) -> AnyResponse:
        _job_of(order_id, job_id)
        try:
            note(hub, me().business_id, job_id, actor=me().actor)
            flash(f"Noted: {what}.", "ok")
        except HubError as problem:
            flash(str(problem), "bad")
        return redirect(url_for("orders.one", order_id=order_id))

    def _job_of(order_id: str, job_id: str) -> JobStory:
        """The job, if it is one of this order's; else 404."""
        try:
            story = order_story(hub, me().business_id, order_id)
        except LookupError:
            abort(404)
        job = next((job for job in story.jobs if job.row.id == job_id), None)
        return job if job is not None else abort(404)

    def _show(
        order_id: str, errors: dict[str, str] | None = None, status: int = 200
    ) -> AnyResponse:
        try:
            story = order_story(hub, me().business_id, order_id)
        except LookupError:
            abort(404)
        clock = Clock.of(me().zone, hub.now())
        return page(
            "panel/orders_one.html",
            status,
            story=story,
            wishes=for_staff(story.wished),
            jobs=[(job, pill(job.row)) for job in sorted(story.jobs, key=_last_attempt_first)],
            stands=_stands(story.jobs) if story.jobs else None,
            attempts=max((job.row.attempt for job in story.jobs), default=1),
            records=records_of(hub, me().business_id, order_id),
            steps=STEPS,
            reason=reason_in_words,
            claimed=CLAIMED_WORDS,
            told=[
                (
                    notice,
                    TRIGGERS[Trigger(notice.trigger)],
                    RECEIPTS.get(notice.receipt) or NOTICES[notice.state],
                )
                for notice in story.notices
            ],
            channels=titles(hub, NotificationChannel),
            step=typed("step", 20),
            on_day=typed("on_day", 10),
            apart=story.apart,
            apart_typed=typed("apart_from", 2000) if errors else _by_hand(story.apart),
            today=clock.today(hub.now()).isoformat(),
            errors=errors or {},
            clock=clock,
        )

    return pages
