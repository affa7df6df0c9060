"""One order of WooCommerce's REST API, wc/v3, as the hub takes it. All field names stand here.

Measured on WooCommerce 10.9.1 on 2026-11-22 unless a comment says otherwise.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from math import ceil
from typing import Any

from connectors.woocommerce.told import Told, dicts
from hub import Address, Contact, IncomingOrder, Line, Role, TimeWindow, wanted

Row = Mapping[str, Any]
Piece = tuple[int, int]  # product and variation, which is 0 for a product without any

# Statuses in which nobody is to drive (orders/statuses and the enum of schema-orders). What a
# plugin adds is not guessed: an order that moves there stays as it was.
RESTING = ("pending", "on-hold", "completed", "cancelled", "refunded", "failed", "trash")
# Fetched by the customer; the second is that of the block checkout (plugins' source, 2026-11).
PICK_UP = ("local_pickup", "pickup_location")
_PLACE = ("address_1", "address_2", "city", "postcode")


@dataclass(frozen=True, slots=True)
class Goods:
    weight_g: int = 0
    volume_cm3: int = 0
    virtual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the business chose, and what was read beforehand."""

    taken: frozenset[str]
    date_keys: tuple[str, ...] = ()
    time_keys: tuple[str, ...] = ()
    extra_keys: tuple[str, ...] = ()
    month_first: bool = False
    zone: tzinfo | None = None  # None: the store keeps it to itself
    goods: Mapping[Piece, Goods] = field(default_factory=dict)


def to_order(row: Row, terms: Terms) -> IncomingOrder:
    """Raises ``ValueError`` or the like for one that cannot be delivered as it is."""
    lines = tuple(_lines(row, terms.goods))
    stays = _picked_up(row) or (row["line_items"] and not lines)  # fetched, or virtual
    cancelled = bool(not _open(row, terms) or stays)
    address = _address(row)
    if cancelled and not address.one_line():  # it is withdrawn all the same
        address = Address((f"Order {row['number']}",))
    windows, due_on, unclear = _wanted(row, terms)
    return IncomingOrder(
        ref=str(row["id"]),
        number=str(row["number"]),  # plugins number orders otherwise than their id
        updated_at=datetime.fromisoformat(row["date_modified_gmt"]).replace(tzinfo=UTC),
        status="cancelled" if cancelled else "open",
        address=address,
        contacts=tuple(_contacts(row)),
        lines=lines,
        windows=windows,
        due_on=due_on,
        payment_due=_payment_due(row),
        instructions="\n".join(part for part in (_text(row, "customer_note"), unclear) if part),
        tags=tuple(_shipping_titles(row)),
        custom=_custom(row, terms),
    )


def is_done(row: Row, terms: Terms) -> bool:
    """Whether it rests where the hub itself put it: an echo of what was reported, no news."""
    told = Told.read(row)
    status = row.get("status")
    return told.closed and told.status == status and status not in terms.taken


def asks_for_a_time(row: Row, terms: Terms) -> bool:
    said = texts(row)
    return any(said.get(key) for key in terms.date_keys)


def pieces(row: Row) -> Iterator[Piece]:
    """What is on an order; 0 stands where its product was deleted."""
    for item in dicts(row.get("line_items")):
        product, variation = item.get("product_id"), item.get("variation_id")
        if isinstance(product, int) and product:
            yield product, variation if isinstance(variation, int) else 0


def texts(row: Row) -> Mapping[str, str]:
    """The fields that plugins put on an order or a line. The same name may come several times;
    the first that says something counts. ``display_value`` is escaped HTML, so ``value``."""
    found: dict[str, str] = {}
    for meta in dicts(row.get("meta_data")):
        name, value = str(meta.get("key")), meta.get("value")
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            found[name] = found.get(name) or str(value).strip()
    return found


def _open(row: Row, terms: Terms) -> bool:
    """Taken, or where the hub put it while it was on its way."""
    told = Told.read(row)
    return row["status"] in terms.taken or (row["status"] == told.status != "")


def _picked_up(row: Row) -> bool:
    methods = [line.get("method_id") for line in dicts(row.get("shipping_lines"))]
    return bool(methods) and all(method in PICK_UP for method in methods)


def _where(row: Row) -> Row:
    """An order with only a billing address has a shipping one of empty texts."""
    shipping, billing = row["shipping"], row["billing"]
    chosen: Row = shipping if any(shipping.get(part) for part in _PLACE) else billing
    return chosen


def _address(row: Row) -> Address:
    where = _where(row)
    return Address(
        tuple(line for part in ("address_1", "address_2") if (line := _text(where, part))),
        city=_text(where, "city"),
        region=_text(where, "state"),
        postcode=_text(where, "postcode"),
        country=_text(where, "country"),
    )


def _contacts(row: Row) -> Iterator[Contact]:
    """E-mail is in the billing address alone; a telephone may be in either."""
    where, billing = _where(row), row["billing"]
    buyer = _name(billing)
    email = _text(billing, "email")
    phone = _text(where, "phone") or _text(billing, "phone")
    yield Contact(
        Role.RECIPIENT, _name(where) or buyer, phone, email, company=_text(where, "company")
    )
    if buyer and (buyer, _text(billing, "phone")) != (_name(where), phone):
        company = _text(billing, "company")
        yield Contact(Role.BUYER, buyer, _text(billing, "phone"), email, company=company)


def _name(person: Row) -> str:
    return f"{_text(person, 'first_name')} {_text(person, 'last_name')}".strip()


def _text(row: Row, name: str) -> str:
    return str(row.get(name) or "").strip()


def _lines(row: Row, goods: Mapping[Piece, Goods]) -> Iterator[Line]:
    for item in row["line_items"]:
        product, variation = item.get("product_id"), item.get("variation_id") or 0
        known = goods.get((product, variation), Goods())
        quantity = ceil(item["quantity"])  # plugins sell by halves
        if known.virtual or quantity < 1:
            continue
        yield Line(
            _title(item),
            quantity,
            sku=_text(item, "sku"),
            barcode=_text(item, "global_unique_id"),
            weight_g=known.weight_g,
            volume_cm3=known.volume_cm3,
        )


def _title(item: Row) -> str:
    """The name, and what the customer chose besides: "Oil - 5L (Engraving: A&D)". WordPress
    keeps titles as HTML when not everybody may write that (general knowledge, not measured)."""
    name = html.unescape(_text(item, "name"))
    chosen = [
        f"{key}: {value}"
        for key, value in texts(item).items()
        if value and not key.startswith("_") and value not in name
    ]
    return f"{name} ({', '.join(chosen)})" if chosen else name


def _wanted(row: Row, terms: Terms) -> tuple[tuple[TimeWindow, ...], date | None, str]:
    """Windows, day, and what of it no program can read, for a person."""
    said = texts(row)
    day_text = next((said[key] for key in terms.date_keys if said.get(key)), "")
    time_text = next((said[key] for key in terms.time_keys if said.get(key)), "")
    zone = terms.zone or _offset(row)
    read = wanted(day_text, time_text, zone, month_first=terms.month_first)
    return read.windows, read.day, f"Wanted: {read.unclear}" if read.unclear else ""


def _offset(row: Row) -> tzinfo:
    """How far the store's clocks were ahead when the order was made."""
    here, gmt = (datetime.fromisoformat(row[f"date_created{at}"]) for at in ("", "_gmt"))
    return timezone(timedelta(minutes=round((here - gmt).total_seconds() / 60)))


def _payment_due(row: Row) -> str:
    """What is to be collected of cash on delivery. Parts given back have negative totals."""
    if row.get("payment_method") != "cod" or row.get("date_paid_gmt"):
        return ""
    back = sum((Decimal(str(part["total"])) for part in row.get("refunds") or ()), Decimal())
    due = Decimal(str(row["total"])) + back
    return f"{due} {row['currency']}" if due > 0 else ""


def _shipping_titles(row: Row) -> Iterator[str]:
    """Orders have no tags in WooCommerce; how they are sent is what shops sort them by."""
    for line in dicts(row.get("shipping_lines")):
        if title := _text(line, "method_title"):
            yield title


def _custom(row: Row, terms: Terms) -> Mapping[str, str]:
    said = texts(row)
    found = {key: said[key] for key in terms.extra_keys if said.get(key)}
    if paid_by := _text(row, "payment_method_title"):
        found["payment_method"] = paid_by
    return found
