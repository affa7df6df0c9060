"""A published round with doors, and a live process's word for what its fixes meant."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlmodel import select

from hub.core.ids import new_id
from hub.db.tables import ActRow, EventRow, JobRow, PlaceRow, StopJobRow, StopRow
from hub.flows.drive import ActResult, take_acts
from hub.flows.meanings import apply_meanings
from hub.live.store import Positions
from tests.driving_worlds import TEN, Morning, a_morning, act

FIX = "device_id, business_id, driver_id, through, seq, t, lat, lon, acc, spd, received_ms"


class Round:
    """One driver's published morning; ``noticed`` is what the live process would write."""

    def __init__(self, url: str = "", orders: int = 3) -> None:
        self.day: Morning = a_morning(orders, url)
        self.day.publish()
        self.hub, self.business_id = self.day.hub, self.day.business_id
        self.phone = self.day.phone()
        self.positions = Positions.open(self.hub.settings)
        if url.startswith("postgres"):
            self.positions = Positions(self.hub.engine)
        self.count = 0

    def clock(self, minute: float) -> datetime:
        self.day.now[0] = at = moment(minute)
        return at

    def stops(self) -> list[tuple[StopRow, JobRow]]:
        with self.hub.reading() as session:
            rows = session.exec(
                select(StopRow, JobRow)
                .join(StopJobRow, StopJobRow.stop_id == StopRow.id)
                .join(JobRow, JobRow.id == StopJobRow.job_id)
                .order_by(StopRow.n)
            ).all()
        return [(stop, job) for stop, job in rows]

    def job(self, n: int = 0) -> JobRow:
        return self.stops()[n][1]

    def place(self, n: int) -> tuple[float, float]:
        """Latitude and longitude of the ``n``-th stop."""
        with self.hub.reading() as session:
            place = session.get_one(PlaceRow, self.stops()[n][0].place_id)
        assert place.lat is not None and place.lon is not None
        return place.lat, place.lon

    def noticed(self, kind: str, n: int, minute: float, confidence: float = 0.9) -> None:
        """Of the ``n``-th stop; written, not yet applied."""
        self.count += 1
        route = self.day.route()
        self._write(
            "INSERT INTO meaning(business_id, device_id, driver_id, route_id, stop_id, kind,"
            " at_ms, confidence, fix_seq) VALUES (:business_id, :device_id, :driver_id,"
            " :route_id, :stop_id, :kind, :at_ms, :confidence, :fix_seq)",
            business_id=self.business_id,
            device_id=self.phone.id,
            driver_id=route.driver_id,
            route_id=route.id,
            stop_id=self.stops()[n][0].id,
            kind=kind,
            at_ms=ms(minute),
            confidence=confidence,
            fix_seq=self.count,
        )

    def at(self, lat: float, lon: float, minute: float) -> None:
        """The phone's last fix."""
        self.count += 1
        self._write(
            f"INSERT INTO last_fix({FIX}) VALUES (:device, :business, :driver, :seq, :seq, :t,"  # noqa: S608
            " :lat, :lon, 10, 8, :t) ON CONFLICT(device_id) DO UPDATE SET t = excluded.t,"
            " lat = excluded.lat, lon = excluded.lon, seq = excluded.seq",
            device=self.phone.id,
            business=self.business_id,
            driver=self.phone.driver_id,
            seq=self.count,
            t=ms(minute),
            lat=lat,
            lon=lon,
        )

    def apply(self) -> int:
        return apply_meanings(self.hub, self.positions)

    def tell(self, kind: str, n: int | None, minute: float, **body: object) -> ActResult:
        """By the driver's own thumb, at the door of the ``n``-th stop."""
        self.clock(max(minute, (self.day.now[0] - TEN).total_seconds() / 60))
        route_id = self.day.route().id
        told = act(new_id(), kind, None if n is None else self.job(n), 0, **body)
        told = type(told)(
            act_id=told.act_id,
            kind=kind,
            job_id=told.job_id,
            route_id=route_id,
            occurred_at=moment(minute),
            body=told.body,
        )
        [answer] = take_acts(self.hub, self.phone, [told])
        return answer

    def acts(self) -> list[ActRow]:
        with self.hub.reading() as session:
            return list(session.exec(select(ActRow).order_by(ActRow.act_id)))

    def told(self, *names: str) -> list[EventRow]:
        with self.hub.reading() as session:
            rows = session.exec(select(EventRow).order_by(EventRow.seq))
            return [row for row in rows if row.name in names]

    def _write(self, statement: str, **values: object) -> None:
        with self.positions.engine.begin() as connection:
            connection.execute(text(statement), values)


def moment(minute: float) -> datetime:
    """``minute`` past ten, the hub's time."""
    return datetime.fromtimestamp(TEN.timestamp() + minute * 60, TEN.tzinfo)


def ms(minute: float) -> int:
    return int(moment(minute).timestamp() * 1000)
