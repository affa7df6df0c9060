"""Xero, as a place orders come from and as the books that hear how they fared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from connectors.xero.client import Identity, XeroClient
from connectors.xero.limits import Allowance
from connectors.xero.mapping import Record, text
from connectors.xero.reading import Orders
from connectors.xero.settings import WAYS, XeroSettings
from connectors.xero.sink import Books
from connectors.xero.tokens import SIGN_IN, Access, Given, kept_from
from connectors.xero.webhooks import to_do, verified
from hub import (
    AcceptsWebhooks,
    AuthError,
    Candidate,
    ConfigError,
    ConnectsByOAuth,
    DeliveryRecord,
    HubError,
    IncomingOrder,
    Option,
    OrderPage,
    OrderSource,
    RecordSink,
    RetryLater,
    WebhookRequest,
)


class Xero(OrderSource, RecordSink, AcceptsWebhooks, ConnectsByOAuth):
    key = "xero"
    title = "Xero"
    Settings = XeroSettings
    ways = WAYS
    reads = (
        "Sales invoices (or quotes) that you choose, with names, addresses, phones and amounts due;"
        " for other orders, the invoice that belongs to each."
    )
    writes = (
        "One line in the history of the invoice and the proof of delivery among its files; the mark"
        " Sent if you ask for it. Amounts and lines are never touched, and nothing is mailed."
    )

    settings: XeroSettings

    def pages(self, cursor: str | None) -> Iterator[OrderPage]:
        if self.settings.reads != "nothing":
            yield from self._orders.pages(cursor)

    def one(self, ref: str) -> IncomingOrder | None:
        return self._orders.one(ref)

    def find(self, order: IncomingOrder) -> Sequence[Candidate]:
        return Books(self._writing, self.settings).find(order)

    def rule(self, order: IncomingOrder) -> str:
        return Books(self._writing, self.settings).rule(order)

    def numbered(self, number: str) -> Sequence[Candidate]:
        return Books(self._writing, self.settings).numbered(number)

    def record(self, record: DeliveryRecord) -> str:
        return Books(self._writing, self.settings).record(record)

    def subscribe(self, url: str) -> str:
        """Nothing is left to do once the key is here: Xero shows it only for a saved address."""
        return "" if self.settings.webhook_key.get_secret_value() else to_do()

    def unsubscribe(self) -> None:
        """The webhook is the app's, for all its organisations: a person removes it at Xero."""

    def verify(self, request: WebhookRequest) -> str | None:
        key = self.settings.webhook_key.get_secret_value()
        return verified(request, key, self.settings.tenant_id)

    def check(self) -> None:
        """Prove the token, and the permissions once the organisation is chosen."""
        if self.settings.way == "app" and not self.settings.tenant_id:
            self._connected()
        else:
            self._writing.organisation()

    def identity(self) -> str:
        """The organisation's id; of several that a sign-in reaches, once one is chosen."""
        if self.settings.tenant_id:
            return self.settings.tenant_id
        if self.settings.way == "custom":
            return text(self._writing.organisation(), "OrganisationID")
        there = self._connected()
        return text(there[0], "tenantId") if len(there) == 1 else ""

    def choices(self) -> Mapping[str, Sequence[Option]]:
        if self.settings.way == "custom":
            only = self._writing.organisation()
            return {"tenant_id": [Option(text(only, "OrganisationID"), text(only, "Name"))]}
        return {
            "tenant_id": [
                Option(text(one, "tenantId"), text(one, "tenantName")) for one in self._connected()
            ]
        }

    def authorize_url(self, state: str, redirect: str) -> str:
        return self._identity.authorize_url(state, redirect, self.settings.scopes)

    def exchange(self, query: Mapping[str, str], redirect: str) -> Mapping[str, str]:
        code = query.get("code")
        if not code:
            refused = query.get("error") == "access_denied"
            raise AuthError(
                "You did not allow the hub to use Xero. Connect again when you want to."
                if refused
                else "Xero sent no sign-in. Connect again; if that fails, look at the scopes."
            )
        answer = self._identity.tokens(
            grant_type="authorization_code", code=code, redirect_uri=redirect
        )
        return kept_from(answer, self.tools.now(), {})

    def refresh(self, tokens: Mapping[str, str]) -> Mapping[str, str]:
        if self.settings.way == "custom":
            answer = self._identity.tokens(grant_type="client_credentials")
            return kept_from(answer, self.tools.now(), {})
        if not tokens.get("refresh_token"):
            raise AuthError(SIGN_IN)
        answer = self._identity.tokens(
            grant_type="refresh_token", refresh_token=tokens["refresh_token"]
        )
        return kept_from(answer, self.tools.now(), tokens)

    def revoke(self, tokens: Mapping[str, str]) -> None:
        """Take the organisation from the app. Others that the same person connected stay."""
        if self.settings.way == "custom":
            return  # the organisation's owner ends it at Xero
        access = Access(replace(self.tools, tokens=Given(tokens)), self.refresh)
        client = XeroClient(self.tools, access, "", self._allowance, writes=True)
        try:
            there = client.organisations()
            chosen = self.settings.tenant_id or (
                text(there[0], "tenantId") if len(there) == 1 else ""
            )
            for one in there:
                if text(one, "tenantId") == chosen:
                    client.disconnect(text(one, "id"))
        except RetryLater:
            raise
        except HubError:
            return  # it forgot us already

    def left_there(self) -> str:
        mine = self.settings
        if mine.way == "custom":
            return "The custom connection stays until you end it at developer.xero.com."
        if mine.webhook_key.get_secret_value():
            return "Xero still calls the hub until you remove the webhook at developer.xero.com."
        return ""

    def _connected(self) -> list[Record]:
        found = self._client_for("", writes=True).organisations()
        if not found:
            raise AuthError(
                "This Xero sign-in reaches no organisation. Connect again and allow one."
            )
        return found

    @cached_property
    def _tenant_id(self) -> str:
        """The one chosen; before that the only one there is."""
        if self.settings.tenant_id or self.settings.way == "custom":
            return self.settings.tenant_id
        ids = [text(one, "tenantId") for one in self._connected()]
        if len(ids) > 1:
            raise ConfigError("Choose which Xero organisation this is.", field="tenant_id")
        return ids[0]

    @cached_property
    def _orders(self) -> Orders:
        client = self._client_for(self._tenant_id, writes=False)
        return Orders(client, self.settings, self.tools.now().date())

    @cached_property
    def _writing(self) -> XeroClient:
        return self._client_for(self._tenant_id, writes=True)

    def _client_for(self, tenant_id: str, *, writes: bool) -> XeroClient:
        return XeroClient(self.tools, self._access, tenant_id, self._allowance, writes=writes)

    @cached_property
    def _access(self) -> Access:
        return Access(self.tools, self.refresh)

    @cached_property
    def _allowance(self) -> Allowance:
        return Allowance()

    @cached_property
    def _identity(self) -> Identity:
        secret = self.settings.client_secret.get_secret_value()
        return Identity(self.tools, self.settings.client_id, secret)
