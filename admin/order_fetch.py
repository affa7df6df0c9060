"""The part of a typed-in order that is fetched first: from whom, where, when, how long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from admin.order_numbers import read_minutes
from admin.order_times import Desk, Row, read_windows
from hub.core.orders import Kind
from hub.core.phones import e164
from hub.core.values import Role

FETCH_TIMES = (Row("fetch_opens", "fetch_closes"), Row("fetch_opens2", "fetch_closes2"))
FETCH_NAMES = ("fetch_street", "fetch_more", "fetch_postcode", "fetch_city")
FETCH_NAMES += ("fetch_name", "fetch_phone", "fetch_note", "fetch_min")
FETCH_NAMES += tuple(name for row in FETCH_TIMES for name in row.names)
# Where the API's complaint about a field is shown.
FETCH_SHOWN = {
    "pick_up.address.lines": "fetch_street",
    "pick_up.address.city": "fetch_city",
    "pick_up.address.postcode": "fetch_postcode",
    "pick_up.contact.name": "fetch_name",
    "pick_up.contact.phone": "fetch_phone",
    "pick_up.instructions": "fetch_note",
    "pick_up.service_s": "fetch_min",
    "pick_up": "fetch_street",
}


def read_fetch(
    typed: Mapping[str, str], day: date | None, desk: Desk, errors: dict[str, str]
) -> dict[str, Any] | None:
    """As the API takes it; ``None``: it comes from the depot. What is wrong goes to ``errors``."""
    if not any(typed[name] for name in FETCH_NAMES):
        return None
    if not typed["fetch_street"]:
        errors["fetch_street"] = "Please fill this in, or leave all of this part empty."
    if typed["fetch_phone"] and not e164(typed["fetch_phone"], desk.country):
        errors["fetch_phone"] = "This is not a phone number we can dial. Write it as +358401234567."
    if typed["kind"] in list(Kind) and typed["kind"] != Kind.DELIVER:
        errors["kind"] = "What is fetched first is delivered then. Choose “Deliver something”."
    given: dict[str, Any] = {
        "address": {
            "lines": [line for line in (typed["fetch_street"], typed["fetch_more"]) if line],
            "postcode": typed["fetch_postcode"],
            "city": typed["fetch_city"],
            "country": desk.country,
        },
        "windows": read_windows(typed, FETCH_TIMES, day, desk, errors),
        "instructions": typed["fetch_note"],
        "service_s": read_minutes(typed, "fetch_min", errors),
    }
    if typed["fetch_name"] or typed["fetch_phone"]:
        who = {"name": typed["fetch_name"], "phone": typed["fetch_phone"]}
        given["contact"] = {"role": Role.SHIPPER, **who}
    return given
