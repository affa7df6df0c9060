"""What a business says about its store."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, HttpUrl, SecretStr, field_validator

from hub import Way

KEY_FORM = {"consumer_key": re.compile(r"ck_\w{8,}"), "consumer_secret": re.compile(r"cs_\w{8,}")}
# `_delivery_date`, `_orddd_lite_timestamp` and `Delivery Date`: recorded orders, 2026-11-22. The
# text goes before the number, which that plugin also wrote a week off the text. `jckwds_date_ymd`
# and `jckwds_timeslot`: Iconic Delivery Slots, source read 2026-11. The others are only likely.
DATE_KEYS = "_delivery_date, delivery_date, Delivery Date, jckwds_date_ymd, _orddd_lite_timestamp"
TIME_KEYS = "_delivery_time, delivery_time, Time Slot, jckwds_timeslot"

PERMITS = (
    ("Shop manager or administrator", "the user whose keys they are"),
    ("Read/Write", "the permissions of the keys; Read is enough if nothing is reported back"),
)

WAYS = (
    Way(
        "approve",
        "Approve in the store",
        ("url",),
        then="hand_over",
        hint="You log in to your store and approve; it makes the keys and hands them over.",
        permits=PERMITS,
    ),
    Way(
        "keys",
        "Paste keys",
        ("url", "consumer_key", "consumer_secret", "query_string_auth"),
        hint="WooCommerce → Settings → Advanced → REST API → Add key, permissions Read/Write.",
        permits=PERMITS,
    ),
)


def _zone_name(name: str) -> str:
    if name:
        try:
            ZoneInfo(name)
        except (LookupError, ValueError, OSError):
            raise ValueError("is no time zone, such as Europe/Helsinki") from None
    return name


def _slugs(text: str) -> str:
    if wrong := [slug for slug in words(text) if not re.fullmatch(r"[\w-]+", slug)]:
        raise ValueError(f"{wrong[0]} is no status")
    return text


def words(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


Slugs = Annotated[str, AfterValidator(_slugs)]


class WooCommerceSettings(BaseModel):
    way: Literal["approve", "keys"] = Field(default="approve", title="How to connect")
    url: HttpUrl = Field(title="Store address", description="e.g. https://shop.example")
    consumer_key: SecretStr = Field(
        default=SecretStr(""), title="Consumer key", description="Begins with ck_"
    )
    consumer_secret: SecretStr = Field(
        default=SecretStr(""), title="Consumer secret", description="Begins with cs_"
    )
    query_string_auth: bool = Field(
        default=False,
        title="Send keys in the address",
        description="Only for a host that drops the sign-in header: the host then logs the keys.",
    )
    statuses: Slugs = Field(
        default="processing",
        min_length=1,
        title="Take orders that are",
        description="An order that leaves this status is withdrawn.",
    )
    more_statuses: Slugs = Field(
        default="", title="And orders that are", description="Empty: no others"
    )
    date_keys: str = Field(
        default=DATE_KEYS,
        title="Where the wanted day is kept",
        description="Names of order fields, with commas; the first that says something counts.",
    )
    time_keys: str = Field(
        default=TIME_KEYS,
        title="Where the wanted time is kept",
        description="Names of order fields, with commas, as for the day.",
    )
    date_order: Literal["day_first", "month_first"] = Field(
        default="day_first",
        title="Dates such as 03/04/2026",
        json_schema_extra={"labels": {"day_first": "3 April", "month_first": "4 March"}},
    )
    time_zone: Annotated[str, AfterValidator(_zone_name)] = Field(
        default="",
        title="Time zone of the store",
        description="e.g. Europe/Helsinki. Empty: as the store says",
    )
    weight_unit: Literal["store", "kg", "g", "lbs", "oz"] = Field(
        default="store",
        title="Unit of weights",
        json_schema_extra={
            "labels": {
                "store": "As WooCommerce is set",
                "kg": "Kilograms",
                "g": "Grams",
                "lbs": "Pounds",
                "oz": "Ounces",
            }
        },
    )
    extra_keys: str = Field(
        default="",
        title="More to show",
        description="Names of order fields that drivers and dispatchers should see, with commas.",
    )
    write_back: bool = Field(
        default=True,
        title="Report deliveries to the store",
        description="Status, notes and the tracking link go on the order.",
    )
    status_dispatched: Slugs = Field(
        default="", title="Status once a driver has it", description="Empty: leave it as it is"
    )
    status_on_the_way: Slugs = Field(
        default="", title="Status on the way", description="Empty: leave it as it is"
    )
    status_delivered: Slugs = Field(
        default="completed",
        title="Status when delivered",
        description="WooCommerce e-mails the customer of a completed one. Empty: leave it as it is",
    )
    status_partial: Slugs = Field(
        default="", title="Status when partly delivered", description="Empty: leave it as it is"
    )
    status_failed: Slugs = Field(
        default="", title="Status when not delivered", description="Empty: leave it as it is"
    )
    private_notes: bool = Field(
        default=True, title="Write order notes", description="Only staff of the store see them."
    )
    customer_notes: Literal["never", "on_the_way", "closed", "both"] = Field(
        default="never",
        title="Notes to the customer",
        description="WooCommerce sends them by e-mail, besides what the hub sends.",
        json_schema_extra={
            "labels": {
                "never": "None",
                "on_the_way": "When the driver is on the way",
                "closed": "When it is over",
                "both": "On the way and when it is over",
            }
        },
    )

    @field_validator("url", mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        """Whoever types shop.example means https://shop.example."""
        bare = isinstance(value, str) and "." in value and "://" not in value
        return f"https://{value.strip()}" if bare else value

    @property
    def taken(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(words(f"{self.statuses},{self.more_statuses}")))

    @property
    def written(self) -> tuple[str, ...]:
        """Statuses that write-back may set."""
        mine = (
            self.status_dispatched,
            self.status_on_the_way,
            self.status_delivered,
            self.status_partial,
            self.status_failed,
        )
        return tuple(dict.fromkeys(slug for slug in mine if slug))
