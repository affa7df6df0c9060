"""What the business is, and the defaults its days run by."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, request, url_for
from flask_admin.form import BaseForm
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from admin.auth import TRADES
from admin.forms import form_for, read
from hub.core.business import Trade, suggested
from hub.core.pace_learned import DAYS, FEWEST
from hub.flows.business import BusinessIn, DefaultsIn, business_of, save_business
from hub.flows.drives_taken import WEEKS, drives_taken, with_lines
from hub.flows.street_speeds import streets_now
from hub.flows.tongues import languages
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

AIMS = [
    ("cheapest", "The least cost"),
    ("few", "Few drivers on the road"),
    ("even", "Days of like length"),
]
IMPROVING = [
    ("propose", "Propose it on the board"),
    ("publish", "Publish it and tell the drivers"),
    ("off", "Do not look for it"),
]
DEMANDS = [
    ("photo", "Photo"),
    ("signature", "Signature"),
    ("name", "Name of who took it"),
    ("note", "Note"),
    ("pin", "PIN from the customer"),
    ("lines", "Every line counted"),
]


def settings(hub: Hub) -> Blueprint:
    pages = Blueprint("settings", __name__, url_prefix="/panel", template_folder="../templates")

    @pages.get("/settings")
    @needs()
    def show() -> AnyResponse:
        row, kept = business_of(hub, me().business_id)
        is_learned = "learned" in request.args
        if is_learned:
            kept = with_lines(kept, drives_taken(hub, me().business_id))
        return _page(
            _business_form(data=row.model_dump()),
            _defaults_form(data=DefaultsIn.of(kept).model_dump()),
            is_learned=is_learned,
        )

    @pages.get("/settings/drives")
    @needs()
    def drives() -> AnyResponse:
        """What drives took, and the rush hours that would say so; nothing changes here."""
        taken = drives_taken(hub, me().business_id)
        hours = sorted({hour.hour for hour in taken.hours})
        known = {(hour.first_day, hour.hour): hour for hour in taken.hours}
        rows = [(hour, [known.get((first, hour)) for first, _ in DAYS]) for hour in hours]
        _, kept = business_of(hub, me().business_id)
        return page(
            "panel/drives.html",
            taken=taken,
            rows=rows,
            fewest=FEWEST,
            weeks=WEEKS,
            streets=streets_now(hub),
            is_kept=with_lines(kept, taken).rush_hours == kept.rush_hours,
        )

    @pages.post("/settings")
    @needs()
    def save() -> AnyResponse:
        business = _business_form(request.form)
        if "suggest" in request.form:
            suggestion = _suggested(request.form.get("trade", ""))
            suggestion.rush_hours.data = _defaults_form(request.form).rush_hours.data
            return _page(business, suggestion, is_suggestion=True)
        defaults = _defaults_form(request.form)
        about, typed = read(business, BusinessIn), read(defaults, DefaultsIn)
        if about is None or typed is None:
            return _page(business, defaults, 422)
        _, kept = business_of(hub, me().business_id)
        save_business(hub, me().business_id, about, typed.settings(kept), actor=me().actor)
        flash("Saved. It counts from the next order and the next plan.", "ok")
        return redirect(url_for("settings.show"))

    return pages


def _business_form(
    sent: MultiDict[str, str] | None = None, data: dict[str, object] | None = None
) -> BaseForm:
    options = {
        "zone": [(name, name) for name in sorted(available_timezones()) if "/" in name]
        + [("UTC", "UTC")],
        "trade": [(trade.value, title) for trade, title, _ in TRADES],
        "language": list(languages().items()),  # what customers are spoken to in
    }
    return form_for(BusinessIn, options)(sent, data=data)


def _defaults_form(
    sent: MultiDict[str, str] | None = None, data: dict[str, object] | None = None
) -> BaseForm:
    form = form_for(DefaultsIn, {"aim": AIMS, "improving": IMPROVING})(sent, data=data)
    form.demands.options = form.failure_demands.options = DEMANDS
    return form


def _suggested(trade: str) -> BaseForm:
    try:
        wanted = suggested(Trade(trade))
    except ValueError:
        wanted = suggested(Trade.PARCELS)
    return _defaults_form(data=DefaultsIn.of(wanted).model_dump())


def _page(
    business: BaseForm,
    defaults: BaseForm,
    status: int = 200,
    *,
    is_suggestion: bool = False,
    is_learned: bool = False,
) -> AnyResponse:
    return page(
        "panel/settings.html",
        status,
        business=business,
        defaults=defaults,
        is_suggestion=is_suggestion,
        is_learned=is_learned,
    )
