"""How the business looks to its customers, with a preview drawn by the server."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, request, url_for
from flask_admin.form import BaseForm
from pydantic import ValidationError
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from admin.forms import blame, form_for, sentences
from hub.core.colours import READABLE, WHITE, contrast, is_colour, readable_on, text_on
from hub.core.jobs import NextStep, Outcome, Reason, State
from hub.core.orders import Kind
from hub.core.tracking_page import Estimate, JobSeen, Seen, Shows
from hub.core.tracking_words import Card, card, own_words
from hub.core.values import TimeWindow
from hub.core.visibility import Fact
from hub.db.tables import BrandRow
from hub.flows.brand import LARGEST, BrandIn, Texts, brand_of, save_brand
from hub.flows.log_in import NotAccepted, staff_of
from hub.web.pages import page
from hub.web.staff import COOKIE, me, needs

if TYPE_CHECKING:
    from hub.app import Hub

FIELDS = [name for name in BrandIn.model_fields if name != "texts"]
AROUND = 100_000  # what a multipart form adds to its file
STATES = (
    ("scheduled", "Planned"),
    ("on_its_way", "On its way"),
    ("done", "Delivered"),
    ("failed", "Not delivered"),
)


def branding(hub: Hub) -> Blueprint:
    pages = Blueprint("branding", __name__, url_prefix="/panel", template_folder="../templates")

    @pages.url_value_preprocessor
    def room_for_a_logo(endpoint: str | None, values: object) -> None:
        """Before the form is first read; only somebody logged in may send that much."""
        if endpoint == "branding.save" and staff_of(hub, request.cookies.get(COOKIE, "")):
            request.max_content_length = LARGEST + AROUND

    @pages.get("/branding")
    @needs()
    def show() -> AnyResponse:
        return _page(hub, _form(brand_of(hub, me().business_id)))

    @pages.post("/branding")
    @needs()
    def save() -> AnyResponse:
        form = _form(None)
        upload = request.files.get("logo")
        try:
            given = BrandIn.model_validate(_typed(form))
            save_brand(
                hub,
                me().business_id,
                given,
                logo=_content(upload),
                drop_logo="drop_logo" in request.form,
                actor=me().actor,
            )
        except ValidationError as error:
            for name, sentence in sentences(error).items():
                blame(form, name.removeprefix("texts."), sentence)
            return _page(hub, form, 422)
        except NotAccepted as problem:
            return _page(hub, form, 422, wrong_logo=str(problem))
        flash("Saved. Customers see it at once.", "ok")
        return redirect(url_for("branding.show"))

    @pages.post("/branding/preview")
    @needs()
    def preview() -> AnyResponse:
        """Only the drawn part, from what is typed at this moment."""
        return page("panel/branding_preview.html", **_preview(hub, _form(None)))

    return pages


def _form(row: BrandRow | None) -> BaseForm:
    """As stored in ``row``, else as sent."""
    data = {**row.model_dump(include=set(FIELDS)), **row.texts} if row else None
    form = type("Form", (form_for(BrandIn), form_for(Texts)), {})(
        None if row else request.form, data=data
    )
    del form.texts
    for name in Texts.model_fields:
        form[name].control = "area"
    form.colour.control = "color"
    return form


def _typed(form: BaseForm) -> dict[str, object]:
    texts = {name: form[name].data for name in Texts.model_fields}
    return {**{name: form[name].data for name in FIELDS}, "texts": texts}


def _content(upload: FileStorage | None) -> bytes | None:
    return upload.read() or None if upload is not None and upload.filename else None


def _page(hub: Hub, form: BaseForm, status: int = 200, *, wrong_logo: str = "") -> AnyResponse:
    return page("panel/branding.html", status, wrong_logo=wrong_logo, **_preview(hub, form))


def _preview(hub: Hub, form: BaseForm) -> dict[str, object]:
    typed = form.colour.data or ""
    colour = typed if is_colour(typed) else "#0f6b5c"
    on_white = contrast(colour, WHITE)
    logo = brand_of(hub, me().business_id).logo
    texts = {name: form[name].data or "" for name in Texts.model_fields}
    return {
        "form": form,
        "colour": colour,
        "on_colour": text_on(colour),
        "accent": readable_on(colour, WHITE),
        "ratio": on_white,
        "is_readable": on_white >= READABLE,
        "logo": f"data:image/webp;base64,{b64encode(logo).decode()}" if logo else "",
        "cards": [
            (title, one, own_words(one.tone, texts))
            for title, one in _cards(hub.now(), ZoneInfo(me().zone))
        ],
    }


def _cards(now: datetime, zone: ZoneInfo) -> list[tuple[str, Card]]:
    """The main states of a customer's page, about nobody's order."""
    # In the middle of a morning, whenever it is looked at: nobody is visited at midnight.
    now = now.astimezone(zone).replace(hour=9, minute=35, second=0, microsecond=0)
    hour = now.replace(hour=10, minute=0)
    window, soon = TimeWindow(hour, hour + timedelta(hours=1)), now + timedelta(minutes=25)
    minutes = timedelta(minutes=5)
    planned = JobSeen(kind=Kind.DELIVER, state=State.DISPATCHED, windows=(window,))
    ended = {"kind": Kind.DELIVER, "state": State.CLOSED, "ended_at": now, "closed_at": now}
    seen = {
        "scheduled": Seen(Shows.SCHEDULED, planned, quoted=window),
        "on_its_way": Seen(
            Shows.ON_ITS_WAY,
            planned,
            quoted=window,
            expected=Estimate(soon - minutes, soon, soon + minutes),
            stops_before=2,
        ),
        "done": Seen(Shows.DONE, JobSeen(**ended, outcome=Outcome.SUCCEEDED)),
        "failed": Seen(
            Shows.FAILED,
            JobSeen(
                **ended,
                outcome=Outcome.FAILED,
                reason=Reason.NOBODY_HOME,
                next_step=NextStep.ANOTHER_DAY,
            ),
        ),
    }
    return [(title, card(seen[state], frozenset(Fact), zone, now)) for state, title in STATES]
