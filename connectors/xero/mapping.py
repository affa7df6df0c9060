"""Xero's invoices and quotes as the hub's orders. No I/O.

Field names are those of the Accounting API 16.1.0 (its OpenAPI description, 2026-11). An
invoice has no delivery address, no weight and no day of delivery: they come from the contact,
from the settings and from where the business says it writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from connectors.xero.dates import date_in
from connectors.xero.settings import XeroSettings, codes, weights_g
from hub import Address, Contact, IncomingOrder, Kind, Line, Role, country_code

Record = Mapping[str, Any]
Paper = Literal["invoice", "quote"]
ID: Mapping[Paper, str] = {"invoice": "InvoiceID", "quote": "QuoteID"}
NUMBER: Mapping[Paper, str] = {"invoice": "InvoiceNumber", "quote": "QuoteNumber"}

# What ends an order. A quote that became an invoice lives on in it, if invoices are read too.
WITHDRAWN: Mapping[Paper, frozenset[str]] = {
    "invoice": frozenset({"VOIDED", "DELETED"}),
    "quote": frozenset({"DECLINED", "DELETED"}),
}
# A contact's first phone that is filled in; FAX is left out (schema Phone).
PHONES = ("MOBILE", "DEFAULT", "DDI", "OFFICE")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 253_402_300_799_999  # in the year 9999
ITALY = "39"  # its numbers keep their leading zero abroad
MS_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
LONGEST_TITLE = 200


def to_order(
    paper: Paper, record: Record, contact: Record, settings: XeroSettings
) -> IncomingOrder:
    """``contact`` in full: lists carry its name. Raises ``ValueError`` for what is no order."""
    ref = str(record[ID[paper]])
    number = text(record, NUMBER[paper]) or ref[:8]
    is_over = is_withdrawn(paper, record, settings)
    address = _address(record, contact, settings)
    if is_over and not address.one_line():
        address = Address((text(contact, "Name") or number,))  # nobody drives there any more
    return IncomingOrder(
        ref=ref,
        number=number,
        updated_at=moment(record["UpdatedDateUTC"]),
        address=address,
        contacts=_contacts(record, contact),
        kind=Kind(settings.kind),
        status="cancelled" if is_over else "open",
        lines=_lines(record, settings),
        due_on=due_on(paper, record, settings),
        payment_due=_payment_due(record) if settings.collect_amount_due else "",
        instructions="\n".join(_remarks(record)),
        tags=tuple(
            name for group in many(contact, "ContactGroups") if (name := text(group, "Name"))
        ),
        custom=_custom(paper, record, contact),
    )


def is_withdrawn(paper: Paper, record: Record, settings: XeroSettings) -> bool:
    status = text(record, "Status")
    if paper == "quote" and status == "INVOICED":
        return settings.reads == "both"
    return status in WITHDRAWN[paper]


def is_wanted(paper: Paper, record: Record, settings: XeroSettings) -> bool:
    """Whether it is one the business delivers. Bills of suppliers are in the same list."""
    if paper == "invoice" and record.get("Type") != "ACCREC":
        return False
    wanted = settings.statuses if paper == "invoice" else settings.quote_statuses
    return text(record, "Status") in wanted


def issued_on(record: Record) -> date | None:
    """``None``: it does not say. A draft quote may not."""
    return _date(record.get("Date"))


def due_on(paper: Paper, record: Record, settings: XeroSettings) -> date | None:
    """The day of delivery, from where the business writes it; ``None``: any day."""
    match settings.date_from:
        case "none":
            return None
        case "due_date":
            return _date(record.get("DueDate" if paper == "invoice" else "ExpiryDate"))
        case "expected_payment_date":
            return _date(record.get("ExpectedPaymentDate"))
        case "reference":
            texts = [text(record, "Reference")]
        case _:
            texts = [text(line, "Description") for line in many(record, "LineItems")]
    issued = issued_on(record) or moment(record["UpdatedDateUTC"]).date()
    found = (date_in(t, issued=issued, month_first=settings.month_first) for t in texts)
    return next(filter(None, found), None)


def moment(value: object) -> datetime:
    """``/Date(1541176592690+0000)/``: milliseconds since 1970 in UTC, whatever offset follows.

    Raises ``ValueError`` for anything else, except ISO 8601, which is UTC if it names no zone.
    """
    if match := MS_DATE.fullmatch(str(value)):
        return _EPOCH + timedelta(milliseconds=min(int(match[1]), _LATEST_MS))
    read = datetime.fromisoformat(str(value))
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def amount(value: object) -> Decimal | None:
    """``None``: nothing, or no number."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def text(record: Record, name: str) -> str:
    value = record.get(name)
    return "" if value is None else " ".join(str(value).split())


def many(record: Record, name: str) -> list[Record]:
    """The list ``name``; Xero leaves it out, or sends null, where it is empty."""
    return [entry for entry in record.get(name) or () if isinstance(entry, Mapping)]


def label(paper: Paper, record: Record) -> str:
    """How a person finds it: number, contact, amount."""
    number = text(record, "InvoiceNumber") or text(record, "QuoteNumber") or "(no number)"
    who = text(record.get("Contact") or {}, "Name")
    asked = amount(record.get("Total"))
    total = "" if asked is None else f"{asked:.2f} {text(record, 'CurrencyCode')}".strip()
    return " · ".join(
        filter(None, (number if paper == "invoice" else f"Quote {number}", who, total))
    )


def _date(value: object) -> date | None:
    """Days are sent as midnight UTC, whatever the organisation's zone (schema, x-is-msdate)."""
    return None if value in (None, "") else moment(value).date()


def _address(record: Record, contact: Record, settings: XeroSettings) -> Address:
    """Where the goods go: the invoice's own ``TO`` (US sales tax), the contact's street, its
    postal address. Each may be there with nothing in it."""
    ship_to = [a for a in many(record, "InvoiceAddresses") if a.get("InvoiceAddressType") == "TO"]
    by_type = {text(a, "AddressType"): a for a in many(contact, "Addresses")}
    given = (*ship_to, *(by_type[kind] for kind in ("STREET", "POBOX") if kind in by_type))
    read = (_read_address(one, settings) for one in given)
    return next((a for a in read if a.one_line()), Address(()))


def _read_address(given: Record, settings: XeroSettings) -> Address:
    lines = [line for n in range(1, 5) if (line := text(given, f"AddressLine{n}"))]
    country = text(given, "Country")  # free text: "New Zealand", "NZ", "U.K."
    code = (country_code(country) or "") if country else settings.country.upper()
    if country and not code and lines:
        lines.append(country)
    return Address(
        lines=tuple(lines),
        city=text(given, "City"),
        region=text(given, "Region"),
        postcode=text(given, "PostalCode"),
        country=code,
    )


def _contacts(record: Record, contact: Record) -> tuple[Contact, ...]:
    """Who bought is the contact; who is at the door is named by the street address
    (``AttentionTo``), else the contact's own person."""
    name = text(contact, "Name")
    person = f"{text(contact, 'FirstName')} {text(contact, 'LastName')}".strip()
    addresses = {text(a, "AddressType"): a for a in many(contact, "Addresses")}
    at_door = text(addresses.get("STREET") or {}, "AttentionTo") or person or name
    phone, email = _phone(contact), text(contact, "EmailAddress")
    company = name if person and person != name else ""
    return (
        Contact(Role.RECIPIENT, at_door, phone, email, name if at_door != name else ""),
        Contact(Role.BUYER, person or name, phone, email, company),
    )


def _phone(contact: Record) -> str:
    by_type = {text(p, "PhoneType"): p for p in many(contact, "Phones")}
    numbers = (_number(by_type[kind]) for kind in PHONES if kind in by_type)
    return next(filter(None, numbers), "")


def _number(phone: Record) -> str:
    """E.164 only where a country code is given; else as it was typed, area code first."""
    number, area = text(phone, "PhoneNumber"), text(phone, "PhoneAreaCode")
    if not number:
        return ""
    if number.startswith("+"):
        return "+" + _digits(number)
    country = _digits(text(phone, "PhoneCountryCode")).lstrip("0")  # "+64", "0064", "64"
    if not country:
        return f"{area} {number}".strip()
    inland = _digits(area + number)
    return f"+{country}{inland if country == ITALY else inland.removeprefix('0')}"


def _digits(given: str) -> str:
    return re.sub(r"\D", "", given)


def _lines(record: Record, settings: XeroSettings) -> tuple[Line, ...]:
    weights, left_out = weights_g(settings.weights), codes(settings.not_goods)
    goods = (line for line in many(record, "LineItems") if not _is_remark(line))
    read = (
        _line(line, weights) for line in goods if text(line, "ItemCode").upper() not in left_out
    )
    return tuple(line for line in read if line is not None)


def _line(line: Record, weights: Mapping[str, int]) -> Line | None:
    """``None`` for what takes something off, as a discount or a return does."""
    quantity, price = amount(line.get("Quantity", 1)), amount(line.get("LineAmount", 0))
    if quantity is None or quantity <= 0 or (price is not None and price < 0):
        return None
    code = text(line, "ItemCode")
    title = text(line, "Description") or text(line.get("Item") or {}, "Name") or code
    weight_g = weights.get(code.upper(), 0)
    if quantity == quantity.to_integral_value():
        return Line(title[:LONGEST_TITLE], int(quantity), sku=code, weight_g=weight_g)
    measured = f"{title[:LONGEST_TITLE]} × {quantity.normalize():f}"  # 2.5 kg of flour is one piece
    return Line(measured, 1, sku=code, weight_g=round(weight_g * quantity))


def _remarks(record: Record) -> Iterable[str]:
    return filter(
        None, (text(x, "Description") for x in many(record, "LineItems") if _is_remark(x))
    )


def _is_remark(line: Record) -> bool:
    """A line of text alone: it has neither item nor quantity nor amount (schema LineItem)."""
    price = amount(line.get("UnitAmount") or line.get("LineAmount") or 0)
    return not text(line, "ItemCode") and not amount(line.get("Quantity") or 0) and not price


def _payment_due(record: Record) -> str:
    """``AmountDue`` is what payments and credit notes have left; quotes have none."""
    due = amount(record.get("AmountDue"))
    if due is None or due <= 0:
        return ""
    exponent = due.as_tuple().exponent
    places = -exponent if exponent in (-3, -4) else 2
    return f"{due:.{places}f} {text(record, 'CurrencyCode')}".strip()


def _custom(paper: Paper, record: Record, contact: Record) -> dict[str, str]:
    known = {
        f"xero_{paper}": text(record, ID[paper]),
        "reference": text(record, "Reference"),
        "title": text(record, "Title"),
        "account_number": text(contact, "AccountNumber"),
    }
    return {name: value for name, value in known.items() if value}
