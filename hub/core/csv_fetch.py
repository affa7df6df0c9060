"""What a row says of where its goods are fetched first, before they are brought to its address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from hub.core import csv_windows
from hub.core.countries import country_code, repaired_postcode
from hub.core.csv_aliases import Field
from hub.core.csv_values import Cells
from hub.core.csv_windows import Unclear
from hub.core.orders import PickUp
from hub.core.phones import e164
from hub.core.places import place_key
from hub.core.values import Address, Contact, Role, TimeWindow

_SAYS_SO = (
    Field.FETCH_ADDRESS,
    Field.FETCH_LINE1,
    Field.FETCH_CITY,
    Field.FETCH_POSTCODE,
    Field.FETCH_LAT,
    Field.FETCH_LON,
    Field.FETCH_NAME,
    Field.FETCH_PHONE,
    Field.FETCH_WINDOW,
    Field.FETCH_NOTE,
)
_ANY_HOUR = "It is fetched at any hour of the day."


def pick_up_of(
    sheet: Cells,
    row: int,
    cells: Mapping[Field, str],
    windows: Sequence[TimeWindow],
    due_on: date | None,
) -> PickUp | None:
    """``None``: it comes from the depot, or (noted as fatal) nobody can say where it is fetched.

    ``windows`` and ``due_on``: of the delivery; hours alone are meant for its day.
    """
    written = next((field for field in _SAYS_SO if cells.get(field)), None)
    if written is None:
        return None
    place = _country(sheet, row, cells)
    address = _address(sheet, cells, place)
    point = sheet.point(row, cells, Field.FETCH_LAT, Field.FETCH_LON)
    if point is None and not place_key(address):
        message = "This says nothing of where it is fetched. Add the address, or empty the cell."
        sheet.problem(row, written, cells[written], message, fatal=True)
        return None
    minutes = sheet.decimal(row, cells, Field.FETCH_MINUTES)
    return PickUp(
        address=address,
        point=point,
        windows=_windows(sheet, row, cells, windows, due_on),
        contact=_contact(sheet, row, cells, place),
        service_s=int(minutes * 60) if minutes is not None else None,
        instructions=cells.get(Field.FETCH_NOTE, ""),
    )


def _country(sheet: Cells, row: int, cells: Mapping[Field, str]) -> str:
    written = cells.get(Field.FETCH_COUNTRY, "")
    code = country_code(written) if written else sheet.country
    if code is None:
        message = f"“{written[:60]}” is not a country we know; taken as yours."
        sheet.problem(row, Field.FETCH_COUNTRY, written, message)
    return code or sheet.country


def _address(sheet: Cells, cells: Mapping[Field, str], place: str) -> Address:
    street = cells.get(Field.FETCH_LINE1, "") or cells.get(Field.FETCH_ADDRESS, "")
    texts = (street, cells.get(Field.FETCH_LINE2, ""))
    postcode = cells.get(Field.FETCH_POSTCODE, "")
    return Address(
        tuple(part for text in texts for line in text.splitlines() if (part := line.strip(" ,"))),
        cells.get(Field.FETCH_CITY, ""),
        "",
        repaired_postcode(postcode, place, "", zeros_kept=sheet.zeros_kept),
        place,
    )


def _windows(
    sheet: Cells,
    row: int,
    cells: Mapping[Field, str],
    windows: Sequence[TimeWindow],
    due_on: date | None,
) -> tuple[TimeWindow, ...]:
    written = cells.get(Field.FETCH_WINDOW, "")
    if not written:
        return ()
    try:
        spans = csv_windows.read_spans(written)
    except Unclear as unclear:
        sheet.problem(row, Field.FETCH_WINDOW, written, f"{unclear} {_ANY_HOUR}")
        return ()
    day = windows[0].opens.astimezone(sheet.zone).date() if windows else due_on
    if day is None:
        message = f"Hours need a day. Add a delivery date. {_ANY_HOUR}"
        sheet.problem(row, Field.FETCH_WINDOW, written, message)
        return ()
    return tuple(sheet.span(day, opens, closes) for opens, closes in spans)


def _contact(sheet: Cells, row: int, cells: Mapping[Field, str], place: str) -> Contact | None:
    name, phone = cells.get(Field.FETCH_NAME, ""), cells.get(Field.FETCH_PHONE, "")
    read = e164(phone, place) if phone else ""
    if phone and not read:
        message = f"“{phone[:40]}” is not a phone number we can dial. Write it as +358401234567."
        sheet.problem(row, Field.FETCH_PHONE, phone, message)
    phone = read or phone
    return Contact(Role.SHIPPER, name, phone) if name or phone else None
