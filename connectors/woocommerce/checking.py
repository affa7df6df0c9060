"""Which thing is wrong with a connection, in the words of who set it up."""

from __future__ import annotations

from dataclasses import replace

from connectors.woocommerce.answers import Fault, NoJson, meaning
from connectors.woocommerce.client import Client
from connectors.woocommerce.settings import KEY_FORM
from hub import AuthError, ConfigError, HubError, Refused

WHERE = "WooCommerce → Settings → Advanced → REST API"


def check(client: Client, *, writes: bool) -> None:
    """Raises ``ConfigError`` with the setting to blame, ``Unavailable`` if that is not clear."""
    check_store(client)
    _check_form(client)
    _check_keys(client)
    if writes:
        _check_writing(client)


def check_store(client: Client) -> None:
    """Whether there is a store at all, before anybody is sent there. Raises as ``check``."""
    try:
        spaces = client.index().get("namespaces", [])
    except Refused as error:  # a private address, which the operator has not allowed
        raise ConfigError(str(error), field="url") from None
    except Fault as fault:
        if fault.status == 404:
            raise _no_store(client) from None
        return  # some plugins show the index to nobody; the keys will tell
    except NoJson:
        raise _no_store(client) from None
    if "wc/v3" not in spaces:
        raise ConfigError(
            f"{client.host} is WordPress without WooCommerce, or with a very old one. Activate or "
            "update WooCommerce there, or enter the address of your store.",
            field="url",
        )


def _no_store(client: Client) -> ConfigError:
    """There are only pages where the API should be."""
    try:
        plain = "namespaces" in client.index_behind_plain_links()
    except (Fault, HubError):
        plain = False
    if plain:
        return ConfigError(
            f"{client.host} uses plain permalinks, with which WooCommerce has no API. In WordPress "
            'choose "Post name" under Settings → Permalinks, then try again.',
            field="url",
        )
    return ConfigError(
        f"There is no WooCommerce at {client.host}, or a firewall shows the hub a page instead. "
        "Enter the address of your store's front page, with the folder if it is in one.",
        field="url",
    )


def _check_form(client: Client) -> None:
    for (name, form), key in zip(KEY_FORM.items(), client.keys, strict=True):
        if not key:
            raise ConfigError(f"This is missing. {WHERE} makes it.", field=name)
        if not form.fullmatch(key):
            begins = form.pattern[:3]
            raise ConfigError(f"This does not begin with {begins}. Copy it whole.", field=name)


def _check_keys(client: Client) -> None:
    try:
        client.first_order()
    except Fault as fault:
        if fault.status not in (401, 403):
            raise meaning(fault, client.host) from None
        if _header_is_dropped(client):
            raise ConfigError(
                f"The host of {client.host} drops the header that the keys are in. Switch this on, "
                "or ask the host to pass on Authorization.",
                field="query_string_auth",
            ) from None
        raise AuthError(
            f"{client.host} does not accept these keys. Make new ones under {WHERE}, as a shop "
            "manager or administrator, and copy both.",
            field="consumer_key",
        ) from None


def _header_is_dropped(client: Client) -> bool:
    """Such a host and wrong keys look the same from outside (measured 2026-11-22)."""
    if client.in_query or not client.url.startswith("https://"):
        return False
    try:
        replace(client, in_query=True).first_order()
    except (Fault, HubError):
        return False
    return True


def _check_writing(client: Client) -> None:
    try:
        client.change_nothing()
    except Fault as fault:
        if fault.status not in (401, 403):
            raise meaning(fault, client.host) from None
        raise AuthError(
            f"These keys may only read at {client.host}. Make keys with permissions Read/Write "
            f"under {WHERE}, or switch off reporting deliveries to the store.",
            field="consumer_key",
        ) from None
