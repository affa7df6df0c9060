"""The month in the books: every closed job beside its document, and what waits for a person."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from admin.words import Clock, typed
from hub.core.errors import HubError
from hub.db.tables import RecordRow
from hub.flows.log_in import Role
from hub.flows.month import STATES, as_csv, month
from hub.flows.records_by_hand import (
    Disconnected,
    file_at,
    file_job,
    file_numbered,
    let_go,
    take_numbers,
)
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


def books(hub: Hub) -> Blueprint:
    pages = Blueprint("books", __name__, url_prefix="/panel/books", template_folder="../templates")

    @pages.get("")
    @needs(Role.ACCOUNTANT, Role.DISPATCHER)
    def index() -> AnyResponse:
        first = _first(hub)
        entries = month(hub, me().business_id, me().zone, first)
        wanted = request.args.get("state", "")
        counts = {state: sum(one.state == state for one in entries) for state in STATES}
        return page(
            "panel/books.html",
            entries=[one for one in entries if wanted in ("", one.state)],
            counts=counts,
            total=len(entries),
            wanted=wanted,
            by_number=take_numbers(hub),
            first=first,
            before=_other(first, -1),
            after=_other(first, 1),
            clock=Clock.of(me().zone),
        )

    @pages.get("/month.csv")
    @needs(Role.ACCOUNTANT, Role.DISPATCHER)
    def sheet() -> AnyResponse:
        first = _first(hub)
        text = as_csv(month(hub, me().business_id, me().zone, first), me().zone)
        name = f"deliveries-{first:%Y-%m}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(text, content_type="text/csv; charset=utf-8", headers=headers)

    @pages.post("/<row_id:record_id>/file")
    @needs(Role.ACCOUNTANT, Role.DISPATCHER)
    def again(record_id: str) -> AnyResponse:
        about = (hub, me().business_id, record_id)
        try:
            if "number" in request.form:
                row = file_numbered(*about, typed("number", 200), actor=me().actor)
            else:
                row = file_at(*about, request.form.get("target", ""), actor=me().actor)
        except LookupError:
            abort(404)
        except Disconnected as problem:
            flash(_with_a_way_on(problem), "bad")
        except HubError as problem:
            flash(str(problem), "bad")
        else:
            _tell(row)
        return redirect(url_for("books.index", month=request.form.get("month", "")))

    @pages.post("/jobs/<row_id:job_id>/file")
    @needs(Role.ACCOUNTANT, Role.DISPATCHER)
    def file_now(job_id: str) -> AnyResponse:
        """One that no book has: it ended while there was none, say."""
        try:
            rows = file_job(hub, me().business_id, job_id)
        except LookupError:
            abort(404)
        except Disconnected as problem:
            flash(_with_a_way_on(problem), "bad")
        except HubError as problem:
            flash(str(problem), "bad")
        else:
            for row in rows:
                _tell(row)
        return redirect(url_for("books.index", month=request.form.get("month", "")))

    @pages.post("/<row_id:record_id>/let-go")
    @needs(Role.ACCOUNTANT, Role.DISPATCHER)
    def dismissed(record_id: str) -> AnyResponse:
        try:
            let_go(hub, me().business_id, record_id, actor=me().actor)
        except LookupError:
            abort(404)
        flash("It is left out of the books.", "ok")
        return redirect(url_for("books.index", month=request.form.get("month", "")))

    return pages


def _tell(row: RecordRow) -> None:
    if row.state == "recorded":
        flash(f"Filed: {row.filed or row.label}", "ok")
    else:
        flash(row.problem or "It still belongs to none of them for certain.", "warn")


def _with_a_way_on(problem: Disconnected) -> Markup:
    at = problem.connection_id
    page = url_for("connections.one", connection_id=at) if at else url_for("connections.index")
    return Markup('{} <a href="{}">{}</a>').format(
        str(problem), page, "Open it" if at else "Connections"
    )


def _first(hub: Hub) -> date:
    """The first day of the month asked for, else of the present one."""
    try:
        year, number = request.args.get("month", "").split("-")
        return date(int(year), int(number), 1)
    except ValueError:
        return hub.now().astimezone(ZoneInfo(me().zone)).date().replace(day=1)


def _other(first: date, by: int) -> str:
    n = first.year * 12 + first.month - 1 + by
    return f"{n // 12:04}-{n % 12 + 1:02}"
