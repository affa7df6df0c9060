"""One order of the fake's account, as each of ShipStation's interfaces shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")
V2_STATUS = {
    "awaiting_shipment": "pending",
    "on_hold": "pending",
    "shipped": "label_purchased",
    "cancelled": "cancelled",
}


@dataclass
class Item:
    name: str
    quantity: int = 1
    sku: str = ""
    ounces: float = 0
    adjustment: bool = False
    price: float = 5.0


@dataclass
class Row:
    id: int
    number: str
    changed: datetime
    name: str = "Ana"
    status: str = "awaiting_shipment"  # V1's word
    street: str = "1 High St"
    store: int = 2481946
    tags: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=lambda: [Item("Sourdough", 2, "SD", 16)])
    deliver_by: date | None = None
    ship_by: date | None = None
    hold_until: date | None = None
    notes: str = ""
    internal_notes: str = ""
    email: str = "ana@example.com"
    phone: str = "+12135550123"
    paid: float = 10.0
    total: float = 10.0
    only_v1: Mapping[str, Any] = field(default_factory=dict)
    only_v2: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        return f"se-{self.id}"

    @property
    def wall(self) -> str:
        return self.changed.astimezone(PACIFIC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"

    def v1(self, tag_ids: Mapping[str, int]) -> dict[str, Any]:
        ounces = sum(item.ounces * item.quantity for item in self.items)
        return {
            "orderId": self.id,
            "orderNumber": self.number,
            "orderKey": f"key-{self.id}",
            "orderDate": self.wall,
            "createDate": self.wall,
            "modifyDate": self.wall,
            "paymentDate": self.wall,
            "shipByDate": f"{self.ship_by}T00:00:00.0000000" if self.ship_by else None,
            "holdUntilDate": str(self.hold_until) if self.hold_until else None,
            "orderStatus": self.status,
            "customerEmail": self.email,
            "billTo": {"name": self.name},
            "shipTo": {
                "name": self.name,
                "company": None,
                "street1": self.street,
                "street2": "",
                "street3": None,
                "city": "Los Angeles",
                "state": "CA",
                "postalCode": "90001",
                "country": "US",
                "phone": self.phone,
            },
            "items": [_v1_item(item) for item in self.items],
            "orderTotal": self.total,
            "amountPaid": self.paid,
            "customerNotes": self.notes or None,
            "internalNotes": self.internal_notes or None,
            "weight": {"value": ounces, "units": "ounces"},
            "tagIds": [tag_ids[tag] for tag in self.tags] or None,
            "advancedOptions": {"storeId": self.store, "customField1": None},
            **self.only_v1,
        }

    def v2(self) -> dict[str, Any]:
        ounces = sum(item.ounces * item.quantity for item in self.items)
        home = {
            "name": "Bakery",
            "phone": "+12135550100",
            "address_line1": "9 Mill Rd",
            "city_locality": "Los Angeles",
            "state_province": "CA",
            "postal_code": "90002",
            "country_code": "US",
            "address_residential_indicator": "no",
        }
        weight = {"value": max(ounces, 3.0), "unit": "ounce"}  # the file wants more than 2
        return {
            "shipment_id": self.ref,
            "shipment_number": self.number,
            "external_shipment_id": f"key-{self.id}",
            "store_id": f"se-{self.store}",
            "created_at": zulu(self.changed),
            "modified_at": zulu(self.changed),
            "shipment_status": V2_STATUS.get(self.status, "pending"),
            "hold_until_date": _midnight(self.hold_until),
            "ship_by_date": _midnight(self.ship_by),
            "deliver_by_date": _midnight(self.deliver_by),
            "ship_to": {
                **home,
                "name": self.name,
                "email": self.email,
                "phone": self.phone,
                "address_line1": self.street,
                "postal_code": "90001",
                "instructions": None,
            },
            "ship_from": home,
            "return_to": home,
            "is_return": False,
            "confirmation": "none",
            "insurance_provider": "none",
            "advanced_options": {"contains_alcohol": False, "custom_field1": None},
            "tags": [{"name": tag} for tag in self.tags],
            "packages": [{"package_code": "package", "weight": weight}],
            "total_weight": weight,
            "items": [_v2_item(item) for item in self.items if not item.adjustment],
            "notes_from_buyer": self.notes or None,
            "internal_notes": self.internal_notes or None,
            "amount_paid": {"currency": "usd", "amount": self.paid},
            **self.only_v2,
        }


def zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _midnight(day: date | None) -> str | None:
    return f"{day}T00:00:00Z" if day else None


def _v1_item(item: Item) -> dict[str, Any]:
    return {
        "name": item.name,
        "sku": item.sku,
        "quantity": item.quantity,
        "unitPrice": item.price,
        "weight": {"value": item.ounces, "units": "ounces"},
        "options": [],
        "adjustment": item.adjustment,
    }


def _v2_item(item: Item) -> dict[str, Any]:
    weight = {"value": item.ounces, "unit": "ounce"} if item.ounces else None
    return {
        "name": item.name,
        "sku": item.sku,
        "quantity": item.quantity,
        "unit_price": item.price,
        "weight": weight,
        "options": [],
    }
