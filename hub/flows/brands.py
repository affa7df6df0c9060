"""Which of a business's brands something is of, and under which address its pages stand.

An order may name its brand; else its connection does; else it is the business's usual one. A
name is looked up among the brands of that business alone, so nobody can wear another's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.branding import slug_of, words_for
from hub.db.tables import BrandDomainRow, BrandRow, BusinessRow, ConnectionRow, OrderRow

if TYPE_CHECKING:
    from hub.app import Hub


def brands_of(session: Session, business_id: str) -> list[BrandRow]:
    """The usual one first, then by name."""
    rows = session.exec(
        select(BrandRow)
        .where(BrandRow.business_id == business_id)
        .order_by(col(BrandRow.is_usual).desc(), col(BrandRow.name), col(BrandRow.slug))
    )
    return list(rows)


class Brands:
    """A business's brands, read once for all the orders that one reader shows or tells of."""

    def __init__(self, session: Session, business_id: str) -> None:
        self.rows = brands_of(session, business_id) or [_plain(session, business_id)]
        self._by_connection = _by_connection(session, business_id) if len(self.rows) > 1 else {}
        self._hosts = _hosts(session, business_id)

    @property
    def usual(self) -> BrandRow:
        """The brand of whatever names none."""
        return self.rows[0]

    def of(self, order: OrderRow) -> BrandRow:
        """The brand that this order's customer sees."""
        if len(self.rows) < 2:
            return self.usual
        told = named(self.rows, str(order.report.get("brand", "")))
        by_source = self._by_connection.get(order.connection_id, "")
        return told or named(self.rows, by_source) or self.usual

    def address(self, hub: Hub, brand: BrandRow) -> str:
        """Where its pages stand: its own domain once that is proven, else the hub's."""
        host = self._hosts.get(brand.id)
        return f"https://{host}" if host else hub.settings.public_url

    def link(self, hub: Hub, order: OrderRow, epoch: int) -> str:
        """The tracking link of ``order``, under its brand's address."""
        return f"{self.address(hub, self.of(order))}/t/{hub.keys.link_token(order.id, epoch)}"


def usual(session: Session, business_id: str) -> BrandRow:
    """The brand of whatever names none; a plain one in the business's name if it has none."""
    return Brands(session, business_id).usual


def of_order(session: Session, order: OrderRow) -> BrandRow:
    """The brand that this order's customer sees."""
    return Brands(session, order.business_id).of(order)


def link_of(hub: Hub, session: Session, order: OrderRow, epoch: int) -> str:
    """The tracking link of ``order``, under its brand's address."""
    return Brands(session, order.business_id).link(hub, order, epoch)


def texts_of(brand: BrandRow, own_language: str, language: str) -> dict[str, str]:
    """The brand's words for a reader of ``language``; ``own_language``: the business's."""
    return words_for(language, brand.texts, own_language, brand.texts_in)


def known_names(brands: Iterable[BrandRow]) -> frozenset[str]:
    """What ``named`` knows them by, as short names; nothing for one brand, which needs none."""
    rows = list(brands)
    if len(rows) < 2:
        return frozenset()
    return frozenset(name for row in rows for name in (row.slug, slug_of(row.name)))


def named(brands: Iterable[BrandRow], name: str) -> BrandRow | None:
    """The brand that a source calls ``name``: its short name, or its name in any case."""
    if not name.strip():
        return None
    known, wanted = list(brands), slug_of(name)
    by_name = next((row for row in known if slug_of(row.name) == wanted), None)
    return next((row for row in known if row.slug == wanted), by_name)


def _by_connection(session: Session, business_id: str) -> dict[str, str]:
    query = select(ConnectionRow.id, ConnectionRow.brand).where(
        ConnectionRow.business_id == business_id
    )
    return {id_: brand for id_, brand in session.exec(query)}


def _hosts(session: Session, business_id: str) -> dict[str, str]:
    """By brand, the domain that its links name now."""
    query = select(BrandDomainRow.brand_id, BrandDomainRow.proven_host).where(
        BrandDomainRow.business_id == business_id,
        col(BrandDomainRow.proven_host).is_not(None),
        BrandDomainRow.state != "broken",
    )
    return {brand_id: host for brand_id, host in session.exec(query) if host}


def _plain(session: Session, business_id: str) -> BrandRow:
    name = session.get_one(BusinessRow, business_id).name
    return BrandRow(business_id=business_id, name=name)
