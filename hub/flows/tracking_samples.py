"""What a customer's page holds in each of its states, about nobody's order.

The same decisions make it as make a real page: its words, and what may be seen of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from hub.core.business import BusinessSettings
from hub.core.jobs import NextStep, Outcome, Reason, State
from hub.core.orders import Kind
from hub.core.self_service import Follow, answers, follows
from hub.core.standing import standing
from hub.core.tracking_page import ON_A_MAP, OPEN, Estimate, JobSeen, Life, Seen, Shows, visible
from hub.core.tracking_words import card, follow_words, outcome_line, own_words, promise_lines
from hub.core.values import Point, TimeWindow
from hub.core.visibility import NEVER, Fact
from hub.db.tables import BrandRow, BusinessRow, DepotRow
from hub.flows.brands import texts_of
from hub.flows.ratings import RateCard
from hub.flows.self_service import Doing
from hub.flows.tongues import Spoken, tongue
from hub.flows.tracking_parts import Handover, Item
from hub.flows.tracking_view import Driver, Tracked, doing_lines, has_time
from hub.flows.wishes import NOTHING

if TYPE_CHECKING:
    from hub.app import Hub

AWAY_M = 400.0  # the sample's driver from its door
_MINUTES, _HOUR, _DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
_NORTH = 0.0036  # degrees; 400 m


@dataclass(frozen=True, slots=True)
class Sample:
    """``title`` says which state it is, to whoever sets the page up."""

    key: str
    title: str
    page: Tracked


def samples(hub: Hub, business_id: str, brand: BrandRow, language: str = "") -> list[Sample]:
    """Every state of the page as ``brand`` wears it; ``language``: empty for the business's."""
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        depot = session.exec(
            select(DepotRow).where(DepotRow.business_id == business_id).order_by(col(DepotRow.id))
        ).first()
    door = Point(depot.lat, depot.lon) if depot else None
    made = _Maker(business, brand, tongue(language, business.language), door, hub.now())
    return [made.sample(key, title, seen) for key, (title, seen) in made.moments().items()] + [
        Sample("bare", "Some days later", made.less(Life.BARE)),
        Sample("gone", "Expired", made.less(Life.GONE)),
    ]


class _Maker:
    def __init__(
        self,
        business: BusinessRow,
        brand: BrandRow,
        spoken: Spoken,
        door: Point | None,
        now: datetime,
    ) -> None:
        self.business, self.brand, self.spoken, self.door = business, brand, spoken, door
        self.zone, self.really = ZoneInfo(business.zone), now
        self.settings = BusinessSettings.model_validate(business.settings)
        # In the middle of a morning, whenever it is looked at: nobody is visited at midnight.
        local = now.astimezone(self.zone)
        self.now = local.replace(hour=9, minute=35, second=0, microsecond=0)

    def moments(self) -> dict[str, tuple[str, Seen]]:
        hour = self.now.replace(hour=10, minute=0)
        window = TimeWindow(hour, hour + timedelta(hours=1))
        # A day ahead, as most look at it: what can be done until some hours before is still open.
        ahead_of_it = TimeWindow(window.opens + _DAY, window.closes + _DAY)
        later = TimeWindow(hour + _DAY + 4 * _HOUR, hour + _DAY + 5 * _HOUR)
        planned = JobSeen(kind=Kind.DELIVER, state=State.DISPATCHED, windows=(ahead_of_it,))
        soon, late = self.now + 5 * _MINUTES, hour + timedelta(hours=1, minutes=20)
        job = JobSeen(kind=Kind.DELIVER, state=State.DISPATCHED, windows=(window,))
        ahead = {"quoted": window, "stops_before": 2, "away": soon - self.now}
        coming = Estimate(soon - _MINUTES, soon, soon + _MINUTES)
        behind = Estimate(late - 2 * _MINUTES, late, late + 2 * _MINUTES)
        ended = {"kind": Kind.DELIVER, "state": State.CLOSED, "ended_at": self.now}
        done = JobSeen(**ended, outcome=Outcome.SUCCEEDED)  # type: ignore[arg-type]
        missed = JobSeen(
            **ended,  # type: ignore[arg-type]
            outcome=Outcome.FAILED,
            reason=Reason.NOBODY_HOME,
        )
        kept = replace(missed, next_step=NextStep.COLLECT)
        fetched = replace(kept, fetched_at=self.now)
        off = JobSeen(**ended, outcome=Outcome.CANCELLED)  # type: ignore[arg-type]
        near = {"quoted": window, "expected": coming, "away": _MINUTES}
        return {
            Shows.ORDERED: ("Ordered", Seen(Shows.ORDERED, planned, quoted=ahead_of_it)),
            Shows.SCHEDULED: ("Planned", Seen(Shows.SCHEDULED, planned, quoted=ahead_of_it)),
            Shows.RESCHEDULED: (
                "At another time",
                Seen(Shows.RESCHEDULED, planned, quoted=later, before=ahead_of_it),
            ),
            Shows.ON_ITS_WAY: (
                "On its way",
                Seen(Shows.ON_ITS_WAY, job, expected=coming, **ahead),  # type: ignore[arg-type]
            ),
            "late": (
                "Late",
                Seen(
                    Shows.ON_ITS_WAY,
                    job,
                    quoted=behind.window,
                    before=window,
                    is_late=True,
                    stops_before=4,
                    away=late - self.now,
                ),
            ),
            Shows.ARRIVING: ("Arriving", Seen(Shows.ARRIVING, job, **near)),  # type: ignore[arg-type]
            Shows.AT_THE_DOOR: (
                "At the door",
                Seen(Shows.AT_THE_DOOR, job, quoted=window, away=timedelta(0)),
            ),
            Shows.DONE: ("Delivered", Seen(Shows.DONE, done)),
            Shows.FAILED: ("Not delivered", Seen(Shows.FAILED, missed)),
            "kept": ("Kept to be collected", Seen(Shows.FAILED, kept)),
            Shows.FETCHED: ("Collected", Seen(Shows.FETCHED, fetched)),
            Shows.CANCELLED: ("Cancelled", Seen(Shows.CANCELLED, off)),
        }

    def sample(self, key: str, title: str, seen: Seen) -> Sample:
        may = visible(seen, Life.FULL, self.settings, AWAY_M)
        doing = self._doing(seen)
        chooses = bool(doing.follows)
        status = card(seen, may, self.zone, self.now, self.spoken, chooses=chooses)
        texts = texts_of(self.brand, self.business.language, self.spoken.code)
        rule = self.settings.visibility.page.get(Fact.POSITION, NEVER)
        is_done = seen.shows is Shows.DONE
        waits = seen.shows in OPEN or seen.shows is Shows.FAILED
        pin = self.door if Fact.ADDRESS in may and seen.shows in ON_A_MAP else None
        driver = self._driver() if Fact.POSITION in may and pin else None
        page = Tracked(
            tongue=self.spoken,
            brand=self.brand,
            life=Life.FULL,
            outcome="",
            shows=seen.shows,
            card=status,
            own_words=own_words(seen, texts),
            number="1042",
            address="Main Street 1" if Fact.ADDRESS in may else "",
            recipient="Alex" if waits and Fact.RECIPIENT in may else "",
            driver="Mara" if Fact.DRIVER in may else "",
            to_pay="12.50 EUR" if waits and Fact.PAYMENT in may else "",
            zone=self.business.zone,
            follow=follow_words(seen, may, rule, self.spoken),
            items=self._items(is_done) if Fact.ITEMS in may else (),
            pin=pin,
            heard_at=driver.at if driver else None,
            position=driver,
            road=(driver.point, pin) if driver and pin and Fact.ROUTE in may else (),
            handover=Handover("Alex", int(Fact.PHOTO in may)) if is_done else None,
            rated=RateCard() if is_done and self.settings.rates else None,
            promised=self._promised(seen),
            has_time=has_time(seen),
            doing=doing,
            doing_lines=doing_lines(seen, doing, self.zone, self.now, self.spoken),
        )
        return Sample(key, title, page)

    def _doing(self, seen: Seen) -> Doing:
        rules = self.settings.self_service
        how = standing(seen, Life.FULL, began=False, told=seen.quoted)
        can = follows(rules, how, self.now)
        is_kept = seen.job.is_kept
        at = "Main Street 9" if is_kept or Follow.COLLECT in can else ""
        open_now = answers(rules, how, self.now)
        return Doing(open_now, can, NOTHING, at, rules.collect_hours, is_kept)

    def _promised(self, seen: Seen) -> tuple[tuple[str, str], ...]:
        """What was told the evening before, and what was told since."""
        if seen.shows is Shows.ORDERED or seen.quoted is None:
            return ()
        evening = self.now.replace(hour=18, minute=0) - _DAY
        told = [(seen.before or seen.quoted, evening)]
        if seen.before and seen.shows is Shows.RESCHEDULED:
            told.append((seen.quoted, self.now - _MINUTES))
        return promise_lines(told, self.zone, self.now, self.spoken)

    def less(self, life: Life) -> Tracked:
        """What is left of the page of an order that was delivered."""
        _, done = self.moments()[Shows.DONE]
        outcome = outcome_line(done, self.zone, self.spoken)
        return Tracked(tongue=self.spoken, brand=self.brand, life=life, outcome=outcome)

    def _driver(self) -> Driver:
        assert self.door is not None
        return Driver(Point(self.door.lat + _NORTH, self.door.lon), 180.0, self.really)

    def _items(self, is_done: bool) -> tuple[Item, ...]:
        return (
            Item("Sourdough loaf", 2, 2 if is_done else None),
            Item("Rye bread", 1, 1 if is_done else None),
        )
