"""Shopify: what is to be delivered comes in, and the shop hears how it fared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from connectors.shopify import queries, webhooks
from connectors.shopify.answers import PROTECTED, ProtectedData, refuse_user_errors
from connectors.shopify.client import Client, Door, missing
from connectors.shopify.mapping import to_order
from connectors.shopify.progress import TOLD
from connectors.shopify.reading import Reader
from connectors.shopify.settings import WAYS, ShopifySettings, names
from connectors.shopify.telling import Teller
from connectors.shopify.tokens import Access, Given, Kept, Pasted, Renewed, kept_from
from connectors.shopify.units import (
    METHODS,
    Terms,
    Unit,
    fate,
    is_redacted,
    names_anybody,
    number_of,
)
from hub import (
    AcceptsWebhooks,
    AuthError,
    ConfigError,
    ConnectsByOAuth,
    IncomingOrder,
    Option,
    OrderPage,
    OrderProgress,
    OrderSource,
    WebhookRequest,
    WritesBack,
)


class Shopify(OrderSource, WritesBack, AcceptsWebhooks, ConnectsByOAuth):
    key = "shopify"
    title = "Shopify"
    Settings = ShopifySettings
    ways = WAYS
    reads = (
        "Open orders for local delivery or shipping, with names, addresses, phones and what is left"
        " to send."
    )
    writes = (
        "Marks orders as fulfilled with the tracking link, and says on its way, delivered or not."
        " Prices and stock are never touched."
    )
    settings: ShopifySettings

    def check(self) -> None:
        self._require("client_id", "client_secret", unless="token")
        told = self._client.ask(queries.SHOP)
        if told["shop"]["myshopifyDomain"] != self.settings.shop:
            raise ConfigError(f"This is the key of another shop than {self.settings.shop}.")
        granted = [scope["handle"] for scope in told["currentAppInstallation"]["accessScopes"]]
        if lacking := missing(self.settings.scopes, granted):
            raise ConfigError(
                f"The app lacks the scopes {', '.join(lacking)}. Add them to the app, install it"
                " again, and check once more.",
                field="way",
            )
        if self._client.fell_forward:
            raise ConfigError(self._client.fell_forward, field="api_version")
        first, _ = next(self._reader.walk(None), ([], ""))
        self._refuse_redacted(first)

    def identity(self) -> str:
        return self.settings.shop

    def choices(self) -> Mapping[str, Sequence[Option]]:
        found, after = [], None
        while True:
            page = self._client.ask(queries.LOCATIONS, after=after)["locations"]
            found += [Option(number_of(one["id"]), one["name"]) for one in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                return {"location": found}
            after = page["pageInfo"]["endCursor"]

    def pages(self, cursor: str | None) -> Iterator[OrderPage]:
        """What is open first, then whatever changes, also for the worse."""
        for units, place in self._reader.walk(cursor):
            self._refuse_redacted(units)
            yield self._page(units, place)

    def one(self, ref: str) -> IncomingOrder | None:
        unit = self._reader.one(ref)
        return None if unit is None else to_order(unit, self._terms)

    def write_back(self, update: OrderProgress) -> None:
        if self.settings.write_back and update.stage in TOLD:
            mine = self.settings
            Teller(
                self._client, mine.company, mine.fulfil_at, mine.notify_customer, mine.tag_orders
            ).tell(update)

    def subscribe(self, url: str) -> str:
        if not self._secret:
            return (
                "To be called by Shopify, enter the app's client secret in the connection: its"
                " calls are told by it. Until then the hub looks every 5 minutes."
            )
        try:
            webhooks.subscribe(self._client, url, self.tools.webhook_secret)
        except ProtectedData:
            return PROTECTED
        return self._client.fell_forward

    def unsubscribe(self) -> None:
        webhooks.unsubscribe(self._client, self.tools.webhook_secret)

    def verify(self, request: WebhookRequest) -> str | None:
        return webhooks.call_id(request, self._secret, self.settings.shop)

    def authorize_url(self, state: str, redirect: str) -> str:
        self._require("client_id", "client_secret")
        return self._door.authorize_url(state, redirect, self.settings.scopes)

    def exchange(self, query: Mapping[str, str], redirect: str) -> Kept:
        code = self._door.code(query)
        # An app that must have tokens that expire gets those; one that need not may get others.
        return kept_from(self._door.grant(code=code, expiring="1"), self.tools.now())

    def refresh(self, tokens: Kept) -> Kept:
        if not (refresh := tokens.get("refresh_token")):
            raise AuthError(f"The app has to be approved at {self.settings.shop} again.")
        answer = self._door.grant(grant_type="refresh_token", refresh_token=refresh)
        return {"refresh_token": refresh, **kept_from(answer, self.tools.now())}

    def revoke(self, tokens: Kept) -> None:
        """Uninstalls the app, by which Shopify forgets its tokens and webhooks."""
        if self.settings.way == "oauth" and tokens.get("access_token"):
            try:
                told = self._client_with(Given(tokens)).ask(queries.UNINSTALL)
            except AuthError:
                return  # it has forgotten us already
            refuse_user_errors(told["appUninstall"], "uninstall the app")

    def left_there(self) -> str:
        if self.settings.way == "oauth":
            return ""
        return (
            f"The app is still installed in {self.settings.shop}. If nothing else needs it,"
            " uninstall it in Shopify under Settings → Apps."
        )

    def _page(self, units: Sequence[Unit], cursor: str) -> OrderPage:
        records = [
            {"ref": unit.ref, "number": unit.number, "unit": unit}
            for unit in units
            if fate(unit, self._terms) != "silent"
        ]
        return OrderPage.read(
            records,
            lambda record: to_order(record["unit"], self._terms),
            ref="ref",
            cursor=cursor,
            number="number",
        )

    def _refuse_redacted(self, units: Sequence[Unit]) -> None:
        """Orders without any name or street are no bad records if the app may see none at all."""
        wanted = [unit for unit in units if fate(unit, self._terms) == "open"]
        if wanted and all(is_redacted(unit) for unit in wanted):
            if not names_anybody(self._client.ask(queries.PEOPLE)["orders"]["nodes"]):
                raise ProtectedData

    def _require(self, *fields: str, unless: str = "") -> None:
        for name in fields if self.settings.way != unless else ():
            value = getattr(self.settings, name)
            if not (value if isinstance(value, str) else value.get_secret_value()):
                title = type(self.settings).model_fields[name].title
                raise ConfigError(f"Enter the {str(title).lower()}.", field=name)

    @cached_property
    def _terms(self) -> Terms:
        mine = self.settings
        return Terms(
            methods=frozenset(METHODS.values() if mine.methods == "both" else [mine.methods]),
            location=mine.location,
            only_tag=mine.only_tag,
            keeps_fulfilled=mine.fulfilled_elsewhere == "keep",
            date_keys=names(mine.date_keys),
            time_keys=names(mine.time_keys),
            month_first=mine.date_order == "month_first",
            collects=mine.collect_outstanding,
            points=mine.shops_points,
        )

    @cached_property
    def _reader(self) -> Reader:
        """First what is open, and narrowed down as far as Shopify's search can."""
        mine = self.settings
        search = ["status:open", "-fulfillment_status:fulfilled"]
        if mine.methods == "local":  # what has no method is shipped, and not found by it
            search.append("delivery_method:local")
        return Reader(self._client, " ".join(search))

    @cached_property
    def _client(self) -> Client:
        return self._client_with(self._access)

    def _client_with(self, access: Access) -> Client:
        return Client(self.tools, self.settings.shop, self.settings.api_version, access)

    @cached_property
    def _access(self) -> Access:
        match self.settings.way:
            case "token":
                return Pasted(self.settings.token.get_secret_value())
            case "own":
                return Renewed(self.tools, self._new_token, first=True)
        return Renewed(self.tools, self.refresh, first=False)

    def _new_token(self, _: Kept) -> Kept:
        """For a day; there is nothing to refresh it by, so it is asked for again."""
        return kept_from(self._door.grant(grant_type="client_credentials"), self.tools.now())

    @cached_property
    def _door(self) -> Door:
        return Door(self.tools, self.settings.shop, self.settings.client_id, self._secret)

    @property
    def _secret(self) -> str:
        return self.settings.client_secret.get_secret_value()
