"""Orders at real addresses, of every kind of job, for a day that starts when you say."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from hub.core.orders import IncomingOrder, Kind, PickUp
from hub.core.values import Address, Contact, Line, Role, TimeWindow

EXTRACT = Path(__file__).with_name("helsinki.osm.pbf")
GOODS = (
    ("Sourdough loaf", 900),
    ("Rye bread", 700),
    ("Cinnamon bun", 120),
    ("Birthday cake", 2400),
)
FIRST = ("Aino", "Eero", "Helmi", "Juho", "Liisa", "Matti", "Oona", "Pekka", "Saara", "Väinö")
LAST = ("Korhonen", "Laine", "Mäkinen", "Nieminen", "Saarinen", "Virtanen")


def orders_for(
    starts_at: datetime, addresses: Path, *, count: int, seed: int
) -> Iterator[IncomingOrder]:
    """``count`` orders at addresses of a built map; the same seed gives the same day.

    Every tenth is collected, every fifteenth a call, every twelfth a pair; all others
    are delivered, half of them in a window of two hours.
    """
    chance = random.Random(seed)  # noqa: S311  (a demo, not a secret)
    doors = _doors(addresses)
    chance.shuffle(doors)
    for n in range(1, count + 1):
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        kind = Kind.SERVE if n % 15 == 0 else Kind.COLLECT if n % 10 == 0 else Kind.DELIVER
        opens = starts_at + timedelta(hours=1 + chance.randint(0, 5))
        window = TimeWindow(opens, opens + timedelta(hours=2))
        what, weight = chance.choice(GOODS)
        yield IncomingOrder(
            ref=f"D{n:03}",
            number=f"#{1000 + n}",
            updated_at=starts_at - timedelta(hours=3),
            kind=kind,
            address=doors[n],
            pick_up=PickUp(address=doors[-n]) if n % 12 == 0 and kind is Kind.DELIVER else None,
            contacts=(
                Contact(Role.RECIPIENT, name, "", f"{name.split()[0]}{n}@example.org".lower()),
            ),
            lines=(Line(what, chance.randint(1, 3), weight_g=weight),),
            windows=(window,) if n % 2 else (),
            due_on=starts_at.date(),
        )


def _doors(addresses: Path) -> list[Address]:
    with closing(sqlite3.connect(f"file:{addresses}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT DISTINCT s.name, a.number, a.postcode, a.city FROM address a"
            " JOIN street s ON s.id = a.street WHERE a.number <> '' ORDER BY 1, 2, 3, 4"
        ).fetchall()
    return [
        Address((f"{s} {n}",), city=c or "Helsinki", postcode=p or "", country="FI")
        for s, n, p, c in rows
    ]
