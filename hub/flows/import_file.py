"""Take in a file of orders: look at it first, then store it.

An uploaded file waits in ``import`` between the two, with how a person wants it read,
so that a reload or another device goes on where one stopped. While it is stored, how far
that came is kept there as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlmodel import Session, col, delete, select

from hub.core.csv_aliases import normalise
from hub.core.csv_orders import BadFile, Columns, Field, Preview, Table, guess_columns, orders_from
from hub.core.csv_rows import Past, RowProblem
from hub.core.orders import called
from hub.db.tables import BusinessRow, ConnectionRow, ImportRow
from hub.db.unit import Unit, let_others
from hub.flows.brands import brands_of, known_names
from hub.flows.import_parts import part_of, together
from hub.flows.kept_apart import orders_called
from hub.flows.orders import OrderSeen, orders_by_ref
from hub.flows.sync import SyncReport, alone, store
from hub.xlsx import read_file, with_header

if TYPE_CHECKING:
    from hub.app import Hub

SAMPLE = 20  # rows that help to guess what a column is
WAITS = timedelta(days=7)  # then a file nobody took in is forgotten, with the people in it
KEPT_PROBLEMS = 500
KEPT_MAPPINGS = 50
MAPPINGS = "mappings"  # in the settings of the connection for files


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read; ``None`` leaves it to the guess.

    ``past_too``: orders whose day is over are still to be done, on the next day planned.
    """

    columns: Mapping[int, Field] | None = None
    has_header: bool | None = None
    day_first: bool | None = None
    past_too: bool = False


@dataclass(frozen=True)
class Looked:
    """A file as it would come in. ``remembered``: read as the last file with this header was."""

    row: ImportRow
    table: Table
    reading: Reading
    columns: Columns
    preview: Preview
    remembered: bool

    @property
    def taken(self) -> int:
        """So many of its orders are stored although not all are."""
        return int(self.row.report.get("taken", 0))


_reading: TypeAdapter[Reading] = TypeAdapter(Reading)


def preview(
    hub: Hub, business_id: str, content: bytes, file_name: str, *, past_too: bool = False
) -> Preview:
    """What storing the file would do, and what is wrong in which row. Stores nothing.

    ``past_too``: take orders whose day is over, as overdue. Raises ``BadFile`` for a file
    that cannot be read as a table.
    """
    table = read_file(content, file_name)
    columns = guess_columns(table.headers, table.rows[:SAMPLE])
    return _preview(hub, business_id, table, columns, Reading(past_too=past_too))


def store_preview(hub: Hub, business_id: str, seen: Preview, *, actor: str) -> SyncReport:
    """Store every readable order of a preview. The same file again changes nothing.

    Some hundred at a time; if it ends on the way, the same again brings the rest. What the
    file calls cancelled is, if it is open.
    """
    reports, after = [SyncReport()], ""
    while True:
        part, after = part_of(seen, after)
        with hub.unit() as unit:
            alone(unit, business_id)
            files = _files(unit.session, business_id)
            reports.append(_store(hub, unit, files, part, actor)[0])
        if not after:
            return together(reports)
        let_others(hub.engine)


def take_file(hub: Hub, business_id: str, content: bytes, file_name: str) -> ImportRow:
    """Keep an uploaded file for its preview. Raises ``BadFile``; then nothing is kept."""
    table = read_file(content, file_name)
    row = ImportRow(
        business_id=business_id,
        file_name=file_name[:300],
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        at=hub.now(),
    )
    with hub.unit() as unit:
        known = _mappings(_files(unit.session, business_id)).get(signature(table))
        row.mapping = {**known, "remembered": True} if known else {}
        unit.session.exec(
            delete(ImportRow).where(
                col(ImportRow.business_id) == business_id,
                col(ImportRow.state) == "preview",
                col(ImportRow.at) < hub.now() - WAITS,
            )
        )
        unit.session.add(row)
    return row


def look(hub: Hub, business_id: str, import_id: str) -> Looked:
    """The preview of a kept file. Raises ``LookupError``, ``BadFile`` if it can no longer be read.

    A file that was stored keeps its report only: look at ``row.report``.
    """
    with hub.reading() as session:
        row = import_of(session, business_id, import_id)
    return _looked(hub, row, _read(row.mapping))


def read_as(
    hub: Hub, business_id: str, import_id: str, reading: Reading, *, before: Looked | None = None
) -> Looked:
    """Read the file in another way from now on. Raises like ``look``; then it stays as it was.

    ``before``: the last look, which is what is seen where nothing is to be read otherwise.
    """
    if before is None or reading != replace(before.reading, columns=dict(before.columns)):
        with hub.reading() as session:
            row = import_of(session, business_id, import_id)
        before = _looked(hub, row, reading)
    with hub.unit() as unit:
        row = import_of(unit.session, business_id, import_id)
        how = _reading.dump_python(reading, mode="json")
        if row.state != "stored" and row.mapping != how:
            row.mapping = how
            row.report = {**row.report, "after": "", "taken": 0}  # all of it, read in the new way
    return replace(before, reading=reading)


def store_file(
    hub: Hub, business_id: str, import_id: str, *, actor: str, looked: Looked | None = None
) -> ImportRow:
    """Store every readable order of a kept file, and remember how files like it are read.

    Some hundred at a time, and how far that came with them: when it was stopped on the way,
    the next time brings the rest. Safe to repeat and to do twice at once: nothing is stored
    again. The file's content is forgotten with the last of it. ``looked``: the last look.
    """
    looked = looked or look(hub, business_id, import_id)
    if looked.row.state == "stored":
        return looked.row
    while (row := _store_some(hub, business_id, looked, actor)).state != "stored":
        let_others(hub.engine)
    return row


def _store_some(hub: Hub, business_id: str, looked: Looked, actor: str) -> ImportRow:
    with hub.unit() as unit:
        alone(unit, business_id)
        row = import_of(unit.session, business_id, looked.row.id)
        if row.state == "stored":  # somebody was quicker
            return row
        part, after = part_of(looked.preview, row.report.get("after", ""))
        files = _files(unit.session, business_id)
        report, gone = _store(hub, unit, files, part, actor)
        report = together((report, _so_far(row)))
        gone |= set(row.report.get("gone", ()))
        taken = row.report.get("taken", 0) + len(part.orders)
        row.report = {**asdict(report), "after": after, "taken": taken, "gone": sorted(gone)}
        if not after:
            row.state, row.content = "stored", b""
            today = hub.now().astimezone(ZoneInfo(_zone(unit.session, business_id))).date()
            row.report = _report(report, looked.preview, gone, today)
            _remember(files, looked)
    return row


def _so_far(row: ImportRow) -> SyncReport:
    counts = asdict(SyncReport())
    return SyncReport(**{name: row.report.get(name, 0) for name in counts})


def imports(hub: Hub, business_id: str, most: int = 20) -> list[ImportRow]:
    """The latest files, newest first."""
    with hub.reading() as session:
        return list(
            session.exec(
                select(ImportRow)
                .where(ImportRow.business_id == business_id)
                .order_by(col(ImportRow.at).desc(), col(ImportRow.id).desc())
                .limit(most)
            )
        )


def import_of(session: Session, business_id: str, import_id: str) -> ImportRow:
    """The file, if it is this business's. Raises ``LookupError``."""
    row = session.exec(
        select(ImportRow).where(ImportRow.business_id == business_id, ImportRow.id == import_id)
    ).one_or_none()
    if row is None:
        raise LookupError(f"no import {import_id}")
    return row


def signature(table: Table) -> str:
    """The same for files with the same columns, whatever their rows."""
    words = [normalise(header) for header in table.headers]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:24]


def _looked(hub: Hub, row: ImportRow, reading: Reading) -> Looked:
    if row.state == "stored":
        return Looked(row, Table((), (), "", "", -1), reading, {}, Preview(), False)
    if not row.content:
        raise BadFile(f"{row.file_name} waited for too long and was let go. Upload it again.")
    table = read_file(row.content, row.file_name)
    if reading.has_header is not None:
        table = with_header(table, reading.has_header)
    columns = reading.columns
    if columns is None:
        columns = guess_columns(table.headers, table.rows[:SAMPLE])
    seen = _preview(hub, row.business_id, table, columns, reading)
    return Looked(row, table, reading, columns, seen, bool(row.mapping.get("remembered")))


def _preview(
    hub: Hub, business_id: str, table: Table, columns: Columns, reading: Reading
) -> Preview:
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        files = _files(session, business_id)
        seen = orders_from(
            table,
            columns,
            zone=ZoneInfo(business.zone),
            country=business.country,
            now=hub.now(),
            day_first=reading.day_first,
            brands=known_names(brands_of(session, business_id)),
        )
        seen.problems.extend(_not_here(session, business_id, seen))
        seen.problems.sort(key=lambda problem: problem.row)
        seen = _with_past(session, files, seen, past_too=reading.past_too)
        known = _open_orders(session, files, [ref for _, ref in seen.cancelled])
    ends = {row for row, ref in seen.cancelled if ref in known}
    skipped = [
        (row, f"{why}; the order here will be cancelled" if row in ends else why)
        for row, why in seen.skipped
    ]
    cancelled = [one for one in seen.cancelled if one[0] in ends]
    return replace(seen, skipped=skipped, cancelled=cancelled)


def _not_here(session: Session, business_id: str, seen: Preview) -> Iterator[RowProblem]:
    """Orders that are named by others and are neither here nor in the file."""
    coming = {name for order in seen.orders for name in (order.ref, *called(order.number))}
    others = [one for one in seen.named if one[2] not in coming]
    known = orders_called(session, business_id, [name for _, _, name in others])
    for row, column, name in others:
        if name not in known:
            message = f"There is no order “{name[:60]}” yet; they are kept apart once it is here."
            yield RowProblem(row, column, name, message)


def _with_past(session: Session, files: ConnectionRow, seen: Preview, *, past_too: bool) -> Preview:
    """What becomes of orders whose day is over: asked about, unless they are here already.

    A past day in a file does not change when a known order is wanted; a new order comes in
    only if a person says so, because it would be delivered on the next day planned.
    """
    known = orders_by_ref(
        session, files.business_id, files.id, [one.order.ref for one in seen.past]
    )
    orders, problems, asked = list(seen.orders), list(seen.problems), list[Past]()
    for past in seen.past:
        if before := known.get(past.order.ref):
            report = before.said
            orders.append(replace(past.order, windows=report.windows, due_on=report.due_on))
            continue
        asked.append(past)
        day = f"{past.day:%A %-d %B %Y}"
        if past_too:
            orders.append(past.taken())
            said = f"Its day, {day}, is over. It goes on the next day you plan, at any hour."
        else:
            said = f"Its day, {day}, is over. Correct the date, or say that it is still to be done."
        problems.append(RowProblem(past.row, past.column, "", said, not past_too))
    problems.sort(key=lambda problem: problem.row)
    return replace(seen, orders=orders, problems=problems, past=asked)


def _store(
    hub: Hub, unit: Unit, files: ConnectionRow, seen: Preview, actor: str
) -> tuple[SyncReport, frozenset[int]]:
    """What came of it, and the rows by which orders were cancelled."""
    business_id, now = files.business_id, hub.now()
    known = _open_orders(unit.session, files, [ref for _, ref in seen.cancelled])
    reports = {ref: one.said for ref, one in known.items()}
    gone = [
        replace(report, status="cancelled", updated_at=max(now, report.updated_at))
        for report in reports.values()
    ]
    orders = [*seen.orders, *gone]
    report = store(unit, hub.keys, business_id, files.id, orders, (), now, actor)
    return report, frozenset(row for row, ref in seen.cancelled if ref in reports)


def _open_orders(
    session: Session, files: ConnectionRow, refs: Collection[str]
) -> dict[str, OrderSeen]:
    """Those among ``refs`` for which something is still to be done."""
    if not refs:
        return {}
    known = orders_by_ref(session, files.business_id, files.id, refs)
    return {ref: seen for ref, seen in known.items() if seen.is_open}


def _read(mapping: dict[str, Any]) -> Reading:
    return _reading.validate_python({k: v for k, v in mapping.items() if k != "remembered"})


def _files(session: Session, business_id: str) -> ConnectionRow:
    return session.exec(
        select(ConnectionRow).where(
            ConnectionRow.business_id == business_id, ConnectionRow.slug == "csv"
        )
    ).one()


def _mappings(files: ConnectionRow) -> dict[str, dict[str, Any]]:
    return dict(files.settings.get(MAPPINGS, {}))


def _remember(files: ConnectionRow, looked: Looked) -> None:
    """The newest last; a new dict, because changes inside a JSON column go unseen."""
    table = looked.table
    if looked.reading.has_header is not None:  # the next file is recognised before the switch
        table = read_file(looked.row.content, looked.row.file_name)
    known = _mappings(files)
    known.pop(signature(table), None)
    how = replace(looked.reading, columns=looked.columns, past_too=False)
    known[signature(table)] = _reading.dump_python(how, mode="json")
    newest = dict(list(known.items())[-KEPT_MAPPINGS:])
    files.settings = {**files.settings, MAPPINGS: newest}


def _zone(session: Session, business_id: str) -> str:
    return session.get_one(BusinessRow, business_id).zone


def _report(report: SyncReport, seen: Preview, gone: frozenset[int], today: date) -> dict[str, Any]:
    skipped = [one for one in seen.skipped if one[0] not in gone]
    left_out = {problem.row for problem in seen.problems if problem.is_fatal}
    days: list[date] = [order.due_on for order in seen.orders if order.due_on]
    days += [order.windows[0].opens.date() for order in seen.orders if order.windows]
    return {
        **asdict(report),
        "problems": [asdict(problem) for problem in seen.problems[:KEPT_PROBLEMS]],
        "skipped": [list(one) for one in skipped[:KEPT_PROBLEMS]],
        "left_out": len(left_out),
        "doubtful": len({problem.row for problem in seen.problems} - left_out),
        "day": max(min(days), today).isoformat() if days else "",
    }
