"""From an address to a place on the map, with an honest confidence.

Streets are found by shared trigrams and ranked by edit distance, so a slip of the
finger is forgiven; what stays doubtful says so in a low confidence.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise
from math import cos, hypot, radians
from pathlib import Path

from hub.core.contracts import Match
from hub.core.values import Address, Point
from hub.maps.address_index import bare, fold, number_key

NUMBER_LAST = re.compile(r"^(?P<street>.*?\D)[\s,]+(?P<number>\d+\s?[a-zA-Z]?(?:[-/]\d+)?)\b")
NUMBER_FIRST = re.compile(r"^(?P<number>\d+[a-zA-Z]?)[\s,]+(?P<street>\D.*)$")
FAR_M = 1000  # two doors of one name further apart than this are two places
NEAR_M = 150  # a point further than this from every known door has no address


@dataclass(frozen=True, slots=True)
class _Street:
    id: int
    name: str
    alike: float  # 1: the very name


class AddressSearch:
    """The address book of one built map. Use one per thread."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)

    def close(self) -> None:
        self._db.close()

    def locate(self, address: Address) -> Match | None:
        """The best match for any of the address's lines; else its postcode, else its town."""
        found = [m for line in address.lines if (m := self._line(line, address)) is not None]
        found += [m for m in (self._postcode(address), self._town(address)) if m is not None]
        return max(found, key=lambda match: match.confidence, default=None)

    def reverse(self, point: Point) -> Match | None:
        """The nearest door within 150 m; surer the nearer it is."""
        dlat, dlon = NEAR_M / 111_320, NEAR_M / 111_320 / max(0.01, cos(radians(point.lat)))
        rows = self._db.execute(
            "select s.name, a.number, a.city, a.postcode, a.lat, a.lon from near n"
            " join address a on a.id = n.id join street s on s.id = a.street"
            " where n.north >= ? and n.south <= ? and n.east >= ? and n.west <= ?",
            (point.lat - dlat, point.lat + dlat, point.lon - dlon, point.lon + dlon),
        ).fetchall()
        best = min(rows, key=lambda row: _metres(point, Point(*row[4:])), default=None)
        if best is None or (away := _metres(point, Point(*best[4:]))) > NEAR_M:
            return None
        label = _label(best[0], best[1], best[3], best[2])
        return Match(Point(*best[4:]), label, "rooftop", round(0.95 - 0.7 * away / NEAR_M, 2))

    def _line(self, line: str, address: Address) -> Match | None:
        split = NUMBER_LAST.match(line.strip()) or NUMBER_FIRST.match(line.strip())
        street, number = (split["street"], number_key(split["number"])) if split else (line, "")
        streets = self._streets(street)
        matches: list[tuple[float, Match]] = []
        for candidate in streets:
            match = self._door(candidate, number, address) if number else None
            match = match or self._along(candidate, address)
            if match is not None:
                matches.append((candidate.alike, match))
        if not matches:
            return None
        matches.sort(key=lambda pair: -pair[1].confidence)
        (alike, best), *others = matches
        # Another street is spelt almost as near to what was written: a coin toss is not a find.
        if alike < 1 and any(
            other_alike > alike - 0.05 and other.precision == best.precision
            for other_alike, other in others
        ):
            best = replace(best, confidence=round(best.confidence * 0.7, 2))
        return best

    def _streets(self, written: str) -> list[_Street]:
        """Streets whose name is what was written, or close to it, the closest first."""
        folded = fold(written)
        plain = bare(written)
        grams = {plain[n : n + 3] for n in range(len(plain) - 2)}
        rows = self._db.execute(
            "select id, name, folded from street where folded = ?", (folded,)
        ).fetchall()
        if not rows and grams:
            query = " OR ".join('"' + gram.replace('"', "") + '"' for gram in sorted(grams))
            rows = self._db.execute(
                "select s.id, s.name, s.folded from street_fx f join street s on s.id = f.rowid"
                " where street_fx match ? order by bm25(street_fx) limit 40",
                (query,),
            ).fetchall()
        found = [_Street(row[0], row[1], _alike(written, row[1])) for row in rows]
        return sorted((s for s in found if s.alike >= 0.74), key=lambda s: -s.alike)[:5]

    def _door(self, street: _Street, number: str, address: Address) -> Match | None:
        rows = self._doors(street, "number = ?", number)
        sure = 0.97
        if not rows:  # a staircase letter the map does not know, or the map's letter left out
            plain = re.match(r"\d+", number)
            rows = self._doors(street, "digits = ?", int(plain[0]) if plain else -1)
            sure = 0.85
        if not rows:
            return self._between(street, number, address)
        scored = [(sure * _agrees(address, row[1], row[2]), row) for row in rows]
        top = max(score for score, _ in scored)
        equal = [row for score, row in scored if score == top]
        first = equal[0]
        here = Point(first[3], first[4])
        if any(_metres(here, Point(row[3], row[4])) > FAR_M for row in equal):
            top *= 0.55  # the same door in two towns, and nothing written tells which
        label = _label(street.name, first[0], first[2], first[1])
        return Match(here, label, "rooftop", round(top * _slip(street.alike), 2))

    def _doors(
        self, street: _Street, where: str, value: str | int
    ) -> list[tuple[str, str, str, float, float]]:
        return self._db.execute(
            f"select number, city, postcode, lat, lon from address where street = ? and {where}"  # noqa: S608  both clauses are ours
            " order by id",
            (street.id, value),
        ).fetchall()

    def _between(self, street: _Street, number: str, address: Address) -> Match | None:
        """A door guessed between its two known neighbours on the same side."""
        plain = re.match(r"\d+", number)
        wanted = int(plain[0]) if plain else 0
        rows = self._db.execute(
            "select digits, city, postcode, lat, lon from address where street = ?"
            " and digits % 2 = ? order by digits",
            (street.id, wanted % 2),
        ).fetchall()
        for low, high in pairwise(rows):
            a, b = Point(low[3], low[4]), Point(high[3], high[4])
            if low[0] < wanted < high[0] and _metres(a, b) < 400:
                share = (wanted - low[0]) / (high[0] - low[0])
                point = Point(a.lat + share * (b.lat - a.lat), a.lon + share * (b.lon - a.lon))
                sure = 0.7 * _agrees(address, low[1], low[2]) * _slip(street.alike)
                label = _label(street.name, number, low[2], low[1])
                return Match(point, label, "interpolated", round(sure, 2))
        return None

    def _along(self, street: _Street, address: Address) -> Match | None:
        """Somewhere on the street: its middle, in the town that agrees best."""
        rows = (
            self._db.execute(
                "select city, lat, lon from piece where street = ?", (street.id,)
            ).fetchall()
            or self._db.execute(
                "select city, lat, lon from address where street = ?", (street.id,)
            ).fetchall()
        )
        if not rows:
            return None
        scored = [(_agrees(address, row[0], ""), row) for row in rows]
        top = max(score for score, _ in scored)
        equal = [row for score, row in scored if score == top]
        city, lat, lon = equal[len(equal) // 2]
        here = Point(lat, lon)
        spread = any(_metres(here, Point(row[1], row[2])) > 3 * FAR_M for row in equal)
        sure = 0.5 * top * _slip(street.alike) * (0.7 if spread else 1)
        return Match(here, _label(street.name, "", "", city), "street", round(sure, 2))

    def _postcode(self, address: Address) -> Match | None:
        if not address.postcode:
            return None
        lat, lon, n = self._db.execute(
            "select avg(lat), avg(lon), count(*) from address where postcode = ?",
            (address.postcode.strip(),),
        ).fetchone()
        label = f"{address.postcode} {address.city}".strip()
        return Match(Point(lat, lon), label, "postcode", 0.3) if n else None

    def _town(self, address: Address) -> Match | None:
        row = self._db.execute(
            "select name, lat, lon from town where folded = ? order by rank",
            (fold(address.city) or "-",),
        ).fetchone()
        return Match(Point(row[1], row[2]), row[0], "city", 0.2) if row else None


def _alike(a: str, b: str) -> float:
    """1 for the same name, less the more letters differ."""
    if fold(a) == fold(b):
        return 1.0
    # Whole words and shortened ones: a slip inside "strasse" must not cost the whole ending.
    pairs = ((bare(a), bare(b)), (fold(a), fold(b)))
    return min(0.99, max(SequenceMatcher(None, *pair, autojunk=False).ratio() for pair in pairs))


def _slip(alike: float) -> float:
    """What a misspelling costs: one letter of twelve about 8 %, two letters twice that."""
    return 1.0 if alike == 1 else max(0.0, 1 - 1.5 * (1 - alike))


def _agrees(address: Address, city: str, postcode: str) -> float:
    """1 when town and postcode fit or are not known; less for each that contradicts."""
    score = 1.0
    wanted = address.postcode.replace(" ", "").casefold()
    known = postcode.replace(" ", "").casefold()
    if wanted and known:
        score *= 1.0 if wanted == known else 0.6
    if address.city and city and fold(address.city) != fold(city):
        same_postcode = bool(wanted) and wanted == known
        score *= 0.95 if same_postcode else 0.5
    return score


def _label(street: str, number: str, postcode: str, city: str) -> str:
    road = f"{street} {number}".strip()
    return ", ".join(part for part in (road, f"{postcode} {city}".strip()) if part)


def _metres(a: Point, b: Point) -> float:
    """Distance over a few kilometres, where the Earth is flat enough."""
    dx = (a.lon - b.lon) * cos(radians((a.lat + b.lat) / 2))
    return hypot(dx, a.lat - b.lat) * 111_320
