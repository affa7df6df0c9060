"""What a business says about itself, and the defaults its days run by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, StringConstraints, field_validator

from hub.core.business import BusinessSettings, Demand, Improving, Trade
from hub.core.countries import country_code
from hub.core.crew_rules import apart_text, read_apart
from hub.core.day_wishes import Aim
from hub.db.tables import BusinessRow
from hub.flows.audit import note
from hub.flows.rush_typed import RushHourIn, no_overlap
from hub.flows.shifts import in_new_zone

if TYPE_CHECKING:
    from hub.app import Hub


class BusinessIn(BaseModel):
    """What may be typed about the business itself."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        title="Name of the business", max_length=200
    )
    zone: str = Field(title="Time zone", description="Windows, shifts and messages use it.")
    country: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        default="",
        title="Country",
        description="Two letters, such as FI. Reads phone numbers and addresses without one.",
    )
    language: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        default="en", title="Language of messages", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$"
    )
    trade: Trade = Field(default=Trade.PARCELS, title="What you do")

    @field_validator("zone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError("No such time zone. It looks like Europe/Helsinki.") from None
        return zone

    @field_validator("country")
    @classmethod
    def _country(cls, country: str) -> str:
        code = country_code(country) if country else ""
        if code is None:
            raise ValueError("No country the hub knows. Write its two letters, such as FI.")
        return code


def business_of(hub: Hub, business_id: str) -> tuple[BusinessRow, BusinessSettings]:
    """The business, and its defaults as values."""
    with hub.reading() as session:
        row = session.get_one(BusinessRow, business_id)
    return row, BusinessSettings.model_validate(row.settings)


def save_business(
    hub: Hub, business_id: str, given: BusinessIn, settings: BusinessSettings, *, actor: str
) -> None:
    """Keep both. Orders, promises and proof that exist already stay as they are.

    With another zone, coming shifts without a route keep their hours, at its clocks.
    """
    with hub.unit() as unit:
        row = unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        if given.zone != row.zone:
            in_new_zone(unit.session, business_id, ZoneInfo(given.zone), hub.now())
        row.name, row.zone, row.country = given.name, given.zone, given.country
        row.language, row.trade = given.language, given.trade.value
        row.settings = settings.model_dump(mode="json")
        note(hub, unit.session, business_id, actor, "settings saved", given.name)


TYPED_OTHERWISE = {"eta_moves_min", "window_min", "service_min", "sure_percent"}
TYPED_OTHERWISE |= {"collect_min", "serve_min", "known_driver_money", "transfer_min"}
TYPED_OTHERWISE |= {"improving_min", "rush_hours", "known_order_money", "apart"}
"""Fields in units other than those they are kept in."""
MOST_LINES = 40


class DefaultsIn(BaseModel):
    """A business's defaults in the units people think in."""

    demands: list[Demand] = Field(
        default=[],
        title="A success needs",
        description="The driver's phone does not close a delivery without these.",
    )
    failure_demands: list[Demand] = Field(default=[], title="A failure needs")
    eta_moves_min: int = Field(
        default=5,
        title="Minutes an arrival must move to be told anew",
        ge=5,
        le=120,
        description="Whoever it no longer suits is written to only when a promise is broken.",
    )
    window_min: int = Field(
        title="Minutes in a promised window",
        ge=15,
        le=720,
        description="Wide enough to be kept: punctuality is judged by it.",
    )
    service_min: float = Field(
        title="Usual minutes at a door",
        ge=0,
        le=240,
        description="Depots and places can say otherwise.",
    )
    collect_min: float | None = Field(
        default=None,
        title="Usual minutes to collect",
        ge=0,
        le=240,
        description="At every depot's doors. Empty: as for a delivery.",
    )
    serve_min: float | None = Field(
        default=None,
        title="Usual minutes of a service",
        ge=0,
        le=240,
        description="At every depot's doors. Empty: as for a delivery.",
    )
    aim: Aim = Field(
        default="cheapest",
        title="What matters most in a plan",
        description="Even days are looked for by OR-Tools, which is slower on large days.",
    )
    known_driver_money: float = Field(
        default=0,
        title="Worth of a driver whom the customer knows",
        ge=0,
        le=1000,
        description="In your currency, for each stop. 0: anybody may come.",
    )
    known_order_money: float = Field(
        default=0,
        title="Worth of the driver's usual order of stops",
        ge=0,
        le=1000,
        description="In your currency, for each stop that moves. 0: any order will do.",
    )
    apart: str = Field(
        default="",
        title="Goods that never share a load",
        max_length=4000,
        description="Two kinds with a stroke between them: raw fish / bread; bleach / bread.",
    )
    transfer_min: float = Field(
        default=10,
        title="Minutes to take over another van's load",
        ge=1,
        le=120,
        description="Counted when a van drops out and somebody fetches what it has on board.",
    )
    rush_hours: list[RushHourIn] = Field(
        default=[],
        title="When drives take longer",
        max_length=MOST_LINES,
        description="By your clock. 1.4 makes a drive of 10 minutes one of 14. Vehicles with lines"
        " of their own go by those alone. Plans, moves and arrival times count with it.",
    )
    improving: Improving = Field(
        default="propose",
        title="When the rest of a day could be driven in less",
        description="Looked for in the background while drivers are out. No promise is broken.",
    )
    improving_min: int = Field(
        default=10,
        title="Minutes of driving that it must save",
        ge=1,
        le=120,
        description="Each stop that changes driver counts as five minutes against it.",
    )
    sure_percent: int = Field(
        title="Percent of confidence an address needs",
        ge=30,
        le=100,
        description="A less certain one waits for a dispatcher's pin.",
    )
    most_attempts: int = Field(title="Attempts before goods go back", ge=1, le=9)
    page_full_h: int = Field(
        title="Hours the customer's page stays complete",
        ge=1,
        le=720,
        description="Counted from completion. Afterwards it says only how it ended.",
    )
    page_bare_days: int = Field(title="Days that last line stays", ge=1, le=365)
    proof_days: int = Field(
        title="Days proof is kept",
        ge=30,
        le=3650,
        description="Photos and signatures are deleted after this; the record stays.",
    )
    fixes_days: int = Field(title="Days positions of phones are kept", ge=1, le=60)
    shares_speeds: bool = Field(
        default=True,
        title="Our drives help to tell how fast streets are just now",
        description="For turn by turn of everybody on this hub, if it learns that at all. A speed"
        " takes two drivers; no times and no names are kept.",
    )

    @field_validator("rush_hours")
    @classmethod
    def _no_overlap(cls, lines: list[RushHourIn]) -> list[RushHourIn]:
        no_overlap(lines)
        return lines

    @field_validator("apart")
    @classmethod
    def _pairs(cls, apart: str) -> str:
        return apart_text(read_apart(apart))

    @classmethod
    def of(cls, settings: BusinessSettings) -> Self:
        """``settings`` as they are typed."""
        kept = settings.model_dump(exclude=TYPED_OTHERWISE)
        return cls(
            **{name: kept[name] for name in cls.model_fields if name in kept},
            rush_hours=[RushHourIn.of(rule) for rule in settings.rush_hours],
            eta_moves_min=settings.eta_moves_s // 60,
            window_min=settings.window_s // 60,
            service_min=settings.service_s / 60,
            collect_min=None if settings.collect_s is None else settings.collect_s / 60,
            serve_min=None if settings.serve_s is None else settings.serve_s / 60,
            known_driver_money=settings.known_driver_cost / 100,
            known_order_money=settings.known_order_cost / 100,
            apart=apart_text(settings.apart),
            transfer_min=settings.transfer_s / 60,
            improving_min=settings.improving_s // 60,
            sure_percent=round(settings.sure_at * 100),
        )

    def settings(self, kept: BusinessSettings) -> BusinessSettings:
        """What was typed, over what this form does not show."""
        return BusinessSettings.model_validate(
            {
                **kept.model_dump(),
                **self.model_dump(exclude=TYPED_OTHERWISE),
                "eta_moves_s": self.eta_moves_min * 60,
                "window_s": self.window_min * 60,
                "service_s": round(self.service_min * 60),
                "collect_s": None if self.collect_min is None else round(self.collect_min * 60),
                "serve_s": None if self.serve_min is None else round(self.serve_min * 60),
                "known_driver_cost": round(self.known_driver_money * 100),
                "known_order_cost": round(self.known_order_money * 100),
                "apart": sorted(read_apart(self.apart)),
                "transfer_s": round(self.transfer_min * 60),
                "improving_s": self.improving_min * 60,
                "sure_at": self.sure_percent / 100,
                "rush_hours": [line.rule() for line in self.rush_hours],
            }
        )
