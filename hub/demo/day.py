"""Orders at real addresses, of every kind of job, for a day that starts when you say."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hub.core.orders import IncomingOrder, Kind, PickUp
from hub.core.values import Contact, Line, Role, TimeWindow
from hub.demo.town import Door

EXTRACT = Path(__file__).with_name("helsinki.osm.pbf")
GOODS = (
    ("Sourdough loaf", 900),
    ("Rye bread", 700),
    ("Cinnamon bun", 120),
    ("Birthday cake", 2400),
)
FIRST = ("Aino", "Eero", "Helmi", "Juho", "Liisa", "Matti", "Oona", "Pekka", "Saara", "Väinö")
LAST = ("Korhonen", "Laine", "Mäkinen", "Nieminen", "Saarinen", "Virtanen")
SERVICE_S = {Kind.DELIVER: 120, Kind.COLLECT: 150, Kind.SERVE: 900}


def chance_for(seed: int, what: str) -> random.Random:
    """Dice of their own for each part of the day, so that none depends on another's throws."""
    return random.Random(f"{seed} {what}")  # noqa: S311  (a demo, not a secret)


def orders_for(
    starts_at: datetime, doors: Sequence[Door], *, count: int, seed: int
) -> Iterator[IncomingOrder]:
    """``count`` orders at doors of a built map; the same seed gives the same day.

    Every tenth is collected, every fifteenth a call, every twelfth a pair; all others
    are delivered; two of three orders are wanted within some hour and a half. A shop knows
    the point of every fourth customer, and of those whose address alone says too little.
    """
    chance = chance_for(seed, "orders")
    mixed = list(doors)
    chance.shuffle(mixed)
    for n in range(1, count + 1):
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        kind = Kind.SERVE if n % 15 == 0 else Kind.COLLECT if n % 10 == 0 else Kind.DELIVER
        opens = starts_at + timedelta(minutes=30 * chance.randint(0, 13))
        window = TimeWindow(opens, opens + timedelta(minutes=90))
        what, weight = chance.choice(GOODS)
        door, other = mixed[n % len(mixed)], mixed[-n % len(mixed)]
        is_pair = n % 12 == 0 and kind is Kind.DELIVER
        yield IncomingOrder(
            ref=f"D{n:03}",
            number=f"#{1000 + n}",
            updated_at=starts_at - timedelta(hours=3),
            kind=kind,
            address=door.address,
            point=door.point if n % 4 == 0 or not door.is_plain else None,
            pick_up=PickUp(
                address=other.address, point=other.point, service_s=SERVICE_S[Kind.COLLECT]
            )
            if is_pair
            else None,
            contacts=(Contact(Role.RECIPIENT, name, "", email_of(name, n)),),
            lines=(Line(what, chance.randint(1, 3), weight_g=weight),),
            windows=(window,) if n % 3 else (),
            due_on=starts_at.date(),
            service_s=SERVICE_S[kind],
        )


def ad_hoc(now: datetime, doors: Sequence[Door], *, seed: int) -> IncomingOrder:
    """Somebody who rings at noon: whether it could still come today?"""
    chance = chance_for(seed, "ad hoc")
    door = chance.choice(list(doors))
    return IncomingOrder(
        ref="N001",
        number="#2001",
        updated_at=now,
        address=door.address,
        point=door.point,
        contacts=(Contact(Role.RECIPIENT, "Noora Noon", "", email_of("Noora Noon", 2001)),),
        lines=(Line("Birthday cake", 1, weight_g=2400),),
        due_on=now.date(),
        service_s=SERVICE_S[Kind.DELIVER],
    )


def email_of(name: str, n: int) -> str:
    """Nobody else's in this day."""
    return f"{name.split()[0]}{n}@example.org".lower().replace("ä", "a").replace("ö", "o")


def as_sent(order: IncomingOrder) -> dict[str, Any]:
    """An order as a shop sends it to ``POST /api/v1/orders``."""
    sent: dict[str, Any] = {
        "ref": order.ref,
        "number": order.number,
        "kind": order.kind.value,
        "updated_at": order.updated_at.isoformat(),
        "address": asdict(order.address),
        "contacts": [asdict(one) for one in order.contacts],
        "lines": [asdict(one) for one in order.lines],
        "windows": [_span(one) for one in order.windows],
        "service_s": order.service_s,
    }
    if order.due_on is not None:
        sent["due_on"] = order.due_on.isoformat()
    if order.point is not None:
        sent["point"] = asdict(order.point)
    if (pick_up := order.pick_up) is not None:
        sent["pick_up"] = {"address": asdict(pick_up.address), "service_s": pick_up.service_s}
        if pick_up.point is not None:
            sent["pick_up"]["point"] = asdict(pick_up.point)
    return sent


def _span(window: TimeWindow) -> dict[str, str]:
    return {"opens": window.opens.isoformat(), "closes": window.closes.isoformat()}
