"""One order of five on a morning's round, and the moments its recipient may look at it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageDraw
from sqlmodel import select

from hub.app import Hub
from hub.core.business import BusinessSettings
from hub.core.jobs import NextStep
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Line, Point, Role
from hub.core.visibility import ALWAYS, Reader, Rule
from hub.db.tables import (
    BrandRow,
    BusinessRow,
    DeviceRow,
    JobRow,
    LinkRow,
    OrderRow,
    PromiseRow,
    StopJobRow,
    StopRow,
)
from hub.flows.connections import connection_id
from hub.flows.drive import IncomingAct, take_acts
from hub.flows.kept_goods import note_fetched
from hub.flows.next_steps import choose_step
from hub.flows.plan import plan_day
from hub.flows.prove import put_file
from hub.flows.sync import store_all
from tests.driving_worlds import DAY, SIX, Morning, a_copy, a_morning

NUMBER = "2"
EIGHT = datetime(2026, 11, 23, 6, tzinfo=UTC)  # eight o'clock in Helsinki


class Street:
    """``tell`` is the driver's phone; ``job`` what the page is about just now."""

    def __init__(self, day: Morning, device: DeviceRow | None = None) -> None:
        self.day, self.hub, self.business_id = day, day.hub, day.business_id
        self.said = 0
        if device is None:
            self.report(status="open")
            plan_day(self.hub, self.business_id, DAY, strategy="nearest")  # its door has changed
        self.device = device or self.day.phone()

    def report(self, *, status: str, minutes: int = 1) -> None:
        order = IncomingOrder(
            ref=NUMBER,
            number=NUMBER,
            updated_at=SIX + timedelta(minutes=minutes),
            address=Address((f"Yrjönkatu {NUMBER}", "C 12"), city="Helsinki", country="FI"),
            point=Point(60.17 + int(NUMBER) / 500, 24.94),
            contacts=(
                Contact(Role.RECIPIENT, "Anna Virtanen", "+358401234567", "anna@example.fi"),
            ),
            lines=(Line("Sourdough loaf", 2), Line("Rye bread")),
            status=status,  # type: ignore[arg-type]
        )
        connection = connection_id(self.hub, self.business_id, "api")
        store_all(self.hub, self.business_id, connection, [order])

    @property
    def order(self) -> OrderRow:
        with self.hub.reading() as session:
            return session.exec(select(OrderRow).where(OrderRow.number == NUMBER)).one()

    @property
    def token(self) -> str:
        with self.hub.reading() as session:
            link = session.exec(
                select(LinkRow).where(
                    LinkRow.order_id == self.order.id, LinkRow.role == Role.RECIPIENT
                )
            ).one()
        return self.hub.keys.link_token(self.order.id, link.epoch)

    @property
    def job(self) -> JobRow:
        with self.hub.reading() as session:
            jobs = session.exec(
                select(JobRow).where(JobRow.order_id == self.order.id).order_by(JobRow.attempt)
            )
            return list(jobs)[-1]

    def job_at(self, n: int) -> JobRow:
        with self.hub.reading() as session:
            return session.exec(
                select(JobRow)
                .join(StopJobRow, StopJobRow.job_id == JobRow.id)
                .join(StopRow, StopRow.id == StopJobRow.stop_id)
                .where(StopRow.n == n)
            ).one()

    def change(self, table: type, **values: object) -> None:
        with self.hub.unit() as unit:
            row = unit.session.exec(
                select(table).where(
                    (table.id if table is BusinessRow else table.business_id) == self.business_id
                )
            ).one()
            for name, value in values.items():
                setattr(row, name, value)

    def settings(self, **values: object) -> None:
        with self.hub.unit() as unit:
            row = unit.session.get_one(BusinessRow, self.business_id)
            row.settings = {**row.settings, **values}

    def sees(self, reader: Reader = Reader.PAGE, **rules: Rule) -> None:
        """Another rule for some facts, each by its name."""
        sees(self.hub, self.business_id, reader, **rules)

    def clock(self, minutes: float) -> None:
        """``minutes`` past eight, the business's time."""
        self.day.now[0] = EIGHT + timedelta(minutes=minutes)

    def tell(self, kind: str, job: JobRow | None, minutes: float, **body: object) -> None:
        self.said += 1
        self.clock(minutes)
        act = IncomingAct(
            act_id=str(self.said),
            kind=kind,
            occurred_at=self.hub.now(),
            job_id=job.id if job else None,
            route_id=self.day.route().id,
            body=body,
        )
        [answer] = take_acts(self.hub, self.device, [act])
        assert answer.result == "applied", answer

    def close(self, job: JobRow, minutes: float, **body: object) -> None:
        photo = [{"kind": "photo", "sha256": sha256(PHOTO).hexdigest()}]
        self.tell("close", job, minutes, **{"outcome": "succeeded", "files": photo, **body})


def sees(hub: Hub, business_id: str, reader: Reader = Reader.PAGE, **rules: Rule) -> None:
    with hub.unit() as unit:
        row = unit.session.get_one(BusinessRow, business_id)
        kept = BusinessSettings.model_validate(row.settings).visibility.but(reader, **rules)
        row.settings = {**row.settings, "visibility": kept.model_dump(mode="json")}


def a_new_street() -> Street:
    kept = _kept()
    return Street(a_copy(kept.day), kept.device)


@cache
def _kept() -> Street:
    return Street(a_morning(5))


def a_picture(width: int, height: int, colour: str, kind: str = "JPEG") -> bytes:
    picture = Image.new("RGB", (width, height), "#d8cfc2")
    ImageDraw.Draw(picture).rectangle(
        (width * 0.3, height * 0.1, width * 0.7, height * 0.9), fill=colour
    )
    out = BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "A phone that tells who made it"
    picture.save(out, kind, exif=exif)
    return out.getvalue()


OWN_WORDS = {
    "greeting": "Baked this morning, and still warm.",
    "thanks": "Thank you! Bread keeps best in its paper bag.",
    "help": "Is something wrong? Call us before noon and we bring another one today.",
}
PHOTO = a_picture(1600, 1200, "#7a5b45")


def ordered() -> Street:
    return a_new_street()


def scheduled() -> Street:
    street = a_new_street()
    street.day.publish()
    return street


def on_its_way() -> Street:
    street = scheduled()
    street.tell("start_shift", None, 0)
    street.close(street.job_at(1), 4)
    return street


def arriving() -> Street:
    street = on_its_way()
    for n in (2, 3):
        street.close(street.job_at(n), 1 + 3 * n)
    street.tell("head_for", street.job, 11)
    return street


def at_the_door() -> Street:
    street = arriving()
    street.tell("arrive", street.job, 13)
    return street


def delivered() -> Street:
    street = at_the_door()
    street.sees(photo=ALWAYS)
    sha = sha256(PHOTO).hexdigest()
    put_file(street.hub, street.business_id, street.job.id, "photo", "image/jpeg", PHOTO, sha)
    street.close(street.job, 14, name="Anna Virtanen")
    return street


def failed() -> Street:
    street = at_the_door()
    street.close(street.job, 14, outcome="failed", reason="wrong_address", note="no such house")
    return street


def kept() -> Street:
    """For its recipient to fetch at the depot."""
    street = at_the_door()
    street.settings(self_service={"follows": ["collect"], "collect_hours": "Mon to Fri, 9 to 18"})
    street.close(street.job, 14, outcome="failed", reason="nobody_home", note="rang twice")
    choose_step(street.hub, street.business_id, street.job.id, NextStep.COLLECT, actor="recipient")
    return street


def fetched() -> Street:
    street = kept()
    street.clock(300)
    note_fetched(street.hub, street.business_id, street.job.id, actor="staff:1")
    return street


def partly() -> Street:
    """One of the two loaves was missing."""
    street = at_the_door()
    lines = [{"n": 1, "delivered": 1}, {"n": 2, "delivered": 1}]
    street.close(street.job, 14, outcome="partial", reason="missing_items", lines=lines)
    return street


def rescheduled() -> Street:
    street = at_the_door()
    street.close(street.job, 14, outcome="failed", reason="nobody_home", note="rang twice")
    choose_step(
        street.hub, street.business_id, street.job.id, NextStep.ANOTHER_DAY, actor="staff:1"
    )
    return street


def moved() -> Street:
    """The same job, promised for the afternoon after all."""
    street = scheduled()
    with street.hub.unit() as unit:
        known = unit.session.exec(
            select(PromiseRow).where(PromiseRow.job_id == street.job.id)
        ).one()
        later = timedelta(hours=6)
        unit.session.add(
            PromiseRow(
                business_id=street.business_id,
                job_id=known.job_id,
                n=2,
                opens=known.opens + later,
                closes=known.closes + later,
                told_by="page",
                at=street.hub.now(),
            )
        )
        stop = unit.session.exec(
            select(StopRow)
            .join(StopJobRow, StopJobRow.stop_id == StopRow.id)
            .where(StopJobRow.job_id == known.job_id)
        ).one()
        stop.arrive_at += later
        stop.depart_at += later
    return street


def late() -> Street:
    street = on_its_way()
    street.clock(75)
    return street


def cancelled() -> Street:
    street = scheduled()
    street.report(status="cancelled", minutes=60)
    return street


def bare() -> Street:
    street = delivered()
    street.clock(60 * 60)
    return street


def gone() -> Street:
    street = delivered()
    street.clock(40 * 24 * 60)
    return street


MOMENTS: dict[str, Callable[[], Street]] = {
    "ordered": ordered,
    "scheduled": scheduled,
    "on_its_way": on_its_way,
    "arriving": arriving,
    "at_the_door": at_the_door,
    "delivered": delivered,
    "failed": failed,
    "kept": kept,
    "fetched": fetched,
    "partly": partly,
    "rescheduled": rescheduled,
    "moved": moved,
    "late": late,
    "cancelled": cancelled,
    "bare": bare,
    "gone": gone,
}


def branded(street: Street, *, colour: str = "#8a3b12") -> Street:
    street.change(
        BrandRow,
        name="Husk Bakery",
        colour=colour,
        phone="+358 9 123 4567",
        logo=a_picture(300, 300, colour, "WEBP"),
        website="https://husk.example/",
        texts=OWN_WORDS,
    )
    return street
