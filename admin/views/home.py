"""The first page after logging in: what is left to set up, and how today stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import segno
from flask import Blueprint, abort, flash, redirect, request, url_for
from markupsafe import Markup
from sqlalchemy import ColumnElement
from sqlmodel import col, func, or_, select
from werkzeug.wrappers import Response as AnyResponse

from admin.words import Clock
from hub.core.jobs import Outcome
from hub.db.tables import (
    ActRow,
    DepotRow,
    JobRow,
    OrderRow,
    RouteRow,
    StopJobRow,
    StopRow,
    VehicleRow,
)
from hub.flows import first_run, people
from hub.flows.at_work import still_since
from hub.flows.claims import open_claims
from hub.flows.connections_seen import connections_unwell, set_aside, unfiled
from hub.flows.enquiries import figures_of
from hub.flows.errands import parked_count
from hub.flows.kept_goods import waiting
from hub.flows.log_in import (
    NotAccepted,
    Role,
    add_staff,
    businesses_of,
    change_password,
    switch_business,
)
from hub.flows.ratings import low_and_open
from hub.flows.readiness import tells_recipients, with_phone
from hub.flows.webhook_log import unwell
from hub.maps.build import read_info
from hub.web.pages import page
from hub.web.staff import COOKIE, end_session, may, me, needs

if TYPE_CHECKING:
    from hub.app import Hub

ROLES = (
    (Role.OWNER, "Owner: everything, people and settings too"),
    (Role.DISPATCHER, "Dispatcher: orders, routes, drivers"),
    (Role.ACCOUNTANT, "Accountant: orders, proof and records"),
    (Role.VIEWER, "Viewer: looks, changes nothing"),
)

ACTS = (Role.DISPATCHER,)


@dataclass(frozen=True)
class Step:
    """One line of the set-up list."""

    title: str
    is_done: bool
    path: str
    why: str
    roles: tuple[Role, ...] = ()  # who besides owners may take it


def home(hub: Hub) -> Blueprint:
    pages = Blueprint("home", __name__, url_prefix="/panel", template_folder="../templates")

    @pages.get("/")
    def index() -> AnyResponse:
        business_id = me().business_id
        today = hub.now().astimezone(ZoneInfo(me().zone)).date()
        with hub.reading() as session:
            ended = dict(
                session.exec(
                    select(JobRow.outcome, func.count())
                    .where(JobRow.business_id == business_id, _is_of(business_id, today))
                    .group_by(JobRow.outcome)
                ).all()
            )
            routes = session.exec(
                select(RouteRow).where(RouteRow.business_id == business_id, RouteRow.day == today)
            ).all()
            review = session.exec(
                select(func.count())
                .select_from(JobRow)
                .where(JobRow.business_id == business_id, JobRow.state == "needs_review")
            ).one()
            claims = open_claims(session, business_id)
            poor = low_and_open(session, business_id)
            wismo = figures_of(session, business_id, hub.now())
            kept = waiting(session, business_id)
        cancelled = ended.get(Outcome.CANCELLED, 0)
        return page(
            "panel/home.html",
            steps=_steps(hub, business_id),
            today=today,
            total=sum(ended.values()) - cancelled,
            done=ended.get(Outcome.SUCCEEDED, 0) + ended.get(Outcome.PARTIAL, 0),
            failed=ended.get(Outcome.FAILED, 0) + ended.get(Outcome.SKIPPED, 0),
            cancelled=cancelled,
            review=review,
            claims=claims,
            poor=poor,
            wismo=wismo,
            stuck=parked_count(hub, business_id),
            kept=kept,
            still_since=still_since(hub, business_id),
            clock=Clock.of(me().zone),
            stores=connections_unwell(hub, business_id) if may(*ACTS) else [],
            unfiled=unfiled(hub, business_id),
            set_aside=set_aside(hub, business_id),
            unwell=unwell(hub, business_id) if may() else [],
            routes=len(routes),
            published=sum(route.published_at is not None for route in routes),
        )

    @pages.get("/address")
    @needs()
    def address() -> AnyResponse:
        url = hub.settings.public_url + first_run.reach_path(hub, me().business_id)
        return page(
            "panel/address.html",
            public_url=hub.settings.public_url,
            is_https=hub.settings.public_url.startswith("https:"),
            url=url,
            qr=Markup(segno.make(url, error="m").svg_inline(scale=5, border=2, light="#ffffff")),  # noqa: S704
            reached=first_run.reached_by(hub, me().business_id),
        )

    @pages.get("/people")
    @needs()
    def people_page() -> AnyResponse:
        return _people({}, {})

    @pages.post("/people")
    @needs()
    def add_person() -> AnyResponse:
        typed = request.form
        try:
            staff_id = add_staff(
                hub,
                me().business_id,
                email=typed.get("email", ""),
                password=None,
                role=Role(typed.get("role", Role.VIEWER)),
                name=typed.get("name", ""),
                actor=me().actor,
            )
        except NotAccepted as problem:
            return _people(typed, {problem.field: str(problem)})
        except ValueError:
            return _people(typed, {"role": "Choose a role."})
        return _people({}, {}, staff_id)

    @pages.post("/people/<staff_id>/<what>")
    @needs()
    def change_person(staff_id: str, what: str) -> AnyResponse:
        business_id = me().business_id
        try:
            match what:
                case "role":
                    role = Role(request.form.get("role", ""))
                    people.set_role(hub, business_id, staff_id, role, actor=me().actor)
                    flash("The role is changed.", "ok")
                case "remove":
                    people.remove(hub, business_id, staff_id, actor=me().actor)
                    flash("This person no longer belongs to the business.", "ok")
                case "link":
                    return _people({}, {}, staff_id)
                case _:
                    abort(404)
        except people.LastOwner as problem:
            flash(str(problem), "bad")
        except LookupError:
            abort(404)
        except ValueError:
            flash("Choose a role.", "bad")
        return redirect(url_for("home.people_page"))

    def _people(typed: object, errors: dict[str, str], link_for: str = "") -> AnyResponse:
        business_id = me().business_id
        path = ""
        try:
            path = people.welcome_path(hub, business_id, link_for) if link_for else ""
        except LookupError:
            abort(404)
        except people.WorksElsewhereToo as problem:
            flash(str(problem), "bad")
        return page(
            "panel/people.html",
            422 if errors else 200,
            people=people.people_of(hub, business_id),
            roles=ROLES,
            typed=typed,
            errors=errors,
            link=hub.settings.public_url + path if path else "",
            link_for=link_for,
        )

    @pages.get("/account")
    def account() -> AnyResponse:
        mine = businesses_of(hub, me().staff_id)
        return page("panel/account.html", businesses=mine, errors={})

    @pages.post("/account/password")
    def password() -> AnyResponse:
        typed = request.form
        try:
            change_password(hub, me().staff_id, typed.get("old", ""), typed.get("password", ""))
        except NotAccepted as problem:
            mine = businesses_of(hub, me().staff_id)
            errors = {problem.field: str(problem)}
            return page("panel/account.html", 422, businesses=mine, errors=errors)
        flash("Your password is changed. Log in with the new one.", "ok")
        return end_session(redirect(url_for("auth.log_in_page")))

    @pages.post("/account/business")
    def switch() -> AnyResponse:
        token = request.cookies.get(COOKIE, "")
        if not switch_business(hub, token, request.form.get("business_id", "")):
            abort(404)
        return redirect(url_for("home.index"))

    return pages


def _steps(hub: Hub, business_id: str) -> list[Step]:
    reached = first_run.reached_by(hub, business_id)
    with hub.reading() as session:
        depot, vehicle, order, route = (
            session.exec(select(table.id).where(table.business_id == business_id).limit(1)).first()
            for table in (DepotRow, VehicleRow, OrderRow, RouteRow)
        )
        done = session.exec(
            select(ActRow.id)
            .where(ActRow.business_id == business_id, ActRow.kind == "close")
            .limit(1)
        ).first()
    return [
        Step(
            "Reach the hub from a phone",
            any(url.startswith("https:") for url in reached),
            "/panel/address",
            "Phones give camera and position only to an HTTPS address.",
        ),
        Step(
            "Build the map",
            read_info(hub.settings.data_dir / "map") is not None,
            "/panel/map",
            "Roads for planning, and addresses that find themselves.",
        ),
        Step(
            "Add your depot",
            depot is not None,
            "/panel/records/depots",
            "Where routes start.",
            ACTS,
        ),
        Step(
            "Add vehicles",
            vehicle is not None,
            "/panel/records/vehicles",
            "What each can carry.",
            ACTS,
        ),
        Step(
            "Add drivers and pair a phone",
            bool(with_phone(hub, business_id)),
            "/panel/records/drivers",
            "Their hours, and a code for their phone.",
            ACTS,
        ),
        Step(
            "Set up messages",
            tells_recipients(hub, business_id),
            "/panel/messages",
            "How customers are told when to expect you.",
        ),
        Step(
            "Bring orders in",
            order is not None,
            "/panel/import",
            "From a file, or over the API.",
            ACTS,
        ),
        Step(
            "Plan and publish a day",
            route is not None,
            "/panel/day",
            "Look before drivers see it.",
            ACTS,
        ),
        Step("Make the first delivery", done is not None, "/panel/day", "With proof on it.", ACTS),
    ]


def _is_of(business_id: str, day: date) -> ColumnElement[bool]:
    """Jobs that are due on ``day`` or are on a route of it: most orders name no day."""
    routed = (
        select(StopJobRow.job_id)
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .where(RouteRow.business_id == business_id, RouteRow.day == day)
    )
    return or_(col(JobRow.due_on) == day, col(JobRow.id).in_(routed))
