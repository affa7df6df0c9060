"""Getting in: the first run, logging in and out, and the password of an invited colleague."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import phonenumbers
from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from hub.core.business import Trade
from hub.flows import first_run, people
from hub.flows.log_in import NotAccepted, TooManyTries, log_in, log_out, nobody_yet
from hub.web.pages import page
from hub.web.staff import COOKIE, end_session, open_to_all, set_session

if TYPE_CHECKING:
    from hub.app import Hub

WELCOME = "/welcome/<staff_id>/<business_id>/<int:until>/<signature>"
TRADES = (
    (Trade.PARCELS, "Parcels", "A photo at the door; a one-hour window."),
    (Trade.FRESH_FOOD, "Fresh food", "Half-hour windows, short stops, a photo."),
    (Trade.PHARMACY, "Pharmacy", "Name and signature; items are shown to nobody."),
    (Trade.HEAVY_GOODS, "Heavy goods", "Photo, signature and lines; 20 minutes a stop."),
    (Trade.COLLECTIONS, "Collections", "Picked up at the door: photo, name and lines."),
    (Trade.FIELD_SERVICE, "Field service", "Visits of 45 minutes, signed for."),
)


def auth(hub: Hub) -> Blueprint:
    pages = Blueprint("auth", __name__, url_prefix="/panel", template_folder="templates")

    @pages.get("/log-in")
    @open_to_all
    def log_in_page() -> AnyResponse:
        if nobody_yet(hub):
            return redirect(url_for("auth.start_page"))
        return page("panel/log_in.html", email="", next=request.args.get("next", ""))

    @pages.post("/log-in")
    @open_to_all
    def log_in_now() -> AnyResponse:
        email, wanted = request.form.get("email", ""), request.form.get("next", "")
        try:
            token = log_in(
                hub, email, request.form.get("password", ""), address=request.remote_addr or ""
            )
        except TooManyTries as problem:
            return page("panel/log_in.html", 429, email=email, next=wanted, problem=str(problem))
        if token is None:
            sentence = "E-mail or password is not right."
            return page("panel/log_in.html", 401, email=email, next=wanted, problem=sentence)
        return set_session(redirect(_inside(wanted)), token)

    @pages.post("/log-out")
    def log_out_now() -> AnyResponse:
        log_out(hub, request.cookies.get(COOKIE, ""))
        return end_session(redirect(url_for("auth.log_in_page")))

    @pages.get("/start")
    @open_to_all
    def start_page() -> AnyResponse:
        if not nobody_yet(hub):
            return redirect(url_for("auth.log_in_page"))
        if not first_run.may_start(hub, request.args.get("code", ""), is_local=_is_local()):
            return page("panel/start_elsewhere.html", 403)
        return _start_form({"code": request.args.get("code", "")}, {})

    @pages.post("/start")
    @open_to_all
    def start_now() -> AnyResponse:
        typed = request.form
        if not first_run.may_start(hub, typed.get("code", ""), is_local=_is_local()):
            return page("panel/start_elsewhere.html", 403)
        if errors := _wrong(typed):
            return _start_form(typed, errors)
        try:
            first_run.start(
                hub,
                name=typed.get("name", ""),
                email=typed.get("email", ""),
                password=typed.get("password", ""),
                business=typed.get("business", ""),
                zone=typed["zone"],
                country=typed["country"],
                trade=Trade(typed["trade"]),
            )
        except NotAccepted as problem:
            return _start_form(typed, {problem.field: str(problem)})
        token = log_in(hub, typed["email"], typed["password"], address=request.remote_addr or "")
        flash("Welcome. A few short steps are left; take them in any order.", "ok")
        return set_session(redirect("/panel/"), token or "")

    @pages.get(WELCOME)
    @open_to_all
    def welcome_page(**parts: Any) -> AnyResponse:
        what = people.invited(hub, people.Welcome(**parts))
        return page("panel/welcome.html", 200 if what else 410, invited=what, errors={})

    @pages.post(WELCOME)
    @open_to_all
    def welcome_now(**parts: Any) -> AnyResponse:
        link, password = people.Welcome(**parts), request.form.get("password", "")
        try:
            is_in = people.accept(hub, link, password, address=request.remote_addr or "")
        except (NotAccepted, TooManyTries) as problem:
            what, errors = people.invited(hub, link), {"password": str(problem)}
            return page("panel/welcome.html", 422, invited=what, errors=errors)
        if not is_in:
            return page("panel/welcome.html", 410, invited=None, errors={})
        flash("You are in. Log in with your password.", "ok")
        return redirect(url_for("auth.log_in_page"))

    @pages.get("/reach/<business_id>/<token>")
    @open_to_all
    def reach(business_id: str, token: str) -> AnyResponse:
        url = request.host_url.rstrip("/")
        if not first_run.reached(hub, business_id, token, url):
            abort(404)
        return page("panel/reached.html", url=url, is_secure=request.is_secure)

    return pages


def _start_form(typed: Mapping[str, str], errors: dict[str, str]) -> Response:
    zones = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
    return page(
        "panel/start.html",
        422 if errors else 200,
        typed=typed,
        errors=errors,
        trades=TRADES,
        zones=[("", "Choose…"), *((zone, zone.replace("_", " ")) for zone in zones)],
        countries=[("", "Choose…"), *((c, c) for c in sorted(phonenumbers.SUPPORTED_REGIONS))],
    )


def _wrong(typed: Mapping[str, str]) -> dict[str, str]:
    errors: dict[str, str] = {}
    if typed.get("zone") not in available_timezones():
        errors["zone"] = "Choose your time zone."
    if typed.get("country") not in phonenumbers.SUPPORTED_REGIONS:
        errors["country"] = "Choose your country; phone numbers are read by it."
    if typed.get("trade") not in set(Trade):
        errors["trade"] = "Choose what you do most."
    return errors


def _inside(path: str) -> str:
    """``path`` if it leads to a page of ours, else the home page."""
    parts = urlsplit(path)
    ours = path.startswith("/") and not path.startswith("//") and path.isprintable()
    return path if ours and not parts.netloc and "\\" not in path else "/panel/"


def _is_local() -> bool:
    host = request.host.rsplit(":", 1)[0]
    return request.remote_addr in ("127.0.0.1", "::1") and host in ("127.0.0.1", "localhost")
