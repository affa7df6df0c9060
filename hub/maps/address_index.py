"""The address book of a map: every address, street and town of an extract, in one SQLite file."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

import osmium

Spot = tuple[float, float]  # lat, lon

TABLES = """
create table street(id integer primary key, name text, folded text);
create virtual table street_fx using fts5(bare, tokenize='trigram', content='');
create table address(id integer primary key, street integer, number text, digits integer,
                     city text, postcode text, lat real, lon real);
create index address_street on address(street, number);
create index address_postcode on address(postcode);
create table piece(street integer, city text, lat real, lon real);
create index piece_street on piece(street);
create table town(name text, folded text, lat real, lon real, rank integer);
create index town_folded on town(folded);
create virtual table near using rtree(id, south, north, west, east);
"""
TOWNS = {"city": 0, "town": 1, "village": 2, "hamlet": 3, "suburb": 4}
CELL = 0.02  # degrees; a street of one name further apart than this is two streets


def fold(text: str) -> str:
    """``text`` as compared: ``bare``, with "street" and its like in one spelling."""
    plain = bare(text)
    plain = re.sub(r"stra(ss|s)e\b|str\b", "str", plain)
    plain = re.sub(r"\b(street|st)$", "str", plain)
    plain = re.sub(r"\b(avenue|ave)$", "av", plain)
    return re.sub(r"\b(road)$", "rd", plain).strip()


def bare(text: str) -> str:
    """``text`` without case, accents or punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[^\w]+", " ", plain).strip()


def write_index(pbf: Path, out: Path) -> dict[str, int]:
    """Write the address book of ``pbf`` to ``out``; how many of each it holds."""
    found = _Addresses()
    found.apply_file(str(pbf), locations=True, idx="flex_mem")
    db = sqlite3.connect(out)
    try:
        db.executescript(TABLES)
        _fill(db, found)
        db.commit()
        db.execute("vacuum")
    finally:
        db.close()
    return {
        "addresses": len(found.addresses),
        "streets": len(found.streets),
        "towns": len(found.towns),
    }


def _fill(db: sqlite3.Connection, found: _Addresses) -> None:
    names = sorted(set(found.streets) | {row[0] for row in found.addresses})
    ids = {name: n for n, name in enumerate(names, 1)}
    db.executemany("insert into street values(?,?,?)", [(n, s, fold(s)) for s, n in ids.items()])
    db.executemany(
        "insert into street_fx(rowid, bare) values(?,?)", [(n, bare(s)) for s, n in ids.items()]
    )
    for n, (street, number, city, postcode, lat, lon) in enumerate(found.addresses, 1):
        digits = re.match(r"\d+", number)
        row = (n, ids[street], number_key(number), int(digits[0]) if digits else None)
        town = city or found.town_near(lat, lon)
        db.execute("insert into address values(?,?,?,?,?,?,?,?)", (*row, town, postcode, lat, lon))
        db.execute("insert into near values(?,?,?,?,?)", (n, lat, lat, lon, lon))
    for street, spots in found.streets.items():
        cells: dict[tuple[int, int], list[Spot]] = defaultdict(list)
        for lat, lon in spots:
            cells[round(lat / CELL), round(lon / CELL)].append((lat, lon))
        for inside in cells.values():
            lat, lon = inside[len(inside) // 2]
            piece = (ids[street], found.town_near(lat, lon), lat, lon)
            db.execute("insert into piece values(?,?,?,?)", piece)
    db.executemany(
        "insert into town values(?,?,?,?,?)",
        [(name, fold(name), lat, lon, rank) for name, lat, lon, rank in found.towns],
    )


def number_key(number: str) -> str:
    """A house number as compared: "12 B" is "12b"."""
    return re.sub(r"\s+", "", number.casefold())


class _Addresses(osmium.SimpleHandler):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[tuple[str, str, str, str, float, float]] = []
        self.streets: dict[str, list[Spot]] = defaultdict(list)
        self.towns: list[tuple[str, float, float, int]] = []

    def node(self, node: Any) -> None:
        if len(node.tags):
            lat, lon = node.location.lat, node.location.lon
            self._address(node.tags, lat, lon)
            place, name = node.tags.get("place"), node.tags.get("name")
            if place in TOWNS and name:
                self.towns.append((name, lat, lon, TOWNS[place]))

    def way(self, way: Any) -> None:
        tags = way.tags
        road = "highway" in tags and "name" in tags
        if not road and "addr:housenumber" not in tags:
            return
        spots = [(n.location.lat, n.location.lon) for n in way.nodes if n.location.valid()]
        if spots and road:
            self.streets[tags["name"]].append(spots[len(spots) // 2])
        elif spots:
            lats, lons = zip(*spots, strict=True)
            self._address(tags, sum(lats) / len(lats), sum(lons) / len(lons))

    def _address(self, tags: Any, lat: float, lon: float) -> None:
        street = tags.get("addr:street") or tags.get("addr:place")
        number = tags.get("addr:housenumber")
        if not street or not number:
            return
        city, postcode = tags.get("addr:city", ""), tags.get("addr:postcode", "")
        for one in re.split(r"[;,]", number):
            if one.strip():
                self.addresses.append((street, one.strip(), city, postcode, lat, lon))

    def town_near(self, lat: float, lon: float) -> str:
        """The nearest town's name, within about 10 km; suburbs do not count."""
        near = [((t[1] - lat) ** 2 + ((t[2] - lon) / 2) ** 2, t[0]) for t in self.towns if t[3] < 4]
        distance, name = min(near, default=(1.0, ""))
        return name if distance < 0.01 else ""
