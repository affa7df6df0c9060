"""Shopify's addresses and its SDK, known to this module alone.

``ShopifyAPI`` builds the address where an owner approves, tells genuine answers from forged ones,
tidies shop domains and knows which scopes imply which. It never sends: its sessions belong to
the class, so one shop's token can turn up in another's call, and it knows no time-outs
(ShopifyAPI 12.7.0, read and run 2026-11). All of it goes by ``tools.http``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import requests
from shopify import ApiAccess, ApiVersion, Session  # type: ignore[import-untyped]
from shopify.utils.shop_url import sanitize_shop_domain  # type: ignore[import-untyped]

from connectors.shopify.answers import Json, body_of, data, demand
from connectors.shopify.tokens import RECONNECT, Access
from hub import AuthError, Tools, Unavailable

DAY = timedelta(days=1)


def shop_domain(text: str) -> str:
    """``husk`` or its address as ``husk.myshopify.com``; empty for anything that is no shop."""
    return str(sanitize_shop_domain(text.rstrip("/")) or "")


def missing(asked: Iterable[str], granted: Iterable[str]) -> list[str]:
    """What was asked for and not granted; a right to write is one to read as well."""
    there = ApiAccess(list(granted))
    return [
        scope
        for scope in asked
        if not any(there.covers(ApiAccess([one])) for one in (scope, *_instead(scope)))
    ]


class Door:
    """Getting in: where to approve, whether the answer is genuine, what token comes of it."""

    def __init__(self, tools: Tools, shop: str, client_id: str, secret: str) -> None:
        self._tools = tools
        self._shop = shop
        self._id = client_id
        self._secret = secret
        # Key and secret lie on the class; a class of our own shares them with nobody.
        self._session: Any = type("One", (Session,), {"api_key": client_id, "secret": secret})

    def authorize_url(self, state: str, redirect: str, scopes: Iterable[str]) -> str:
        session = self._session(self._shop, "unstable")
        return str(session.create_permission_url(list(scopes), redirect, state))

    def code(self, query: Mapping[str, str]) -> str:
        """Raises ``AuthError`` for an answer that is forged, old, or of another shop."""
        genuine = "hmac" in query and self._session.validate_hmac(dict(query))
        if not genuine or not self._is_recent(query.get("timestamp", "")):
            raise AuthError("This answer did not come from Shopify. Start again.")
        if shop_domain(query.get("shop", "")) != self._shop:
            raise AuthError(f"Another shop than {self._shop} was approved.", field="shop")
        if not query.get("code"):
            raise AuthError("Shopify approved nothing. Start again.")
        return query["code"]

    def grant(self, **form: str) -> Json:
        """The token endpoint's answer. Raises ``AuthError`` in words for what it refuses."""
        url = f"https://{self._shop}/admin/oauth/access_token"
        form = {"client_id": self._id, "client_secret": self._secret, **form}
        headers = {"Accept": "application/json"}
        reply = _post(self._tools, self._shop, url, data=form, headers=headers)
        if reply.status_code in (400, 401, 403):
            raise _no_token(reply, self._shop)
        demand(reply, self._shop)
        return body_of(reply, self._shop)

    def _is_recent(self, timestamp: str) -> bool:
        if not timestamp.isascii() or not timestamp.isdigit():
            return False
        return abs(self._tools.now().timestamp() - int(timestamp)) < DAY.total_seconds()


class Client:
    """One shop's Admin API, one call after the other."""

    def __init__(self, tools: Tools, shop: str, version: str, access: Access) -> None:
        self.shop = shop
        self.served = ""
        """The version that answered last; another than was asked for when that has expired."""
        self._tools = tools
        self._access = access
        self._version = version
        path = ApiVersion.coerce_to_version(version).api_path(f"https://{shop}")
        self._url = f"{path}/graphql.json"

    @property
    def fell_forward(self) -> str:
        """What a person has to do when Shopify no longer serves our version; else empty."""
        if not self.served or self.served == self._version:
            return ""
        return (
            f"Shopify no longer serves version {self._version} of its API and answered by"
            f" {self.served}. Enter that as API version in the connection."
        )

    def ask(self, document: str, /, **variables: Any) -> Json:
        """The data. What ``answers`` raises, and ``Unavailable`` when nobody answered."""
        token = self._access.token()
        reply = self._send(token, document, variables)
        if reply.status_code == 401 and (other := self._access.after(token)):
            reply = self._send(other, document, variables)
        if reply.status_code == 401:
            raise self._access.ended(self.shop)
        demand(reply, self.shop)
        self._note_version(reply.headers.get("X-Shopify-API-Version", ""))
        return data(body_of(reply, self.shop), self.shop)

    def _send(self, token: str, document: str, variables: Mapping[str, Any]) -> requests.Response:
        body = {"query": document, "variables": dict(variables)}
        headers = {"X-Shopify-Access-Token": token, "Accept": "application/json"}
        return _post(self._tools, self.shop, self._url, json=body, headers=headers)

    def _note_version(self, served: str) -> None:
        news = served and served not in (self.served, self._version)
        self.served = served
        if news:
            self._tools.log.warning(
                "shop=%s asked_version=%s served_version=%s", self.shop, self._version, served
            )


def _instead(scope: str) -> list[str]:
    """Which fulfilment orders an app sees depends on who keeps their locations; any will do."""
    kinds = ("assigned", "third_party", "marketplace")
    managed = "merchant_managed"
    return [scope.replace(managed, kind) for kind in kinds] if managed in scope else []


def _post(tools: Tools, shop: str, url: str, **kwargs: Any) -> requests.Response:
    try:
        return tools.http.post(url, allow_redirects=False, **kwargs)
    except requests.RequestException as error:
        raise Unavailable(f"{shop} gave no answer: {tools.http.why(error)}.") from None


def _no_token(reply: requests.Response, shop: str) -> AuthError | Unavailable:
    """By the error code (RFC 6749, 5.2); some refusals come as a page of HTML, with 400."""
    try:
        code = body_of(reply, shop).get("error")
    except Unavailable:
        code = None
    match code:
        case "invalid_client" | "application_cannot_be_found":
            return AuthError(
                "Shopify does not know this client id and secret. Copy both again.",
                field="client_secret",
            )
        case "shop_not_permitted":
            return AuthError(
                "This app and this store belong to different organisations. Choose to install an"
                " app instead.",
                field="way",
            )
        case "app_not_installed":
            return AuthError(f"Install the app in {shop} first: Dev Dashboard, your app, Install.")
    return AuthError(RECONNECT.format(shop=shop))
