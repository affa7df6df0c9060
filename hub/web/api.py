"""The REST API under /api/v1: orders in, orders out, orders cancelled."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from pydantic import TypeAdapter
from sqlmodel import Session
from werkzeug.routing import BaseConverter

from hub.core.errors import Refused
from hub.core.fit import begins_as_told
from hub.core.orders import IncomingOrder, too_old
from hub.core.values import Point
from hub.db.tables import JobRow
from hub.db.unit import Unit
from hub.flows.api_keys import Caller, Scope
from hub.flows.brands import Brands, named
from hub.flows.day_due import windows_of
from hub.flows.job_facts import JobFacts
from hub.flows.orders import (
    OrderSeen,
    amend_order,
    cancel_order,
    connection_ids,
    one_order,
    orders_after,
    orders_by_ref,
)
from hub.flows.sync import alone, order_report, store
from hub.web.api_apart import APART, named_wrongly, none_of
from hub.web.api_asking import (
    ROW_ID,
    actor_of,
    asks,
    no_query,
    no_such_source,
    page_of,
    query_of,
    respond,
    valid,
)
from hub.web.api_models import JobOut, OrderIn, OrderOut, OrderPatch, PageOut, StoredOut
from hub.web.idempotency import Answer, once
from hub.web.problems import Problem, json_body, pointer

if TYPE_CHECKING:
    from hub.app import Hub

MOST_ORDERS = 1000
_one: TypeAdapter[OrderIn] = TypeAdapter(OrderIn)
_many: TypeAdapter[list[OrderIn]] = TypeAdapter(list[OrderIn])
_patch: TypeAdapter[OrderPatch] = TypeAdapter(OrderPatch)


class RowId(BaseConverter):
    """An id as the hub makes them; anything else is no such page."""

    regex = ROW_ID.pattern
    part_isolating = True


def api(hub: Hub) -> Blueprint:
    routes = Blueprint("api", __name__, url_prefix="/api/v1")

    @routes.post("/orders")
    def post_orders() -> Response:
        who = asks(hub, Scope.ORDERS_WRITE)
        no_query()
        body = json_body(request)
        orders, is_list = _orders(body)

        def work(unit: Unit) -> Answer:
            return _take(hub, who, unit, orders, is_list)

        return respond(once(hub, who.business_id, request, body, work))

    @routes.get("/orders")
    def list_orders() -> Response:
        who = asks(hub, Scope.ORDERS_READ)
        query = query_of("limit", "after", "source", "ref", "status")
        limit, after = page_of(query)
        if (status := query.get("status", "")) not in ("", "open", "cancelled"):
            raise Problem(422, "status must be open or cancelled.")
        with hub.reading() as session:
            connection_id = ""
            if source := query.get("source", ""):
                connection_id = connection_ids(session, who.business_id).get(source, "none")
            seen = orders_after(
                session,
                who.business_id,
                after,
                limit + 1,
                connection_id=connection_id,
                ref=query.get("ref", ""),
                status=status,
            )
            brands = Brands(session, who.business_id)
            page = PageOut(
                orders=[_out(hub, order, brands) for order in seen[:limit]],
                next=seen[limit - 1].row.id if len(seen) > limit else None,
            )
        return respond((200, page.model_dump(mode="json")))

    @routes.get("/orders/<row_id:order_id>")
    def get_order(order_id: str) -> Response:
        who = asks(hub, Scope.ORDERS_READ)
        no_query()
        with hub.reading() as session:
            return respond((200, _order(hub, session, who, order_id)))

    @routes.patch("/orders/<row_id:order_id>")
    def patch_order(order_id: str) -> Response:
        who = asks(hub, Scope.ORDERS_WRITE)
        no_query()
        body = json_body(request)
        patch = valid(_patch, body)

        def work(unit: Unit) -> Answer:
            business = alone(unit, who.business_id)
            seen = _known(unit.session, who, order_id)
            changes = patch.values(business.country)
            try:
                after, zone = replace(seen.said, **changes), ZoneInfo(business.zone)
                why = _too_old(after, seen.said, hub.now(), zone)
                if "brand" in changes:
                    brands = Brands(unit.session, who.business_id)
                    why = why or _no_such_brand(after.brand, brands)
                if patch.apart_from:
                    why = why or none_of(unit.session, seen.row, patch.apart_from)
                if why:
                    raise Problem(422, "Nothing was changed; mend the field named.", [why])
                amend_order(unit, hub.keys, seen, changes, hub.now(), actor_of(who))
            except Refused as error:
                raise Problem(409, str(error)) from error
            except ValueError as error:
                raise Problem(422, f"The changed order is not valid: {error}.") from error
            return 200, _order(hub, unit.session, who, order_id)

        return respond(once(hub, who.business_id, request, body, work))

    @routes.post("/orders/<row_id:order_id>/cancel")
    def post_cancel(order_id: str) -> Response:
        who = asks(hub, Scope.ORDERS_WRITE)
        no_query()
        if request.get_data(cache=False):
            raise Problem(400, "Cancelling takes no body.")

        def work(unit: Unit) -> Answer:
            alone(unit, who.business_id)
            seen = _known(unit.session, who, order_id)
            try:
                cancel_order(unit, hub.keys, seen, hub.now(), actor_of(who))
            except Refused as error:
                raise Problem(409, str(error)) from error
            return 200, _order(hub, unit.session, who, order_id)

        return respond(once(hub, who.business_id, request, b"", work))

    return routes


def _take(hub: Hub, who: Caller, unit: Unit, orders: Sequence[OrderIn], is_list: bool) -> Answer:
    """Store them all, or raise ``Problem`` with what is wrong with which."""

    def at(n: int, field: str) -> str:
        return pointer(n, field) if is_list else pointer(field)

    session, now = unit.session, hub.now()
    business = alone(unit, who.business_id)
    country, zone = business.country, ZoneInfo(business.zone)
    sources = connection_ids(session, who.business_id)
    since: dict[int, datetime] = {}  # when what is known of it was told
    errors: list[tuple[str, str]] = []
    batches: dict[str, dict[str, int]] = defaultdict(dict)
    for n, order in enumerate(orders):
        if order.source not in sources:
            errors.append((at(n, "source"), no_such_source(sources)))
        elif order.ref in batches[order.source]:
            errors.append((at(n, "ref"), "occurs twice in this request"))
        else:
            batches[order.source][order.ref] = n
    for source, refs in batches.items():
        if source in sources:
            known = orders_by_ref(session, who.business_id, sources[source], refs)
            since |= {refs[ref]: seen.said.updated_at for ref, seen in known.items()}
            errors += [
                (at(refs[ref], "ref"), "this order is cancelled; send it again under a new ref")
                for ref, seen in known.items()
                if seen.row.status == "cancelled"
            ]
            for ref, n in refs.items():
                before = known[ref].said if ref in known else None
                if why := _too_old(orders[n].value(country, now), before, now, zone):
                    errors.append((at(n, why[0][1:]), why[1]))
    errors += [(at(n, APART), why) for n, why in named_wrongly(session, who.business_id, orders)]
    brands = Brands(session, who.business_id)
    for n, order in enumerate(orders):
        if why := _no_such_brand(order.brand, brands):
            errors.append((at(n, "brand"), why[1]))
    if errors:
        raise Problem(422, "Nothing was stored; mend the orders named.", errors)
    stored = StoredOut(placed=0, amended=0, unchanged=0, orders=[])
    seen_at: dict[int, OrderSeen] = {}
    for source, refs in batches.items():
        values = [orders[n].value(country, now, since.get(n)) for n in refs.values()]
        report = store(
            unit, hub.keys, who.business_id, sources[source], values, (), now, actor_of(who)
        )
        stored.placed += report.placed
        stored.amended += report.amended
        stored.unchanged += report.repeats
        session.flush()
        known = orders_by_ref(session, who.business_id, sources[source], refs)
        seen_at |= {refs[ref]: seen for ref, seen in known.items()}
    stored.orders = [_out(hub, seen_at[n], brands) for n in sorted(seen_at)]
    return 201 if stored.placed else 200, stored.model_dump(mode="json")


def _too_old(
    order: IncomingOrder, before: IncomingOrder | None, now: datetime, zone: ZoneInfo
) -> tuple[str, str] | None:
    """The field by which its day is long over, and why that cannot be meant."""
    why = too_old(order, before, now.astimezone(zone).date(), zone)
    return (pointer("windows" if order.windows else "due_on"), why) if why else None


def _no_such_brand(brand: str, brands: Brands) -> tuple[str, str] | None:
    """The field, and that the business has no such brand."""
    if not brand or named(brands.rows, brand) is not None:
        return None
    return pointer("brand"), "there is no such brand"


def _orders(body: bytes) -> tuple[list[OrderIn], bool]:
    if not body.lstrip(b" \t\r\n").startswith(b"["):
        return [valid(_one, body)], False
    if len(json.loads(body)) > MOST_ORDERS:
        raise Problem(422, f"Send at most {MOST_ORDERS} orders at once.")
    return valid(_many, body), True


def _known(session: Session, who: Caller, order_id: str) -> OrderSeen:
    session.flush()
    if (seen := one_order(session, who.business_id, order_id)) is None:
        raise Problem(404, "There is no such order.")
    return seen


def _order(hub: Hub, session: Session, who: Caller, order_id: str) -> Any:
    brands = Brands(session, who.business_id)
    return _out(hub, _known(session, who, order_id), brands).model_dump(mode="json")


def _out(hub: Hub, seen: OrderSeen, brands: Brands) -> OrderOut:
    row, report = seen.row, seen.report
    plain = order_report.dump_python(report, mode="json")
    kept = OrderOut.model_fields.keys() & plain.keys() - {"updated_at", "point", "status"}
    url = None
    if seen.link_epoch is not None:
        url = brands.link(hub, row, seen.link_epoch)
    return OrderOut.model_validate(
        {name: plain[name] for name in kept}
        | {
            "id": row.id,
            "source": seen.source,
            "status": row.status,
            "version": row.version,
            "received_at": row.received_at,
            "updated_at": row.updated_at,
            "point": _point(report.point),
            "held_back": list(seen.held_back),
            "skills": sorted(report.skills),
            "goods": sorted(report.goods),
            "jobs": [_job(seen, job) for job in seen.jobs],
            "tracking_url": url,
        }
    )


def _job(seen: OrderSeen, job: JobRow) -> JobOut:
    facts = seen.facts.get(job.id, JobFacts())
    estimate, promise, proof = seen.estimates.get(job.id), facts.promise, facts.proof
    return JobOut.model_validate(
        {
            **job.model_dump(include=set(JobOut.model_fields)),
            "eta": estimate and begins_as_told(windows_of(job), estimate.p50, promise),
            "promise": {"opens": promise.opens, "closes": promise.closes} if promise else None,
            "arrived_at": facts.arrived_at,
            "proof": proof
            and {
                "given": proof.given,
                "files": [{"kind": kind, "sha256": sha256} for kind, sha256 in proof.files],
            },
        }
    )


def _point(point: Point | None) -> dict[str, float] | None:
    return None if point is None else {"lat": point.lat, "lon": point.lon}
