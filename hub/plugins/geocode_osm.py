"""Addresses found in the map the hub built: no key, no outside service."""

from __future__ import annotations

from contextlib import closing

from hub import Address, Geocoder, Match, Point
from hub.maps.search import AddressSearch


class OsmGeocoder(Geocoder):
    key = "osm"
    title = "Addresses of the built map (OpenStreetMap)"

    def locate(self, address: Address) -> Match | None:
        """The best match; ``None`` also while no map is built."""
        book = self._book()
        if book is None:
            return None
        with closing(book):
            return book.locate(address)

    def reverse(self, point: Point) -> Match | None:
        book = self._book()
        if book is None:
            return None
        with closing(book):
            return book.reverse(point)

    def _book(self) -> AddressSearch | None:
        path = (self.tools.data_dir / "map" / "current" / "addresses.db").resolve()
        return AddressSearch(path) if path.exists() else None
