"""What a business sets for its connection to Shopify."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, Field, SecretStr, field_validator

from connectors.shopify.client import shop_domain
from hub import WEBHOOKS, Way

READS = ("read_orders", "read_merchant_managed_fulfillment_orders", "read_locations")
WRITES = ("write_merchant_managed_fulfillment_orders", "write_fulfillments")
TAGS = ("write_orders",)
ADMIN = re.compile(r"(?:https?://)?admin\.shopify\.com/store/([^/?#]+)")

WAYS = (
    Way(
        "own",
        "My own store",
        asks=("client_id", "client_secret"),
        hint="Make an app in Shopify's Dev Dashboard, give it the scopes of this connector's page,"
        " install it in your store, and copy its client id and secret.",
    ),
    Way(
        "oauth",
        "Install an app",
        asks=("client_id", "client_secret"),
        then="authorize",
        hint="For a store of somebody else: you are sent to Shopify to approve the app.",
    ),
    Way(
        "token",
        "Access token I already have",
        asks=("token", "client_secret"),
        hint="Of a custom app made in Shopify's admin before 2026; it begins with shpat_.",
    ),
)


class ShopifySettings(BaseModel):
    way: Literal["own", "oauth", "token"] = Field(default="own", title="How to connect")
    shop: str = Field(title="Shop", description="e.g. husk-bakery.myshopify.com")
    client_id: str = Field(
        default="", title="Client id", description="Dev Dashboard: your app, Settings"
    )
    client_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Client secret",
        description="On the same page; of an app made in the admin: its API secret key. Calls"
        " from Shopify are told by it: without it the hub looks every 5 minutes",
        json_schema_extra=WEBHOOKS,
    )
    token: SecretStr = Field(
        default=SecretStr(""), title="Admin API access token", description="Begins with shpat_"
    )
    api_version: str = Field(
        default="2026-07",
        title="API version",
        description="Change it when the hub says that Shopify no longer serves this one",
        pattern=r"^\d{4}-(01|04|07|10)$",
    )

    methods: Literal["both", "local", "shipping"] = Field(
        default="both",
        title="Orders to take",
        description="both, only local delivery, or only shipping. Pick-up, digital goods and"
        " sales over the counter are never taken",
    )
    location: str = Field(
        default="", title="Location", description="Only what is sent from here; empty: all"
    )
    only_tag: str = Field(default="", title="Only orders with the tag", description="Empty: all")
    fulfilled_elsewhere: Literal["withdraw", "keep"] = Field(
        default="withdraw",
        title="When somebody marks it fulfilled in Shopify",
        description="withdraw: it needs no delivery any more. keep: you do that when packing",
    )
    date_keys: str = Field(
        default="Delivery-Date, Delivery Date, delivery_date",
        title="Delivery day stands in",
        description="Names of cart attributes, separated by commas",
    )
    time_keys: str = Field(
        default="Delivery-Time, Delivery Time, delivery_time", title="Delivery time stands in"
    )
    date_order: Literal["day_first", "month_first"] = Field(
        default="day_first", title="Dates such as 04/05/2026", description="4 May or 5 April"
    )
    collect_outstanding: bool = Field(
        default=True,
        title="Driver collects what is due",
        description="Switch it off if customers pay by invoice",
    )
    shops_points: bool = Field(
        default=False,
        title="Trust Shopify's map position",
        description="It may be no better than the postcode; otherwise the hub looks itself",
    )

    write_back: bool = Field(default=True, title="Tell Shopify how deliveries go")
    fulfil_at: Literal["dispatched", "on_the_way", "closed"] = Field(
        default="dispatched",
        title="Mark as fulfilled when",
        description="dispatched: the round is published. closed: handed over; only then can a"
        " part be fulfilled alone",
    )
    notify_customer: bool = Field(
        default=False,
        title="Shopify mails the customer",
        description="Its shipping confirmation, with the tracking link",
    )
    company: str = Field(
        default="Own delivery",
        title="Shown as carrier",
        description="Beside the tracking link in Shopify's mails and pages",
        min_length=1,
        max_length=60,
    )
    tag_orders: bool = Field(
        default=False,
        title="Tag orders with the outcome",
        description="Delivery: succeeded, failed, …; needs the scope write_orders",
    )

    @field_validator("shop")
    @classmethod
    def _is_a_shop(cls, value: str) -> str:
        """Also of a whole address, or the admin's: admin.shopify.com/store/NAME."""
        text = value.strip().lower()
        if found := ADMIN.match(text):
            text = found[1]
        if not (domain := shop_domain(text.split("?")[0])):
            raise ValueError("Enter the shop's myshopify.com address, not its own domain.")
        return domain

    @field_validator("client_id", "only_tag", "location", "company")
    @classmethod
    def _without_spaces_around(cls, value: str) -> str:
        return value.strip()

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the connection needs for what it is set to do."""
        asked: tuple[str, ...] = READS
        if self.write_back:
            asked += WRITES + (TAGS if self.tag_orders else ())
        return asked


def names(text: str) -> tuple[str, ...]:
    """Names of attributes from a list with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
