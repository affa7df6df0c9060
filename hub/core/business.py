"""What a business can set, and what its trade suggests."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field

from hub.core.day_wishes import Aim
from hub.core.demands import Demand as Demand
from hub.core.manners import Manners
from hub.core.rush_hours import RushHour
from hub.core.self_service import SelfService, locked_away
from hub.core.visibility import NEVER, PAGES, Reader, Visibility


class Trade(StrEnum):
    PARCELS = "parcels"
    FRESH_FOOD = "fresh_food"
    PHARMACY = "pharmacy"
    HEAVY_GOODS = "heavy_goods"
    COLLECTIONS = "collections"
    FIELD_SERVICE = "field_service"


Improving = Literal["off", "propose", "publish"]
"""What the hub does with a better rest of the day that nobody asked for."""


class BusinessSettings(BaseModel):
    """Defaults that a trade sets and a person may change."""

    demands: list[Demand] = Field(default=["photo"], title="Proof a success needs")
    failure_demands: list[Demand] = Field(
        default=[], title="Proof a failure needs beside its reason"
    )
    visibility: Visibility = Field(default_factory=Visibility, title="Who sees what, from when on")
    self_service: SelfService = Field(
        default_factory=SelfService, title="What recipients can do on their page"
    )
    window_s: int = Field(default=3600, title="Width of the window told in advance", ge=900)
    eta_moves_s: int = Field(
        default=300, title="An arrival is announced anew once it moved by", ge=300, le=7200
    )
    transfer_s: int = Field(
        default=600, title="Time to take over another van's load", ge=60, le=7200
    )
    improving: Improving = Field(
        default="propose", title="What is done with a better rest of the day"
    )
    improving_s: int = Field(
        default=600, title="Least driving that such a change must save", ge=60, le=7200
    )
    service_s: int = Field(default=180, title="Usual time at a door", ge=0, le=14_400)
    collect_s: int | None = Field(default=None, title="Usual time to collect", ge=0, le=14_400)
    serve_s: int | None = Field(default=None, title="Usual time of a service", ge=0, le=14_400)
    aim: Aim = Field(default="cheapest", title="What matters most in a plan")
    known_driver_cost: int = Field(
        default=0, title="What another driver than the known one costs, in cents", ge=0
    )
    rush_hours: list[RushHour] = Field(default=[], title="When drives take longer")
    known_order_cost: int = Field(
        default=0, title="What a stop out of the driver's usual order costs, in cents", ge=0
    )
    apart: list[tuple[str, str]] = Field(default=[], title="Goods that never share a load")
    sure_at: float = Field(default=0.8, title="Confidence from which an address is not asked back")
    most_attempts: int = Field(default=3, title="Attempts before a parcel goes back", ge=1, le=9)
    page_full_h: int = Field(default=48, title="Hours the full page stays after completion", ge=1)
    page_bare_days: int = Field(default=30, title="Days a bare outcome line stays", ge=1)
    proof_days: int = Field(default=365, title="Days proof is kept", ge=30)
    rates: bool = Field(default=True, title="Customers are asked how it was")
    manners: Manners = Field(default_factory=Manners, title="How recipients are treated")
    fixes_days: int = Field(default=30, title="Days positions are kept", ge=1, le=60)
    shares_speeds: bool = Field(default=True, title="Our drives help to tell how fast streets are")


def suggested(trade: Trade) -> BusinessSettings:
    """The defaults for a trade: proof, privacy and how long things are kept."""
    match trade:
        case Trade.PARCELS:
            return BusinessSettings()
        case Trade.FRESH_FOOD:
            return BusinessSettings(window_s=1800, service_s=120, proof_days=180)
        case Trade.PHARMACY:
            return BusinessSettings(
                demands=["signature", "name"],
                visibility=_of_a_pharmacy(),
                self_service=locked_away(),
                proof_days=1095,
                service_s=240,
            )
        case Trade.HEAVY_GOODS:
            return BusinessSettings(
                demands=["photo", "signature", "name", "lines"], window_s=7200, service_s=1200
            )
        case Trade.COLLECTIONS:
            return BusinessSettings(demands=["photo", "name", "lines"], service_s=300)
        case Trade.FIELD_SERVICE:
            return BusinessSettings(
                demands=["photo", "signature", "name", "note"], window_s=7200, service_s=2700
            )


def _of_a_pharmacy() -> Visibility:
    """What somebody takes says what ails them: its names reach neither a link nor the books."""
    rules = Visibility()
    for reader in (*PAGES, Reader.BOOKS):
        rules = rules.but(reader, items=NEVER)
    return rules
