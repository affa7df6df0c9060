"""The REST API of one store: its addresses, and how requests to it are signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from woocommerce.oauth import OAuth  # type: ignore[import-untyped]

from connectors.woocommerce.answers import (
    NO_ROUTE,
    Fault,
    Json,
    clock,
    meaning,
    number,
    rows,
    thing,
    understood,
)
from hub import ConfigError, Tools, Unavailable

PER_PAGE = 100  # the most there is; above it 400 rest_invalid_param (schema-orders, 2026-11-22)
Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    rows: Sequence[Json]
    more: bool
    total: int
    at: datetime | None  # by the store's clock; None: it did not say


@dataclass(frozen=True, slots=True)
class Client:
    """``ask`` and what is built on it raise ``Fault`` for a no, where the caller may know what it
    means there; all others raise the hub's errors."""

    tools: Tools
    url: str
    keys: tuple[str, str] = field(default=("", ""), repr=False)
    in_query: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def index(self) -> Json:
        """What WordPress tells everybody: ``namespaces``, ``timezone_string``, ``gmt_offset``.

        Asked without keys, which WordPress itself would take for a user's and refuse.
        Raises ``Fault``.
        """
        reply = self._send("GET", f"{self.url}/wp-json/", {}, signed=False)
        return thing(understood(reply, self.host), self.host)

    def index_behind_plain_links(self) -> Json:
        """The same where plain permalinks hide it. Raises ``Fault``."""
        reply = self._send("GET", f"{self.url}/", {"rest_route": "/"}, signed=False)
        return thing(understood(reply, self.host), self.host)

    def orders(self, query: Query) -> Listed:
        reply = self._api("GET", "orders", {"per_page": str(PER_PAGE), **query})
        try:
            found = rows(understood(reply, self.host), self.host)
        except Fault as fault:
            raise meaning(fault, self.host, "statuses") from None
        total, pages = number(reply, "X-WP-Total"), number(reply, "X-WP-TotalPages")
        # Some hosts give fewer than asked for, so the number of pages says it better. The Link
        # header would, too, but it repeats the signature (measured 2026-11-22): it is never read.
        page = int(query.get("page", "1"))
        more = pages > page if pages is not None else len(found) >= PER_PAGE
        return Listed(found, more, len(found) if total is None else total, clock(reply))

    def first_order(self) -> None:
        """Ask for one order, to see whether it is given. Raises ``Fault``."""
        self.ask("GET", "orders", {"per_page": "1", "_fields": "id"})

    def order(self, ref: str) -> Json | None:
        """``None``: there is no such order (any more)."""
        if not (ref.isascii() and ref.isdecimal()):
            return None
        try:
            return thing(self.ask("GET", f"orders/{ref}"), self.host)
        except Fault as fault:
            if fault.status == 404 and fault.code != NO_ROUTE:
                return None
            raise meaning(fault, self.host) from None

    def change(self, ref: str, what: Json, field: str) -> None:
        self._do("PUT", f"orders/{ref}", body=what, field=field)

    def change_nothing(self) -> None:
        """A change of no orders, which only keys that may write can make. Raises ``Fault``."""
        self.ask("POST", "orders/batch", body={"update": []})

    def notes(self, ref: str) -> Sequence[Json]:
        return rows(self._do("GET", f"orders/{ref}/notes"), self.host)

    def add_note(self, ref: str, text: str, *, to_customer: bool) -> None:
        self._do("POST", f"orders/{ref}/notes", body={"note": text, "customer_note": to_customer})

    def statuses(self) -> Sequence[Json]:
        """Raises ``Fault``: older stores have no such list."""
        return rows(self.ask("GET", "orders/statuses"), self.host)

    def products(self, ids: Sequence[int], *, of: int = 0) -> Sequence[Json]:
        """Products, or variations ``of`` one; those that were deleted are left out."""
        query = {
            "include": ",".join(map(str, ids)),
            "per_page": str(PER_PAGE),
            "_fields": "id,weight,dimensions,virtual",
        }
        path = f"products/{of}/variations" if of else "products"
        return rows(self._do("GET", path, query), self.host)

    def product_settings(self) -> Sequence[Json]:
        """Raises ``Fault``: not every key may see them."""
        return rows(self.ask("GET", "settings/products", {"_fields": "id,value"}), self.host)

    def webhooks(self) -> Sequence[Json]:
        """All of them, oldest first. Raises ``Fault``, as do the next three."""
        found: list[Json] = []
        order = {"orderby": "id", "order": "asc", "per_page": str(PER_PAGE)}
        while len(found) % PER_PAGE == 0:
            query = {**order, "page": str(len(found) // PER_PAGE + 1)}
            page = rows(self.ask("GET", "webhooks", query), self.host)
            found += page
            if not page:
                break
        return found

    def add_webhook(self, name: str, topic: str, url: str, secret: str) -> None:
        body = {"name": name, "topic": topic, "delivery_url": url, "secret": secret}
        self.ask("POST", "webhooks", body={**body, "status": "active"})

    def wake_webhook(self, webhook_id: int, secret: str) -> None:
        self.ask("PUT", f"webhooks/{webhook_id}", body={"status": "active", "secret": secret})

    def drop_webhook(self, webhook_id: int) -> None:
        """No error when it is gone."""
        try:
            # Without `force` it answers 501: webhooks have no trash (its controller, 2026-11).
            self.ask("DELETE", f"webhooks/{webhook_id}", {"force": "true"})
        except Fault as fault:
            if fault.status != 404:
                raise

    def ask(self, method: str, path: str, query: Query | None = None, body: Any = None) -> Any:
        return understood(self._api(method, path, query, body), self.host)

    def _do(
        self, method: str, path: str, query: Query | None = None, body: Any = None, field: str = ""
    ) -> Any:
        try:
            return self.ask(method, path, query, body)
        except Fault as fault:
            raise meaning(fault, self.host, field) from None

    def _api(
        self, method: str, path: str, query: Query | None = None, body: Any = None
    ) -> requests.Response:
        return self._send(method, f"{self.url}/wp-json/wc/v3/{path}", query or {}, body)

    def _send(
        self, method: str, url: str, query: Query, body: Any = None, *, signed: bool = True
    ) -> requests.Response:
        """``woocommerce.API`` sends by itself, without the hub's guard against private addresses,
        so of the package only the signature is used. Which of three ways to sign is taken as it
        does (3.0.0, api.py); Basic over plain http is answered 401 (measured 2026-11-22).
        """
        params, auth = dict(query), None
        if signed and self.url.startswith("http://"):
            key, secret = self.keys
            unsigned = f"{url}?{urlencode(params)}" if params else url
            url = OAuth(unsigned, key, secret, version="wc/v3", method=method).get_oauth_url()
            params = {}
        elif signed and self.in_query:
            params["consumer_key"], params["consumer_secret"] = self.keys
        elif signed:
            auth = self.keys
        try:
            # A redirect would lose the signature and make a GET of a POST: it is not followed.
            reply = self.tools.http.request(
                method,
                url,
                params=params,
                json=body,
                auth=auth,
                headers={"User-Agent": "LastMileHub", "Accept": "application/json"},
                allow_redirects=False,
            )
        except requests.exceptions.SSLError:
            raise ConfigError(
                f"{self.host} has no certificate that can be trusted. Ask your host to renew it.",
                field="url",
            ) from None
        except requests.RequestException as error:  # its text holds the address with its keys
            why = self.tools.http.why(error)
            raise Unavailable(f"{self.host} gave no usable answer: {why}.") from None
        if reply.is_redirect:
            there = urlsplit(reply.headers["Location"])
            named = f"{there.scheme}://{there.netloc}" if there.netloc else "another address"
            raise ConfigError(
                f"{self.host} sends callers on to {named}. Enter the address that your store "
                "really has.",
                field="url",
            )
        return reply
