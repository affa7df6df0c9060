"""What a row asks of planning beyond its windows: whether, when, how long and by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from hub.core.crew_rules import read_amounts, read_goods
from hub.core.csv_aliases import Field, normalise
from hub.core.csv_values import Cells
from hub.core.orders import MOST_TO_DOOR_MIN, WISHED_PER_HOUR, called
from hub.core.values import TimeWindow, moments

_YES = frozenset("yes y true 1 x ja oui si kylla optional".split())
_NO = frozenset("no n false 0 nein non nee ei".split())
MOST_LOADS, MOST_APART, LONGEST_NUMBER = 10, 50, 200  # as the API takes
MOST_PER_HOUR = 1_000_000  # cents; as the API takes


def planning_of(
    sheet: Cells,
    row: int,
    cells: Mapping[Field, str],
    windows: Sequence[TimeWindow],
    due_on: date | None,
) -> dict[str, Any]:
    """By the names that ``IncomingOrder`` has for it; a doubt about a cell is noted there."""
    prize = sheet.decimal(row, cells, Field.PRIZE)
    on_board = sheet.decimal(row, cells, Field.ON_BOARD)
    if on_board is not None and on_board < 1:
        sheet.problem(row, Field.ON_BOARD, cells[Field.ON_BOARD], "Less than a minute. Write more.")
        on_board = None
    wished, per_hour = _wished(sheet, row, cells, windows, due_on)
    return {
        "optional": _optional(sheet, row, cells),
        "prize": round(prize * 100) if prize is not None else 0,
        "ready_at": _ready_at(sheet, row, cells, windows, due_on),
        "max_on_board_s": round(on_board * 60) if on_board is not None else None,
        "loads": _loads(sheet, row, cells),
        "only_driver": cells.get(Field.ONLY_DRIVER, ""),
        "not_drivers": tuple(names(cells.get(Field.NOT_DRIVERS, ""))),
        "goods": _goods(sheet, row, cells),
        "wished": wished,
        "wished_per_hour": per_hour,
        "access_s": _access_s(sheet, row, cells),
        "apart_from": _apart(sheet, row, cells),
    }


def names(text: str) -> list[str]:
    """Each of what commas or semicolons separate."""
    return [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]


def _optional(sheet: Cells, row: int, cells: Mapping[Field, str]) -> bool:
    written = cells.get(Field.OPTIONAL, "")
    word = normalise(written)
    if word and word not in _YES | _NO:
        message = f"“{written[:40]}” is neither yes nor no; it counts as no."
        sheet.problem(row, Field.OPTIONAL, written, message)
    return word in _YES


def _ready_at(
    sheet: Cells,
    row: int,
    cells: Mapping[Field, str],
    windows: Sequence[TimeWindow],
    due_on: date | None,
) -> datetime | None:
    clock = sheet.end(row, cells, Field.READY)
    if clock is None or isinstance(clock, datetime):
        return clock
    day = windows[0].opens.astimezone(sheet.zone).date() if windows else due_on
    if day is None:
        message = "A time needs a day. Add a delivery date, or write the day before the time."
        sheet.problem(row, Field.READY, cells[Field.READY], message)
        return None
    return sheet.at(day, clock)


def _wished(
    sheet: Cells,
    row: int,
    cells: Mapping[Field, str],
    windows: Sequence[TimeWindow],
    due_on: date | None,
) -> tuple[TimeWindow | None, int]:
    """When somebody had better come, and what an hour beside it costs."""
    start = sheet.end(row, cells, Field.WISHED_FROM)
    stop = sheet.end(row, cells, Field.WISHED_TO)
    price = sheet.decimal(row, cells, Field.WISHED_PRICE)
    if start is None and stop is None:
        return None, 0
    day = windows[0].opens.astimezone(sheet.zone).date() if windows else due_on
    if day is None:
        message = "A wished time needs a day. Add a delivery date."
        sheet.problem(row, Field.WISHED_FROM, cells.get(Field.WISHED_FROM, ""), message)
        return None, 0
    opens = sheet.at(day, start or time(0))
    closes = sheet.at(day, stop or time(23, 59))
    if closes < opens:
        message = "The wished time ends before it begins. Correct one of its ends."
        sheet.problem(row, Field.WISHED_TO, cells.get(Field.WISHED_TO, ""), message)
        return None, 0
    cents = WISHED_PER_HOUR if price is None else min(round(price * 100), MOST_PER_HOUR)
    return TimeWindow(*moments(opens, closes)), cents


def _access_s(sheet: Cells, row: int, cells: Mapping[Field, str]) -> int | None:
    minutes = sheet.decimal(row, cells, Field.ACCESS)
    if minutes is None:
        return None
    if minutes > MOST_TO_DOOR_MIN:
        message = f"More than {MOST_TO_DOOR_MIN} minutes to the door. Write less."
        sheet.problem(row, Field.ACCESS, cells[Field.ACCESS], message)
        return None
    return round(minutes * 60)


def _apart(sheet: Cells, row: int, cells: Mapping[Field, str]) -> tuple[str, ...]:
    """Numbers of other orders; those that are not here yet are waited for."""
    written = cells.get(Field.APART, "")
    found = list(dict.fromkeys(names(written)))
    own = {cells.get(Field.ORDER_ID, ""), *called(cells.get(Field.ORDER_REF, ""))}
    if own.intersection(found):
        message = "This order cannot be kept apart from itself. Name the other one."
        sheet.problem(row, Field.APART, written, message)
    if len(found) > MOST_APART or any(len(name) > LONGEST_NUMBER for name in found):
        message = f"At most {MOST_APART} numbers of orders, separated by commas; none is taken."
        sheet.problem(row, Field.APART, written, message)
        return ()
    others = tuple(name for name in found if name not in own)
    column = sheet.header(Field.APART)
    sheet.preview.named.extend((row, column, name) for name in others)
    return others


def _goods(sheet: Cells, row: int, cells: Mapping[Field, str]) -> frozenset[str]:
    written = cells.get(Field.GOODS, "")
    try:
        return read_goods(written)
    except ValueError as problem:
        sheet.problem(row, Field.GOODS, written, str(problem))
        return frozenset()


def _loads(sheet: Cells, row: int, cells: Mapping[Field, str]) -> dict[str, int]:
    written = cells.get(Field.LOADS, "")
    try:
        found = read_amounts(written)
        if len(found) > MOST_LOADS:
            raise ValueError(f"At most {MOST_LOADS} of these.")
    except ValueError as problem:
        sheet.problem(row, Field.LOADS, written, str(problem))
        return {}
    return found
