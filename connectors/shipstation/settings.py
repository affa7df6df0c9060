"""What a business fills in to connect, for either of ShipStation's two interfaces."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from hub import Way

_TAGS = ("on_the_way_tag", "delivered_tag", "failed_tag")
_NO_SLASH = r"^[^/\\]*$"  # in V2 a tag's name is a part of an address
_PERMITS = (
    ("API key", "it opens the whole account: ShipStation has no narrower ones"),
    ("Verified e-mail address", "of the account; else it marks nothing as shipped"),
)
_WHERE = "In ShipStation: Settings → Account → API Settings → Select API version → {}."

WAYS = (
    Way(
        "v2",
        "API key (V2)",
        ("v2_key", *_TAGS),
        hint=_WHERE.format("V2"),
        optional=_TAGS,
        permits=_PERMITS,
    ),
    Way(
        "v1",
        "API key and secret (V1)",
        ("v1_key", "v1_secret", *_TAGS, "currency", "notes"),
        hint=_WHERE.format("V1") + " V1 cannot create tags: create those below there first.",
        optional=(*_TAGS, "currency"),
        permits=_PERMITS[:1],
    ),
)


KEYS_AT = "ShipStation, Settings, Account, API Settings"


class ShipStationSettings(BaseModel):
    way: Literal["v2", "v1"] = Field(
        default="v2",
        title="Interface",
        description="V2 comes with the Standard and Premium plans; V1 keys work as before.",
    )
    v2_key: SecretStr = Field(
        default=SecretStr(""), title="API key (V2)", description=f"{KEYS_AT}: select V2"
    )
    v1_key: SecretStr = Field(
        default=SecretStr(""), title="API key (V1)", description=f"{KEYS_AT}: select V1"
    )
    v1_secret: SecretStr = Field(
        default=SecretStr(""), title="API secret (V1)", description="On the same page"
    )
    store: str = Field(
        default="", title="Store", description="Only orders of this store. Empty: of all stores."
    )
    tag: str = Field(
        default="",
        title="Orders with this tag",
        description="Only these are for your own drivers; one that loses the tag is withdrawn."
        " Empty: all orders.",
    )
    due: Literal["deliver_by", "ship_by", "none"] = Field(
        default="deliver_by",
        title="Day of delivery",
        description="Where there is no deliver-by date the ship-by date counts; V1 has only that.",
        json_schema_extra={
            "labels": {
                "deliver_by": "The deliver-by date",
                "ship_by": "The ship-by date",
                "none": "Any day",
            }
        },
    )
    ship_when: Literal["leaves", "delivered", "never"] = Field(
        default="delivered",
        title="Mark as shipped",
        description="ShipStation locks an order once it is shipped.",
        json_schema_extra={
            "labels": {
                "leaves": "When the driver leaves",
                "delivered": "When the order is delivered",
                "never": "Never",
            }
        },
    )
    tell_customer: bool = Field(
        default=False,
        title="Let ShipStation write to the customer",
        description="When marked as shipped, beside what the hub sends.",
    )
    tell_store: bool = Field(
        default=True,
        title="Let ShipStation tell the shop",
        description="When marked as shipped, the shop the order came from is told.",
    )
    carrier_code: str = Field(
        default="other",
        title="Carrier code",
        min_length=1,
        description="What ShipStation is told as carrier for your own drivers.",
    )
    on_the_way_tag: str = Field(
        default="Out for delivery",
        title="Tag: on its way",
        pattern=_NO_SLASH,
        description="Empty: none.",
    )
    delivered_tag: str = Field(default="Delivered", title="Tag: delivered", pattern=_NO_SLASH)
    failed_tag: str = Field(
        default="Delivery failed", title="Tag: not delivered", pattern=_NO_SLASH
    )
    currency: str = Field(
        default="",
        title="Currency of what is unpaid",
        pattern=r"^([A-Z]{3})?$",
        description="What an order's total exceeds its payments by is collected at the"
        " door in this currency, e.g. USD. Empty: nothing is collected.",
    )
    notes: bool = Field(
        default=False,
        title="Note the result in the order",
        description="Adds a line to the internal notes, while the order is not shipped.",
    )

    def own_tags(self) -> dict[str, str]:
        """The tags the hub itself puts on orders, by the setting that names each."""
        return {name: tag for name in _TAGS if (tag := str(getattr(self, name)).strip())}
