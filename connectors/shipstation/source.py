"""ShipStation as an order source: what is to be shipped becomes a delivery, and is told so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from connectors.shipstation import mapping_v1, mapping_v2, reading, reporting, webhooks
from connectors.shipstation.client import Api, Record
from connectors.shipstation.settings import WAYS, ShipStationSettings
from connectors.shipstation.v1 import V1
from connectors.shipstation.v2 import V2
from hub import (
    AcceptsWebhooks,
    AuthError,
    ConfigError,
    HubError,
    IncomingOrder,
    Option,
    OrderPage,
    OrderProgress,
    OrderSource,
    WebhookRequest,
    WritesBack,
)


class ShipStation(OrderSource, WritesBack, AcceptsWebhooks):
    key = "shipstation"
    title = "ShipStation"
    Settings = ShipStationSettings
    ways = WAYS
    reads = "Orders that wait for shipment, with names, addresses, phones, items and tags."
    writes = (
        "Tags orders (on its way, delivered, not delivered), marks them as shipped when you say,"
        " and has itself called when something changes. Addresses and items are never touched."
    )
    settings: ShipStationSettings

    def pages(self, cursor: str | None) -> Iterator[OrderPage]:
        yield from reading.pages(self._api(), self.settings.store, cursor, self.tools.now())

    def one(self, ref: str) -> IncomingOrder | None:
        api = self._api()
        record = api.one(ref)
        return None if record is None else api.order(record)

    def check(self) -> None:
        api = self._api()
        try:
            api.prove()
        except AuthError as error:
            raise self._mixed_up() or error from None
        reporting.require_tags(api, self.settings)

    def identity(self) -> str:
        """By its key, which opens the whole account: ShipStation tells no number of that."""
        mine = self.settings
        key = (mine.v2_key if mine.way == "v2" else mine.v1_key).get_secret_value().strip()
        return f"key {sha256(key.encode()).hexdigest()[:32]}" if key else ""

    def choices(self) -> Mapping[str, Sequence[Option]]:
        api = self._api()
        return {
            "store": [Option("", "All stores"), *api.stores()],
            "tag": [Option("", "All orders"), *(Option(tag, tag) for tag in api.tags())],
        }

    def write_back(self, update: OrderProgress) -> None:
        reporting.tell(self._api(), self.settings, update)

    def subscribe(self, url: str) -> str:
        webhooks.keep(self._api(), url)
        return ""

    def unsubscribe(self) -> None:
        webhooks.drop(self._api())

    def verify(self, request: WebhookRequest) -> str | None:
        secret = self.tools.webhook_secret
        if self.settings.way == "v1":
            return webhooks.verify_v1(request, secret)
        return webhooks.verify_v2(request, secret, self.tools)

    def left_there(self) -> str:
        return (
            "Its API key still opens ShipStation. If nothing else uses it, replace it there under"
            " Settings → Account → API Settings."
        )

    def _api(self) -> Api:
        settings = self.settings
        names = ("v2_key",) if settings.way == "v2" else ("v1_key", "v1_secret")
        secrets = [getattr(settings, name).get_secret_value().strip() for name in names]
        for name, secret in zip(names, secrets, strict=True):
            if not secret:
                raise ConfigError("This is needed to connect to ShipStation.", field=name)
        if settings.way == "v2":
            return V2(secrets[0], self.tools, self._from_v2)
        return V1(secrets[0], secrets[1], self.tools, self._from_v1)

    def _from_v2(self, record: Record) -> IncomingOrder:
        return mapping_v2.to_order(
            record,
            due=self.settings.due,
            tag=self.settings.tag,
            own=set(self.settings.own_tags().values()),
            now=self.tools.now(),
        )

    def _from_v1(self, record: Record, names: Mapping[int, str]) -> IncomingOrder:
        return mapping_v1.to_order(
            record,
            due=self.settings.due,
            tag=self.settings.tag,
            own=set(self.settings.own_tags().values()),
            now=self.tools.now(),
            names=names,
            currency=self.settings.currency,
        )

    def _mixed_up(self) -> AuthError | None:
        """What to say when a refused key is one of the other interface; ``None`` if it is not."""
        if self.settings.way == "v2":
            key = self.settings.v2_key.get_secret_value().strip()
            # V1's keys are 32 hexadecimal digits. Not documented, so only said of a refused key.
            if not re.fullmatch(r"[0-9a-f]{32}(:[0-9a-f]{32})?", key):
                return None
            return AuthError(
                "This looks like a key of ShipStation's V1 interface. Choose “API key and secret"
                " (V1)”, or create a V2 key.",
                field="way",
            )
        try:
            V2(self.settings.v1_key.get_secret_value(), self.tools, self._from_v2).prove()
        except HubError:
            return None
        return AuthError(
            "This is a key of ShipStation's V2 interface. Choose “API key (V2)”: it needs no"
            " secret.",
            field="way",
        )
