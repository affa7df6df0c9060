"""The API for a help desk: who asked where an order is, what to tell, and how it was rated."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field, TypeAdapter
from sqlmodel import Session

from hub.core.tracking_page import Shows
from hub.core.tracking_words import card
from hub.core.visibility import Fact
from hub.db.unit import Unit
from hub.flows.api_keys import Caller, Scope
from hub.flows.brands import Brands
from hub.flows.enquiries import somebody_asked
from hub.flows.links import url_of
from hub.flows.orders import connection_ids, known_as
from hub.flows.ratings import Rated, ratings_of
from hub.flows.tongues import tongue
from hub.flows.tracking_link import Link
from hub.flows.tracking_parts import order
from hub.web.api_asking import (
    actor_of,
    asks,
    no_query,
    no_such_source,
    page_of,
    query_of,
    respond,
    valid,
)
from hub.web.api_fields import In, Note, Short
from hub.web.idempotency import Answer, once
from hub.web.problems import Problem, json_body, pointer, unsafe

if TYPE_CHECKING:
    from hub.app import Hub

ASKED = "how somebody asked"
SAY = "a sentence or two to tell whoever asks, in the business's language"
OPENS = "the customer's page: send it, and the next question answers itself"


class EnquiryIn(In):
    """Somebody asked where an order is."""

    channel: Annotated[
        Literal["phone", "mail", "chat", "counter", "other"], Field(description=ASKED)
    ] = "phone"
    note: Annotated[Note, Field(max_length=500, description="nothing a driver must know")] = ""
    source: Annotated[
        Short, Field(description="where two connections know such an order: which")
    ] = ""


class SpanOut(BaseModel):
    opens: datetime
    closes: datetime


class ArrivalOut(BaseModel):
    """In one of ten cases before ``p10``, in half before ``p50``, in nine of ten before ``p90``."""

    p10: datetime
    p50: datetime
    p90: datetime


class EnquiryOut(BaseModel):
    """The enquiry as it is kept, and what there is to tell."""

    id: str
    at: datetime
    order_id: str
    number: str
    state: Annotated[Shows, Field(description="as the customer's page has it")]
    say: Annotated[str, Field(description=SAY)]
    arrival: Annotated[ArrivalOut | None, Field(description="null: nobody can say yet")]
    promise: Annotated[SpanOut | None, Field(description="what was promised, as it is in force")]
    ended_at: Annotated[datetime | None, Field(description="at the door; null while it is open")]
    tracking_url: Annotated[str | None, Field(description=OPENS)]


class RatingOut(BaseModel):
    """What somebody thought of a delivery."""

    id: str
    order_id: str
    ref: str
    number: str
    job_id: str
    role: Annotated[str, Field(description="whose link it came by: recipient, buyer, …")]
    stars: Annotated[int, Field(ge=1, le=5)]
    comment: str
    driver: str
    at: datetime
    changed_at: datetime


class RatingsOut(BaseModel):
    ratings: list[RatingOut]
    next: Annotated[str | None, Field(description="asks for the next page; null on the last")]


TAKEN: tuple[type[BaseModel], ...] = (EnquiryIn,)
GIVEN: tuple[type[BaseModel], ...] = (EnquiryOut, RatingsOut)
_asked: TypeAdapter[EnquiryIn] = TypeAdapter(EnquiryIn)


def api_asked(hub: Hub) -> Blueprint:
    routes = Blueprint("api_asked", __name__, url_prefix="/api/v1")

    @routes.post("/orders/<known>/enquiries")
    def post_enquiry(known: str) -> Response:
        """``known``: the order's id, its ref at the source, or the number people call it by."""
        who = asks(hub, Scope.ENQUIRIES_WRITE)
        no_query()
        body = json_body(request)
        said = valid(_asked, body)

        def work(unit: Unit) -> Answer:
            order_id = _one(unit.session, who, known, said.source)
            now = hub.now()
            row, link = somebody_asked(
                unit,
                who.business_id,
                order_id,
                now,
                channel=said.channel,
                note=said.note,
                actor=actor_of(who),
            )
            return 201, told(hub, unit.session, row.id, link, now).model_dump(mode="json")

        return respond(once(hub, who.business_id, request, body, work))

    @routes.get("/ratings")
    def list_ratings() -> Response:
        who = asks(hub, Scope.ORDERS_READ)
        limit, after = page_of(query_of("limit", "after"))
        with hub.reading() as session:
            # Everything has a greater id than "0": the oldest first, also on the first page.
            found = ratings_of(session, who.business_id, after=after or "0", limit=limit + 1)
        more = found[limit - 1].row.id if len(found) > limit else None
        shown = RatingsOut(ratings=[_rating(one) for one in found[:limit]], next=more)
        return respond((200, shown.model_dump(mode="json")))

    return routes


def told(hub: Hub, session: Session, id_: str, link: Link, now: datetime) -> EnquiryOut:
    """What there is to tell whoever asks about the order of ``link``."""
    row = order(session, link.business.id, link.order_id)
    estimate = link.ride.estimate if link.ride else None
    promise = link.promise
    return EnquiryOut(
        id=id_,
        at=now,
        order_id=link.order_id,
        number=row.number,
        state=link.seen.shows,
        say=words_for(link, now),
        arrival=ArrivalOut(p10=estimate.p10, p50=estimate.p50, p90=estimate.p90)
        if estimate
        else None,
        promise=SpanOut(opens=promise.opens, closes=promise.closes) if promise else None,
        ended_at=link.seen.job.ended_at,
        tracking_url=url_of(hub, session, Brands(session, link.business.id), row) or None,
    )


def words_for(link: Link, now: datetime) -> str:
    """What the page says, as a person would say it."""
    zone = ZoneInfo(link.business.zone)
    said = card(link.seen, link.may & {Fact.STOPS}, zone, now, tongue(link.business.language))
    # A time stands after its day; a day in one word comes before its date.
    is_time = any(letter.isdigit() for letter in said.big)
    when = f"{said.day} {said.big}" if is_time else f"{said.big}, {said.day}"
    parts = [f"{said.headline}.", f"{when.strip(' ,')}." if said.big else ""]
    return " ".join(part for part in (*parts, *said.lines) if part).replace("..", ".")


def _one(session: Session, who: Caller, known: str, source: str) -> str:
    sources = connection_ids(session, who.business_id)
    if source and source not in sources:
        told = [(pointer("source"), no_such_source(sources))]
        raise Problem(422, "Nothing was stored; mend the field named.", told)
    connection = sources.get(source, "")
    found = () if unsafe(known) else known_as(session, who.business_id, known, connection)
    if not found:
        raise Problem(404, "There is no such order.")
    if len(found) > 1:
        raise Problem(
            409,
            "Several orders are called that. Name it by its id, or say its source:"
            f" {', '.join(sorted(sources))}.",
        )
    return found[0]


def _rating(one: Rated) -> RatingOut:
    row = one.row
    return RatingOut(
        id=row.id,
        order_id=row.order_id,
        ref=one.ref,
        number=one.number,
        job_id=row.job_id,
        role=row.role,
        stars=row.stars,
        comment=row.comment,
        driver=one.driver,
        at=row.at,
        changed_at=row.changed_at,
    )
