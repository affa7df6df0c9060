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

PERMITS = (
    ("read_orders", "what was ordered; alone it shows the last 60 days"),
    ("read_merchant_managed_fulfillment_orders", "what is left to send, and from where"),
    ("read_locations", "which of your places sends it"),
    ("write_merchant_managed_fulfillment_orders", "to mark an order as fulfilled"),
    ("write_fulfillments", "to say on its way, delivered or not"),
    ("write_orders", "only if orders are to be tagged with the outcome"),
    (
        "Protected customer data",
        "not a scope: ask for name, address, email and phone on the app's page API access",
    ),
)

WAYS = (
    Way(
        "own",
        "My own store",
        asks=("client_id", "client_secret"),
        hint="Make an app in Shopify's Dev Dashboard, give it the scopes above, install it in your"
        " store, and copy its client id and secret.",
        permits=PERMITS,
    ),
    Way(
        "oauth",
        "Install an app",
        asks=("client_id", "client_secret"),
        then="authorize",
        hint="For a store of somebody else: you are sent to Shopify to approve the app.",
        permits=PERMITS,
    ),
    Way(
        "token",
        "Access token I already have",
        asks=("token", "client_secret"),
        optional=("client_secret",),
        hint="Of a custom app made in Shopify's admin before 2026; it begins with shpat_.",
        permits=PERMITS,
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
        description="Pick-up, digital goods and sales over the counter are never taken",
        json_schema_extra={
            "labels": {
                "both": "Local delivery and shipping",
                "local": "Only local delivery",
                "shipping": "Only shipping",
            }
        },
    )
    location: str = Field(
        default="", title="Location", description="Only what is sent from here; empty: all"
    )
    only_tag: str = Field(default="", title="Only orders with the tag", description="Empty: all")
    fulfilled_elsewhere: Literal["withdraw", "keep"] = Field(
        default="withdraw",
        title="When somebody marks it fulfilled in Shopify",
        description="Keep it on the list if you do that when packing",
        json_schema_extra={
            "labels": {
                "withdraw": "It needs no delivery any more",
                "keep": "It is still to be delivered",
            }
        },
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
        default="day_first",
        title="Dates such as 04/05/2026",
        json_schema_extra={"labels": {"day_first": "4 May", "month_first": "5 April"}},
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
        description="Only at the door can a part be marked alone",
        json_schema_extra={
            "labels": {
                "dispatched": "Its route is published",
                "on_the_way": "The driver is on the way",
                "closed": "It is handed over",
            }
        },
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
        description="Such as “Delivery: failed”; the app needs write_orders for it",
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
