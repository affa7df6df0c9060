"""A whole day, played against a running hub by the doors that everybody uses.

The shop sends its orders, a dispatcher plans and publishes, couriers drive, things go wrong
and are put right. ``Played.step`` is one moment of it; who calls it decides how fast time goes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from hub.core.contracts import TravelTimes
from hub.core.errors import HubError, Refused
from hub.core.jobs import NextStep, Reason
from hub.core.notices import Trigger
from hub.core.planning import RoadLeg, RoadRoute
from hub.core.values import Point
from hub.demo import expected
from hub.demo.agenda import Agenda
from hub.demo.clock import Clock
from hub.demo.courier import LOOK_EVERY_S as PHONE_EVERY_S
from hub.demo.courier import Courier
from hub.demo.day import ad_hoc, chance_for, orders_for
from hub.demo.desk import Desk
from hub.demo.fate import NOON, fate_of
from hub.demo.mailbox import Mailbox
from hub.demo.morning import expect_dispatched, judged, orders_in, planned
from hub.demo.notebook import Notebook
from hub.demo.phone import Phone
from hub.demo.play import BRAND, OWNER, RESERVE, RESERVE_VAN, Bakery
from hub.demo.report import Guess, Report, told_of
from hub.demo.road import length_m
from hub.demo.shop import Shop
from hub.demo.unkept import Unkept
from hub.demo.wire import Wire

log = logging.getLogger(__name__)
LOOK_EVERY_S = 300.0  # at the board; as often as the hub estimates anew by a hand-moved clock
GUESS_EACH = 2  # looks
VISIT_EVERY_S = 420.0  # a customer looks at the link
HANDED_OVER_S, CALLED_BACK_S, DECIDED_S, AGAIN_S = 300.0, 2400.0, 600.0, 60.0
LATEST_S = 5 * 3600.0  # after the shifts' end: then something is wrong with this day
Json = Mapping[str, Any]


class Played:
    def __init__(
        self, bakery: Bakery, roads: TravelTimes, clock: Clock, port: int, *, orders: int, seed: int
    ) -> None:
        self.bakery, self.roads, self.clock, self.port, self.seed = bakery, roads, clock, port, seed
        self.book = Notebook()
        self.shop = Shop(Wire(port), bakery.key, self.book)
        self.desk = Desk(Wire(port), bakery.starts_at.date().isoformat())
        self.customer = Wire(port)
        self.couriers: dict[str, Courier] = {}
        self.orders = list(orders_for(bakery.starts_at, bakery.doors, count=orders, seed=seed))
        self.broken: list[str] = []
        self.guesses: list[Guess] = []
        self._promises: dict[str, Any] = {}
        self._unkept = Unkept(self.book)
        self.agenda = Agenda(clock, self.book)
        self.goes_on = False  # whatever goes wrong with one courier, or with one thing to do
        self._looks = 0
        self._stranded: set[str] = set()
        self._chance = chance_for(seed, "customers")

    # The morning

    def prepare(self) -> None:
        """Orders in, addresses found, routes planned and published, phones paired."""
        self.desk.log_in(OWNER, self.bakery.password)
        orders_in(self.shop, self.desk, self.book, self.clock, self.orders, self.bakery.doors)
        planned(self.desk, self.clock, len(self.orders))
        self.desk.publish()
        self.clock.near()
        expect_dispatched(self.shop, self.book)
        self.broken = judged(self.shop, self.desk, self.book, self.bakery, self.roads)
        orders = list(self.shop.orders())
        self.id_of = {order["number"]: order["id"] for order in orders}
        self._links = [(one["number"], urlsplit(one["tracking_url"]).path) for one in orders]
        self._hire()
        now_s, midnight = self._s(), self.bakery.starts_at.replace(hour=0, minute=0)
        self.agenda.surely((midnight + NOON).timestamp(), self._ring_at_noon)
        self.agenda.every(now_s, LOOK_EVERY_S, self._watch)
        self.agenda.every(now_s + 45, VISIT_EVERY_S, self._visit)
        if self.goes_on:  # also what a person changes on the board is told to the phones
            self.agenda.every(now_s, PHONE_EVERY_S, self.ring_the_phones)

    def _hire(self) -> None:
        """A courier with a paired phone for every driver, and the reserve."""
        midnight = self.bakery.starts_at.replace(hour=0, minute=0)
        fate = fate_of(self.orders, len(self.bakery.drivers), midnight, seed=self.seed)
        ids = self.desk.drivers()
        self.driver_ids = ids
        for n, name in enumerate((*self.bakery.drivers, RESERVE)):
            wire = Wire(self.port, f"127.0.{1 + n // 200}.{1 + n % 200}")
            phone = Phone(wire, name)
            phone.pair(self.desk.pairing_code(ids[name]))
            courier = Courier(
                name,
                phone,
                self._road,
                self.bakery.depot,
                chance_for(self.seed, name),
                self.book,
                fate.fails,
                self.is_over,
            )
            if n == fate.broken:
                courier.breaks_at_s = fate.breaks_at_s
            if n == fate.dead:
                courier.dead_s = fate.dead_s
            if n == fate.offline:
                courier.offline_s = fate.offline_s
            courier.begin(self.clock.now.timestamp())
            self.couriers[name] = courier

    def _road(self, here: Point, there: Point) -> RoadRoute:
        try:
            return self.roads.route((here, there), self.bakery.starts_at)
        except Refused:  # a yard the map cuts off: whoever stands before it finds a way
            straight_m = length_m(here, there)
            return RoadRoute((here, there), (RoadLeg(round(straight_m / 5), round(straight_m)),))

    # The day

    def is_over(self) -> bool:
        """Every order is over, and nothing more will come."""
        return not self.book.open and not self.agenda.pending

    def shown_to(self, courier: Courier, stops: int) -> tuple[str, str]:
        """Number and tracking link of an order so many stops into what is left of a route."""
        route = courier.phone.route()
        left = [one for one in route["stops"] if courier.phone.has(one["jobs"][0])] if route else []
        jobs = [job for stop in left for job in stop["jobs"] if expected.tells_of(self.book, job)]
        job = jobs[min(stops, len(jobs) - 1)]
        return job["number"], self.shop.order(self.id_of[job["number"]])["tracking_url"]

    @property
    def everybody_is_home(self) -> bool:
        return not any(one.on_shift for one in self.couriers.values())

    def kill_at(self, at_s: float, kill: Callable[[], None]) -> None:
        """At this moment a part of the hub falls over."""
        self.agenda.at(at_s, kill)

    def is_done(self) -> bool:
        late = self.clock.now > self.bakery.ends_at + timedelta(seconds=LATEST_S)
        if late and not self.is_over():
            self.book.hiccups.append("The day does not come to its end.")
        return late or (self.is_over() and self.everybody_is_home)

    def step(self, to: datetime) -> None:
        """Live until ``to``: what was to happen happens, and all who have news send it."""
        self.clock.move(to)
        now_s = to.timestamp()
        for act in self.agenda.due(now_s):
            self.clock.rest()
            self._well(act)
        everybody = self.couriers.values()
        for courier in everybody:
            self._well(partial(courier.advance, now_s), courier)
        answered: list[tuple[Courier, Sequence[tuple[Json, Json]]]] = []
        due = [one for one in everybody if one.phone.is_due(now_s) and one.has_signal(now_s)]
        if any(one.phone.has_said for one in due):
            self.clock.rest()
        for one in due:
            said = self._well(partial(one.phone.flush, now_s), one)
            answered.append((one, said or ()))
        if any(results for _, results in answered):
            self.clock.near()  # messages leave while vans drive on
            for one, results in answered:
                self._well(partial(self._heard, one, results), one)

    def _well[T](self, act: Callable[[], T], courier: Courier | None = None) -> T | None:
        """What comes of it. Where somebody looks on and meddles, one trouble is not the end of the
        day: the courier whose it is does nothing any more.
        """
        try:
            return act()
        except Exception as trouble:
            if not self.goes_on:
                raise
            is_bug = not isinstance(trouble, HubError)
            if courier is None:
                log.warning("the day goes on without this: %s", trouble, exc_info=is_bug)
            else:
                courier.leave()
                name = courier.name
                log.warning("%s does nothing any more: %s", name, trouble, exc_info=is_bug)
            return None

    def _heard(self, courier: Courier, results: Sequence[tuple[Json, Json]]) -> None:
        """What the answers to one phone bring about."""
        if not results:
            return
        told = {job["job_id"]: job for job in _jobs(courier.phone.day)}
        if courier.is_near_the_next and any(act["kind"] == "head_for" for act, _ in results):
            told |= {job["job_id"]: job for job in _jobs(courier.phone.look())}
        expected.of_taps(self.book, [(dict(a), r) for a, r in results], told, self.clock.now)
        for act, result in results:
            job = told.get(act.get("job_id", ""))
            if job and act["kind"] == "close" and result["result"] == "applied":
                self._ended(job, act)

    def _ended(self, job: Json, act: Json) -> None:
        number = job["number"]
        match act["body"].get("reason"):
            case None if expected.tells_of(self.book, job):
                self.book.open.discard(number)
            case Reason.NOBODY_HOME:
                self.agenda.surely(self._s() + CALLED_BACK_S, lambda: self._again_today(number))
            case Reason.OTHER:
                self.agenda.surely(
                    self._s() + DECIDED_S, lambda: self._decide(number, job["job_id"])
                )
            case Reason.REFUSED:
                self.book.open.discard(number)

    def _watch(self) -> None:
        """What a dispatcher sees: promises that became others, vans that stand still."""
        board = self._seen()
        self._looks += 1
        if self._looks % GUESS_EACH == 0:
            self._guess(board)
        for courier in self.couriers.values():
            if courier.broke_down is not None and courier.name not in self._stranded:
                self._stranded.add(courier.name)
                self.agenda.surely(self._s() + HANDED_OVER_S, partial(self._hand_over, courier))

    def _seen(self) -> Json:
        """The board once all is settled, and whose promise has become another on it."""
        self.clock.settle()
        board = self.desk.board()
        for route in board["routes"]:
            for job in (job for stop in route["stops"] for job in stop["jobs"]):
                before = self._promises.get(job["id"])
                self._promises[job["id"]] = job["promise"]
                if before is not None and job["promise"] != before:
                    expected.promised(self.book, job["number"], Trigger.NEW_TIME)
        self._unkept.look(board, self._s())
        return board

    def _guess(self, board: Json) -> None:
        """When the board expects work to begin at each door that is left."""
        for route in board["routes"]:
            if route["began_at"] and not route["ended_at"]:
                for stop in route["stops"]:
                    eta_s = datetime.fromisoformat(stop["estimate"]).timestamp()
                    self.guesses += [
                        Guess(job["id"], self._s(), eta_s)
                        for job in stop["jobs"]
                        if job["state"] not in ("closed", "arrived")
                    ]

    def _visit(self) -> None:
        """A customer looks where the order is."""
        number, path = self._chance.choice(self._links)
        answer = self.customer.get(path, Accept="text/html")
        if not answer.ok:
            self.book.hiccups.append(f"The link of {number} answered {answer.status}.")

    # What goes wrong, and is put right

    def _ring_at_noon(self) -> None:
        order = ad_hoc(self.clock.now, self.bakery.doors, seed=self.seed)
        [taken] = self.shop.send([order])
        expected.promised(self.book, order.number, Trigger.PLACED)
        self.clock.settle()
        self._place(taken["id"])

    def _again_today(self, number: str) -> None:
        """By rule it comes on another day; but the customer rang, and is at home now."""
        self._place(self.id_of[number])

    def _decide(self, number: str, job_id: str) -> None:
        order_id = self.id_of[number]
        self.desk.next_step(order_id, job_id, NextStep.RETRY_TODAY)
        expected.promised(self.book, number, Trigger.NEXT_STEP)
        self.clock.settle()
        self.agenda.surely(self._s() + AGAIN_S, lambda: self._place(order_id))

    def _place(self, order_id: str) -> None:
        """Put the order's newest job on the route that the board thinks best."""
        order = self.shop.order(order_id)
        job = order["jobs"][-1]
        if not self.desk.place(job["id"]):
            self.book.hiccups.append(f"The board has no place for {order['number']}.")
            return
        expected.promised(self.book, order["number"], Trigger.DISPATCHED)
        self._told()

    def _told(self) -> None:
        """The phones hear that a route changed, as the page's stream tells it."""
        self._seen()  # now, or two changes of one promise would look like one
        self.ring_the_phones()

    def ring_the_phones(self) -> None:
        for courier in self.couriers.values():
            courier.has_news = True

    def _hand_over(self, courier: Courier) -> None:
        """The reserve driver fetches the load where it stands, and drives on."""
        route_id, reserve = courier.phone.route_id, self.couriers[RESERVE]
        reserve.load_at = courier.broke_down
        self.desk.hand_over(route_id, self.driver_ids[RESERVE])
        self.desk.change_van(route_id, RESERVE, RESERVE_VAN)
        self._told()

    # The evening

    def report(self, box: Mailbox, began: float) -> Report:
        self.clock.settle()
        self._watch()
        orders = list(self.shop.orders())
        return told_of(
            orders,
            self.book,
            box,
            BRAND,
            [one.phone for one in self.couriers.values()],
            {name: self._track(name) for name in self.couriers},
            self.guesses,
            self.broken,
            time.monotonic() - began,
        )

    def _track(self, name: str) -> set[int]:
        phones = self.desk.track(self.driver_ids[name])["phones"]
        return {fix["seq"] for phone in phones for fix in phone["fixes"]}

    # Small things

    def _s(self) -> float:
        return self.clock.now.timestamp()


def _jobs(day: Json) -> list[Json]:
    """Every job that a phone shows, also those of routes that are over."""
    return [job for route in day.get("routes", ()) for stop in route["stops"]
            for job in stop["jobs"]]  # fmt: skip
