"""What goods weigh: WooCommerce says it of products, not on orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import batched

from connectors.woocommerce.answers import Fault, Json
from connectors.woocommerce.client import PER_PAGE, Client
from connectors.woocommerce.mapping import Goods, Piece, pieces
from hub import ConfigError

GRAMS = {"kg": Decimal(1000), "g": Decimal(1), "lbs": Decimal("453.59237"), "oz": Decimal("28.35")}
CENTIMETRES = {
    "m": Decimal(100),
    "cm": Decimal(1),
    "mm": Decimal("0.1"),
    "in": Decimal("2.54"),
    "yd": Decimal("91.44"),
}


class Catalogue:
    """Asks for each product once in a run, many by one request."""

    def __init__(self, client: Client, weight_unit: str) -> None:
        self._client = client
        self._weight_unit = weight_unit
        self._units: tuple[Decimal, Decimal] | None = None  # grams and centimetres; None: not asked
        self._known: dict[Piece, Goods] = {}

    def of(self, orders: Iterable[Json]) -> Mapping[Piece, Goods]:
        """Goods for all pieces on ``orders``; nothing is known of what was deleted since."""
        new = {piece for order in orders for piece in pieces(order)} - self._known.keys()
        self._ask(new)
        return self._known

    def _ask(self, new: set[Piece]) -> None:
        products = {(product, 0) for product, _ in new} - self._known.keys()
        for ids in batched(sorted(product for product, _ in products), PER_PAGE):
            self._keep(0, ids, self._client.products(ids))
        variations = defaultdict(list)
        for product, variation in sorted(new):
            if variation:
                variations[product].append(variation)
        for product, some in variations.items():
            for ids in batched(some, PER_PAGE):
                self._keep(product, ids, self._client.products(ids, of=product))

    def _keep(self, product: int, ids: Sequence[int], rows: Sequence[Json]) -> None:
        found = {row["id"]: row for row in rows if "id" in row}
        for number in ids:
            row, parent = found.get(number), self._known.get((product, 0))
            piece = (product, number) if product else (number, 0)
            self._known[piece] = Goods() if row is None else self._goods(row, parent)

    def _goods(self, row: Json, parent: Goods | None) -> Goods:
        """A variation without a weight or a size of its own has its product's."""
        weight = _decimal(row.get("weight"))
        sides = list(_sides(row))
        grams, centimetres = self._unit_sizes() if weight or all(sides) else (Decimal(), Decimal())
        volume = sides[0] * sides[1] * sides[2] * centimetres**3
        return Goods(
            round(weight * grams) or (parent.weight_g if parent else 0),
            round(volume) or (parent.volume_cm3 if parent else 0),
            bool(row.get("virtual")),
        )

    def _unit_sizes(self) -> tuple[Decimal, Decimal]:
        if self._units is None:
            said = self._units_in_store()
            weight = self._weight_unit
            if weight == "store":
                weight = said.get("woocommerce_weight_unit", "")
            if weight not in GRAMS:
                raise ConfigError(
                    f"{self._client.host} does not tell these keys whether it weighs in kg or in "
                    "something else. Choose the unit of weights here.",
                    field="weight_unit",
                )
            size = CENTIMETRES.get(said.get("woocommerce_dimension_unit", ""), Decimal())
            self._units = GRAMS[weight], size
        return self._units

    def _units_in_store(self) -> Mapping[str, str]:
        """Empty when these keys may not see them."""
        try:
            rows = self._client.product_settings()
        except Fault:
            return {}
        return {str(row.get("id")): str(row.get("value")) for row in rows}


def _sides(row: Json) -> Iterator[Decimal]:
    sizes = row.get("dimensions")
    for side in ("length", "width", "height"):
        yield _decimal(sizes.get(side)) if isinstance(sizes, dict) else Decimal()


def _decimal(text: object) -> Decimal:
    """What a shop typed; 0 for nothing and for what is no amount."""
    try:
        amount = Decimal(str(text or 0).replace(",", "."))
    except InvalidOperation:
        return Decimal()
    return amount if amount.is_finite() and amount > 0 else Decimal()
