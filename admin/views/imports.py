"""Take in files of orders: upload, say which column is what, look, store."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from admin.words import Clock, typed
from hub.core.csv_orders import BadFile, Field, template_csv
from hub.core.csv_reading import MAX_BYTES
from hub.core.csv_template import MORE_COLUMNS
from hub.core.orders import IncomingOrder
from hub.flows.import_file import Looked, Reading, imports, look, read_as, store_file, take_file
from hub.flows.log_in import Role
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

SHOWN_ORDERS, SHOWN_PROBLEMS, SHOWN_SAMPLES = 10, 200, 3
AROUND = 100_000  # what a multipart form adds to its file
MEANINGS: tuple[tuple[str, tuple[tuple[Field, str], ...]], ...] = (
    (
        "Order",
        (
            (Field.ORDER_REF, "Order number"),
            (Field.ORDER_ID, "Order id (unique)"),
            (Field.STATUS, "Status"),
            (Field.CANCELLED, "Cancelled at"),
            (Field.STOP_TYPE, "Kind: delivery, pickup, service"),
            (Field.PRIORITY, "Priority"),
            (Field.SKILLS, "Skills needed"),
            (Field.OPTIONAL, "May stay undone (yes, no)"),
            (Field.PRIZE, "Worth doing (money)"),
            (Field.READY, "Goods ready at"),
            (Field.ON_BOARD, "Most minutes on board"),
            (Field.LOADS, "Further loads (pallets: 2)"),
            (Field.ONLY_DRIVER, "Only this driver"),
            (Field.NOT_DRIVERS, "Not these drivers"),
            (Field.GOODS, "Kind of goods"),
            (Field.WISHED_FROM, "Wished from"),
            (Field.WISHED_TO, "Wished until"),
            (Field.WISHED_PRICE, "Price per hour off the wish"),
            (Field.ACCESS, "Minutes from van to door"),
            (Field.APART, "Kept apart from these orders"),
            (Field.BRAND, "Brand, where you have several"),
            (Field.TAGS, "Tags"),
            (Field.DRIVER, "Driver or vehicle"),
            (Field.CHANNEL, "Sales channel"),
            (Field.SHIPPING_METHOD, "Shipping method"),
            (Field.NEEDS_SHIPPING, "Needs shipping"),
            (Field.ATTRIBUTES, "Note attributes (name: value)"),
        ),
    ),
    (
        "Who",
        (
            (Field.RECIPIENT, "Recipient"),
            (Field.FIRST_NAME, "First name"),
            (Field.LAST_NAME, "Last name"),
            (Field.COMPANY, "Company"),
            (Field.PHONE, "Phone"),
            (Field.EMAIL, "E-mail"),
        ),
    ),
    (
        "Where",
        (
            (Field.ADDRESS, "Whole address in one cell"),
            (Field.LINE1, "Street, or address line 1"),
            (Field.HOUSE, "House number"),
            (Field.LINE2, "Address line 2"),
            (Field.LINE3, "Address line 3"),
            (Field.LINE4, "Address line 4"),
            (Field.POSTCODE, "Postcode"),
            (Field.CITY, "City"),
            (Field.REGION, "State or region"),
            (Field.COUNTRY, "Country"),
            (Field.LAT, "Latitude"),
            (Field.LON, "Longitude"),
            (Field.INSTRUCTIONS, "Delivery instructions"),
        ),
    ),
    (
        "Fetched somewhere first",
        (
            (Field.FETCH_ADDRESS, "Whole address where it is fetched"),
            (Field.FETCH_LINE1, "Street where it is fetched"),
            (Field.FETCH_LINE2, "Stair, floor, company there"),
            (Field.FETCH_POSTCODE, "Postcode there"),
            (Field.FETCH_CITY, "City there"),
            (Field.FETCH_COUNTRY, "Country there"),
            (Field.FETCH_LAT, "Latitude there"),
            (Field.FETCH_LON, "Longitude there"),
            (Field.FETCH_NAME, "Who hands it over"),
            (Field.FETCH_PHONE, "Phone there"),
            (Field.FETCH_WINDOW, "When it can be fetched"),
            (Field.FETCH_MINUTES, "Minutes there"),
            (Field.FETCH_NOTE, "Note for the driver there"),
        ),
    ),
    (
        "When",
        (
            (Field.DATE, "Delivery date"),
            (Field.FROM, "Time window from"),
            (Field.TO, "Time window to"),
            (Field.WINDOW, "Time window in words"),
            (Field.SERVICE, "Minutes at the door"),
        ),
    ),
    (
        "What",
        (
            (Field.ITEM, "Item name"),
            (Field.SKU, "Item SKU"),
            (Field.BARCODE, "Barcode"),
            (Field.QUANTITY, "Quantity"),
            (Field.PARCELS, "Parcels"),
            (Field.WEIGHT, "Weight"),
            (Field.COD, "To collect at the door"),
            (Field.TOTAL, "Order total"),
            (Field.CURRENCY, "Currency"),
            (Field.PAYMENT, "Payment method"),
        ),
    ),
)
TITLES = {meaning.value: title for _, group in MEANINGS for meaning, title in group}
DAY_FIRST = {"day": True, "month": False}


def import_pages(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "imports", __name__, url_prefix="/panel/import", template_folder="../templates"
    )

    @pages.url_value_preprocessor
    def room(endpoint: str | None, values: dict[str, Any] | None) -> None:
        """Before anything reads the form, the check of its CSRF token included."""
        if endpoint == "imports.upload":
            request.max_content_length = MAX_BYTES + AROUND

    @pages.errorhandler(RequestEntityTooLarge)
    def too_large(error: RequestEntityTooLarge) -> AnyResponse:
        return _start(413, "The file is larger than 20 MB. Split it into smaller files.")

    @pages.errorhandler(BadFile)
    def unreadable(error: BadFile) -> AnyResponse:
        return _start(422, str(error))

    @pages.get("")
    @needs(Role.DISPATCHER)
    def start() -> AnyResponse:
        return _start()

    @pages.get("/template.csv")
    @needs(Role.DISPATCHER)
    def template() -> AnyResponse:
        tomorrow = Clock.of(me().zone).today(hub.now()) + timedelta(days=1)
        return Response(
            "\ufeff" + template_csv(tomorrow),  # else spreadsheets read it in their own code page
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="orders.csv"'},
        )

    @pages.post("")
    @needs(Role.DISPATCHER)
    def upload() -> AnyResponse:
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            return _start(422, "Choose a file first.")
        with sent.stream as stream:
            content = stream.read(MAX_BYTES + 1)
        try:
            row = take_file(hub, me().business_id, content, _name(sent.filename))
        except BadFile as error:
            return _start(422, str(error))
        return redirect(url_for("imports.one", import_id=row.id))

    @pages.get("/<import_id>")
    @needs(Role.DISPATCHER)
    def one(import_id: str) -> AnyResponse:
        return _show(_looked(import_id))

    @pages.post("/<import_id>")
    @needs(Role.DISPATCHER)
    def change(import_id: str) -> AnyResponse:
        before = _looked(import_id)
        here = url_for("imports.one", import_id=import_id)
        if before.row.state == "stored":
            return redirect(here)
        wanted = _wanted(before)
        try:
            after = read_as(hub, me().business_id, import_id, wanted, before=before)
        except BadFile as error:
            return _show(before, str(error), 422)
        if typed("do", 10) != "store":
            return redirect(here)
        if _how(after) != _how(before):
            flash("You changed how the file is read. Look at the orders again.", "warn")
            return redirect(here)
        store_file(hub, me().business_id, import_id, actor=me().actor, looked=after)
        return redirect(here)

    def _start(status: int = 200, wrong: str = "") -> AnyResponse:
        errors = {"file": wrong} if wrong else {}
        latest = imports(hub, me().business_id)
        return page(
            "panel/imports.html",
            status,
            errors=errors,
            latest=latest,
            more_columns=MORE_COLUMNS,
            clock=Clock.of(me().zone),
        )

    def _looked(import_id: str) -> Looked:
        try:
            return look(hub, me().business_id, import_id)
        except LookupError:
            abort(404)

    def _show(looked: Looked, wrong: str = "", status: int = 200) -> AnyResponse:
        if looked.row.state == "stored":
            return page("panel/imports_stored.html", row=looked.row, report=looked.row.report)
        seen, table, clock = looked.preview, looked.table, Clock.of(me().zone, hub.now())
        left_out = {problem.row for problem in seen.problems if problem.is_fatal}
        return page(
            "panel/imports_preview.html",
            status,
            looked=looked,
            seen=seen,
            table=table,
            columns=[
                {
                    "index": index,
                    "header": header,
                    "samples": _samples(table.rows, index),
                    "meaning": looked.columns.get(index, ""),
                }
                for index, header in enumerate(table.headers)
            ],
            meanings=MEANINGS,
            titles=TITLES,
            fatal=len(left_out),
            doubtful=len({problem.row for problem in seen.problems} - left_out),
            problems=seen.problems[:SHOWN_PROBLEMS],
            oldest=clock.day(min((past.day for past in seen.past), default=date.min)),
            orders=[(order, _when(clock, order)) for order in seen.orders[:SHOWN_ORDERS]],
            day_order={True: "day", False: "month", None: ""}[looked.reading.day_first],
            errors={"has_header": wrong} if wrong else {},
        )

    return pages


def _how(looked: Looked) -> tuple[object, ...]:
    reading = looked.reading
    return dict(looked.columns), looked.table.headers, reading.day_first, reading.past_too


def _when(clock: Clock, order: IncomingOrder) -> str:
    return clock.wanted(order.due_on, [(w.opens, w.closes) for w in order.windows])


def _wanted(before: Looked) -> Reading:
    """How the form says to read the file; with another header row, columns are guessed anew."""
    has_header = request.form.get("has_header") == "1"
    had_header = before.table.header_row >= 0
    day_first = DAY_FIRST.get(typed("day_order", 10))
    past_too = request.form.get("past_too") == "1"
    if has_header != had_header:
        return Reading(None, has_header, day_first, past_too)
    columns: dict[int, Field] = {}
    for index in range(len(before.table.headers)):
        chosen = typed(f"column-{index}", 40)
        if chosen in TITLES or chosen == Field.IGNORE:
            columns[index] = Field(chosen)
    return Reading(columns, before.reading.has_header, day_first, past_too)


def _samples(rows: tuple[tuple[str, ...], ...], index: int) -> list[str]:
    """The first different things that stand in a column."""
    found: list[str] = []
    for row in rows[:200]:
        text = row[index].strip() if index < len(row) else ""
        if text and text not in found:
            found.append(text)
        if len(found) == SHOWN_SAMPLES:
            break
    return [text if len(text) <= 60 else f"{text[:59]}…" for text in found]


def _name(filename: str) -> str:
    """The file's own name, as a person knows it, without the folder some browsers send."""
    kept = "".join(c for c in filename if c.isprintable())
    return kept.replace("\\", "/").rsplit("/", 1)[-1][:300] or "file"
