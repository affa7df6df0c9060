"""An order typed in by hand: what the form says, judged as the API judges an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from admin.forms import sentence
from admin.order_fetch import FETCH_NAMES, FETCH_SHOWN, read_fetch
from admin.order_numbers import read_line, read_whole
from admin.order_planning import PLANNING_NAMES, PLANNING_SHOWN, read_planning
from admin.order_times import TIME_NAMES, Desk, read_when
from hub.core.orders import IncomingOrder, Kind
from hub.core.phones import e164
from hub.flows.day_due import DEPOT
from hub.web.api_models import OrderIn

KINDS = [
    (Kind.DELIVER.value, "Deliver something"),
    (Kind.COLLECT.value, "Collect something"),
    (Kind.SERVE.value, "Do a service there"),
]
NAMES = ("number", "kind", "name", "phone", "email", "street", "more", "postcode", "city")
NAMES += ("goods", "parcels", "instructions", "depot")
NAMES += (*TIME_NAMES, *FETCH_NAMES, *PLANNING_NAMES)
# Where the API's complaint about a field is shown.
_SHOWN = {
    "address.lines": "street",
    "address.city": "city",
    "address.postcode": "postcode",
    "contacts.name": "name",
    "contacts.phone": "phone",
    "contacts.email": "email",
    "lines.title": "goods",
    "lines.quantity": "goods",
    "lines": "goods",
    "instructions": "instructions",
    "lines.weight_g": "goods",
    "lines.volume_cm3": "goods",
    "parcels": "parcels",
    "number": "number",
    **FETCH_SHOWN,
    **PLANNING_SHOWN,
}


def read_order(
    typed: Mapping[str, str], ref: str, desk: Desk
) -> tuple[IncomingOrder | None, dict[str, str]]:
    """The order, or what is wrong with each field (``""``: with none in particular)."""
    errors: dict[str, str] = {}
    day, windows = read_when(typed, desk, errors)
    if not typed["street"]:
        errors["street"] = "Please fill this in."
    if typed["phone"] and not e164(typed["phone"], desk.country):
        errors["phone"] = "This is not a phone number we can dial. Write it as +358401234567."
    if typed["kind"] not in list(Kind):
        errors["kind"] = "Choose one of the list."
    if typed["depot"] and typed["depot"] not in desk.depots:
        errors["depot"] = "Choose one of the list."
    given = {
        "ref": ref,
        "number": typed["number"],
        "kind": Kind.DELIVER if "kind" in errors else Kind(typed["kind"]),
        "address": {
            "lines": [line for line in (typed["street"], typed["more"]) if line],
            "postcode": typed["postcode"],
            "city": typed["city"],
            "country": desk.country,
        },
        "contacts": _contacts(typed),
        "pick_up": read_fetch(typed, day, desk, errors),
        "lines": [read_line(line) for line in typed["goods"].splitlines() if line.strip()],
        "parcels": read_whole(typed, "parcels", "a whole number, such as 3", errors),
        "custom": {DEPOT: typed["depot"]} if typed["depot"] else {},
        "windows": windows,
        "due_on": day,
        "instructions": typed["instructions"],
        **read_planning(typed, day, desk.zone, errors),
    }
    try:
        order = OrderIn.model_validate(given)
    except ValidationError as problem:
        for wrong in problem.errors(include_url=False):
            path = ".".join(part for part in wrong["loc"] if isinstance(part, str))
            if path or not errors:  # an empty street is told at the street, not again as a whole
                errors.setdefault(_SHOWN.get(path, ""), sentence(wrong))
        return None, errors
    # Without a number of its own it is numbered when it is stored, not by its ref.
    taken = replace(order.value(desk.country, desk.now), number=typed["number"])
    return (None, errors) if errors else (taken, {})


def _contacts(typed: Mapping[str, str]) -> list[dict[str, str]]:
    one = {name: typed[name] for name in ("name", "phone", "email")}
    return [one] if any(one.values()) else []
