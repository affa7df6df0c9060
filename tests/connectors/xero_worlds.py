"""A bakery that keeps its books in Xero, and what the hub lends its connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from connectors.xero.source import Xero
from hub import Tools
from hub.testing import KeptTokens, WsgiAdapter, lent
from tests.fakes.xero import MONDAY, ORIGINS, FakeXero


def connected(fake: FakeXero, tools: Tools, **settings: Any) -> Xero:
    """A connection whose owner has signed in."""
    for origin in ORIGINS:
        tools.http.mount(origin, WsgiAdapter(fake))
    given = {
        "client_id": fake.client_id,
        "client_secret": fake.secret,
        "webhook_key": fake.webhook_key,
        "tenant_id": fake.home.tenant_id,
        **settings,
    }
    if given.get("way") == "custom":
        fake.custom_apps.add(fake.client_id)
    else:
        kept(tools).kept = fake.tokens(*fake.organisations)
    return Xero(Xero.Settings(**given), tools)


def bakery(fake: FakeXero, folder: Path, **settings: Any) -> Xero:
    return connected(fake, lent(folder, now=MONDAY), **settings)


def kept(tools: Tools) -> KeptTokens:
    return cast(KeptTokens, tools.tokens)
