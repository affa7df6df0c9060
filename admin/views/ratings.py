"""Ratings: what customers thought, who drove, and what somebody still has to see to."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin.words import Clock, typed
from hub.core.csv_cells import safe_cell
from hub.core.rating import LOW
from hub.flows.business import business_of
from hub.flows.enquiries import SPAN
from hub.flows.log_in import Role
from hub.flows.ratings import Rated, drivers_rated, mean_of, ratings_of, see_to, set_rates
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

A_PAGE, MOST_EXPORTED = 50, 50_000
SHOWN = {"": "All", "poor": "One or two stars", "open": "One or two, not seen to"}
HEADS = ("order", "ref", "stars", "comment", "driver", "route day", "by", "given", "changed")


def ratings(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "ratings", __name__, url_prefix="/panel/ratings", template_folder="../templates"
    )

    @pages.get("")
    @needs(Role.DISPATCHER, Role.VIEWER)
    def index() -> AnyResponse:
        business_id = me().business_id
        query = {name: typed(name, 36) for name in ("show", "driver")}
        found = _found(query, before=typed("before", 36), limit=A_PAGE + 1)
        with hub.reading() as session:
            drivers = drivers_rated(session, business_id)
            mean = mean_of(session, business_id, hub.now() - SPAN)
        kept = {name: value for name, value in query.items() if value}
        more = ""
        if len(found) > A_PAGE:
            more = urlencode({**kept, "before": found[A_PAGE - 1].row.id})
        _, settings = business_of(hub, business_id)
        return page(
            "panel/ratings.html",
            found=found[:A_PAGE],
            more=more,
            query=query,
            export=urlencode(kept),
            is_first=not typed("before", 36),
            drivers=[("", "Everybody"), *drivers],
            shown=list(SHOWN.items()),
            mean=mean,
            days=SPAN.days,
            low=LOW,
            rates=settings.rates,
            clock=Clock.of(me().zone, hub.now()),
        )

    @pages.get("/ratings.csv")
    @needs(Role.DISPATCHER, Role.VIEWER)
    def export() -> AnyResponse:
        query = {name: typed(name, 36) for name in ("show", "driver")}
        out = io.StringIO()
        write = csv.writer(out)
        write.writerow(HEADS)
        for one in _found(query, limit=MOST_EXPORTED):
            write.writerow([safe_cell(value) for value in _line(one)])
        answer = Response(out.getvalue(), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = 'attachment; filename="ratings.csv"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.post("/<rating_id>/seen")
    @needs(Role.DISPATCHER)
    def seen(rating_id: str) -> AnyResponse:
        try:
            see_to(hub, me().business_id, rating_id, actor=me().actor)
        except LookupError:
            abort(404)
        flash("Seen to.", "ok")
        kept = {name: value for name in ("show", "driver") if (value := typed(name, 36))}
        return redirect(url_for("ratings.index", **kept))

    @pages.post("/asked")
    @needs()
    def switch() -> AnyResponse:
        rates = request.form.get("rates") == "1"
        set_rates(hub, me().business_id, rates, actor=me().actor)
        said = "Customers are asked how it was." if rates else "Customers are no longer asked."
        flash(said, "ok")
        return redirect(url_for("ratings.index"))

    def _found(query: dict[str, str], *, limit: int, before: str = "") -> list[Rated]:
        with hub.reading() as session:
            return ratings_of(
                session,
                me().business_id,
                most=LOW if query["show"] in ("poor", "open") else 5,
                open_only=query["show"] == "open",
                driver_id=query["driver"],
                before=before,
                limit=limit,
            )

    return pages


def _line(one: Rated) -> list[str]:
    row = one.row
    return [
        one.number,
        one.ref,
        str(row.stars),
        row.comment,
        one.driver,
        one.day.isoformat() if one.day else "",
        row.role,
        row.at.isoformat(timespec="seconds"),
        row.changed_at.isoformat(timespec="seconds"),
    ]
