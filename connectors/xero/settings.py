"""What a business sets for its connection to Xero."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr, field_validator

from hub import WEBHOOKS, Way

SCOPES = (
    "offline_access openid profile email accounting.invoices accounting.attachments"
    " accounting.contacts.read accounting.settings.read"
)
"""Granular scopes, the only ones for apps made since 2 March 2026 (apideck.com/blog/xero-scopes,
2026-11). That invoices cover quotes and history is not verified, so the list is a setting."""
WEIGHT = re.compile(r"(?P<code>.+?)\s*[=:]\s*(?P<number>\d+(?:[.,]\d+)?)\s*(?P<unit>kg|g)?", re.I)

PERMITS = (
    ("accounting.invoices", "to read invoices and quotes, and to write their history"),
    ("accounting.attachments", "to add the proof of delivery as a file"),
    ("accounting.contacts.read", "names, addresses and phones of your customers"),
    ("accounting.settings.read", "the name of your organisation"),
    ("offline_access openid profile email", "to stay signed in"),
)

WAYS = (
    Way(
        "app",
        "Sign in with Xero",
        asks=("client_id", "client_secret", "scopes"),
        then="authorize",
        hint="Make a web app at developer.xero.com with this hub's redirect address.",
        permits=PERMITS,
    ),
    Way(
        "custom",
        "Custom connection",
        asks=("client_id", "client_secret"),
        hint="For one organisation in Australia, New Zealand, the UK or the US, at a charge. Tick"
        " these scopes when you make it.",
        permits=PERMITS[:-1],
    ),
)


class XeroSettings(BaseModel):
    way: Literal["app", "custom"] = Field(default="app", title="How to connect")
    client_id: str = Field(title="Client id", description="Xero developer portal: Configuration")
    client_secret: SecretStr = Field(title="Client secret", description="On the same page")
    scopes: str = Field(
        default=SCOPES,
        title="Scopes",
        description="What to ask Xero's permission for; change it only if Xero refuses the list",
    )
    tenant_id: str = Field(
        default="", title="Organisation", description="The Xero organisation to read and write"
    )
    webhook_key: SecretStr = Field(
        default=SecretStr(""),
        title="Webhooks key",
        description="Xero developer portal: Webhooks. Without it the hub looks every 5 minutes",
        json_schema_extra=WEBHOOKS,
    )

    reads: Literal["invoices", "quotes", "both", "nothing"] = Field(
        default="invoices",
        title="Orders come from",
        description="Deliveries are recorded in Xero all the same",
        json_schema_extra={
            "labels": {
                "invoices": "Invoices",
                "quotes": "Quotes",
                "both": "Invoices and quotes",
                "nothing": "Not from Xero",
            }
        },
    )
    statuses: list[Literal["SUBMITTED", "AUTHORISED", "PAID"]] = Field(
        default=["AUTHORISED"],
        title="Invoices to deliver",
        description="Tick Paid as well if customers pay before the delivery",
        json_schema_extra={
            "labels": {
                "SUBMITTED": "Awaiting approval",
                "AUTHORISED": "Awaiting payment",
                "PAID": "Paid",
            }
        },
    )
    quote_statuses: list[Literal["SENT", "ACCEPTED", "INVOICED"]] = Field(
        default=["ACCEPTED"],
        title="Quotes to deliver",
        json_schema_extra={
            "labels": {"SENT": "Sent", "ACCEPTED": "Accepted", "INVOICED": "Invoiced"}
        },
    )
    days_back: int = Field(
        default=30,
        title="Days back",
        description="What was issued longer ago is taken as delivered and left out",
        ge=1,
        le=3650,
    )
    kind: Literal["deliver", "collect", "serve"] = Field(
        default="deliver",
        title="What is done at the address",
        json_schema_extra={
            "labels": {
                "deliver": "Goods are delivered",
                "collect": "Goods are collected",
                "serve": "Work is done there",
            }
        },
    )
    date_from: Literal["due_date", "expected_payment_date", "reference", "line", "none"] = Field(
        default="due_date",
        title="Day of delivery",
        description="A quote's due date is its expiry date",
        json_schema_extra={
            "labels": {
                "due_date": "The due date",
                "expected_payment_date": "The expected payment date",
                "reference": "A date written in the reference",
                "line": "A date written in a line",
                "none": "Any day",
            }
        },
    )
    month_first: bool = Field(
        default=False, title="Month first", description="Read 04/05/2026 as 5 April"
    )
    collect_amount_due: bool = Field(
        default=True,
        title="Driver collects what is due",
        description="Switch it off if customers pay the invoice later",
    )
    country: str = Field(
        default="",
        title="Country",
        description="Two letters, such as NZ, for addresses that name none",
        pattern="^([A-Za-z]{2})?$",
    )
    weights: str = Field(
        default="",
        title="Weight of items",
        description="Item codes and weights, separated by semicolons: BREAD = 800 g; CAKE = 1.2 kg",
    )
    not_goods: str = Field(
        default="",
        title="Item codes that are no goods",
        description="Separated by commas, such as FREIGHT",
    )

    find_by: Literal["number", "reference", "number_or_reference", "contact"] = Field(
        default="number_or_reference",
        title="Find the invoice of an order by",
        description="For orders that did not come from Xero",
        json_schema_extra={
            "labels": {
                "number": "Its invoice number",
                "reference": "Its reference",
                "number_or_reference": "Its invoice number or its reference",
                "contact": "Who bought",
            }
        },
    )
    prefixes: str = Field(
        default="#",
        title="Prefixes",
        description="Strip these from the order's number, separated by spaces: # SHOP-",
    )
    same_contact: bool = Field(
        default=False,
        title="Only of the same contact",
        description="The invoice's contact must have the order's name or e-mail",
    )
    same_amount: bool = Field(
        default=False,
        title="Only of the same amount",
        description="The invoice must ask for what the order says is due",
    )
    include_online: bool = Field(
        default=False,
        title="Show the proof to the customer",
        description="On the online invoice; otherwise only your staff sees it in Xero",
    )
    mark_sent: bool = Field(
        default=False,
        title="Mark delivered invoices as sent",
        description="Only the mark Sent in Xero; nothing is mailed",
    )
    time_zone: str = Field(
        default="",
        title="Time zone of notes",
        description="Such as Pacific/Auckland. Empty: the time zone of your business",
    )

    @field_validator("client_id", "tenant_id", "country", "scopes")
    @classmethod
    def _without_spaces_around(cls, value: str) -> str:
        return " ".join(value.split())

    @field_validator("weights")
    @classmethod
    def _weights_can_be_read(cls, value: str) -> str:
        weights_g(value)
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone_there_is(cls, value: str) -> str:
        try:
            ZoneInfo(value or "UTC")
        except (ValueError, LookupError, OSError):
            raise ValueError("No such time zone. It looks like Pacific/Auckland.") from None
        return value


def weights_g(text: str) -> dict[str, int]:
    """Grams by item code, in capitals. Raises ``ValueError`` for what cannot be read."""
    found = {}
    for entry in filter(None, map(str.strip, re.split(r"[;\n]", text))):
        if not (match := WEIGHT.fullmatch(entry)):
            raise ValueError(f"Write it as BREAD = 800 g, not {entry[:40]!r}.")
        grams = Decimal(match["number"].replace(",", "."))
        if (match["unit"] or "g").lower() == "kg":
            grams *= 1000
        found[match["code"].strip().upper()] = round(grams)
    return found


def codes(text: str) -> frozenset[str]:
    """Item codes, in capitals, from a list with commas, semicolons or spaces."""
    return frozenset(filter(None, re.split(r"[,;\s]+", text.upper())))
