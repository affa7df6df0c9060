"""Every row the document of a proof draws on, read at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from hub.core.values import Point
from hub.db.tables import (
    ActRow,
    BrandRow,
    BusinessRow,
    ChainRow,
    ContactRow,
    DriverRow,
    JobRow,
    LineRow,
    OrderRow,
    PlaceRow,
    PromiseRow,
    ProofFileRow,
    ProofRow,
    RouteRow,
)
from hub.flows.brands import of_order
from hub.flows.prove import job_of, proof_of
from hub.pdf.pod import ACCENT

COLOUR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Told:
    """Every row the document draws on."""

    business: BusinessRow
    brand: BrandRow | None
    order: OrderRow
    job: JobRow
    proof: ProofRow
    lines: Sequence[LineRow]
    contacts: Mapping[str, ContactRow]
    place: PlaceRow | None
    promise: PromiseRow | None
    driver: DriverRow | None
    files: Sequence[ProofFileRow]
    links: Sequence[ChainRow]
    named: Sequence[Mapping[str, str]]  # the files the driver's phone says there are

    @property
    def colour(self) -> str:
        is_colour = self.brand and COLOUR.fullmatch(self.brand.colour)
        return self.brand.colour if self.brand and is_colour else ACCENT

    @property
    def at(self) -> Point | None:
        """Where the phone was; ``None`` when it did not know."""
        return _point(self.proof.lat, self.proof.lon)

    @property
    def door(self) -> Point | None:
        """Where the address is; ``None`` while nobody has found it."""
        return _point(self.place.lat, self.place.lon) if self.place else None

    @classmethod
    def read(cls, session: Session, business_id: str, job_id: str) -> Told:
        job = job_of(session, business_id, job_id)
        if (proof := proof_of(session, business_id, job_id)) is None:
            raise LookupError(f"no proof of job {job_id}")
        act = session.exec(
            select(ActRow)
            .where(
                ActRow.business_id == business_id, ActRow.job_id == job_id, ActRow.kind == "close"
            )
            .where(ActRow.occurred_at == proof.occurred_at)
            .order_by(col(ActRow.received_at))
        ).first()
        contacts = session.exec(
            select(ContactRow).where(
                ContactRow.business_id == business_id, ContactRow.order_id == job.order_id
            )
        )
        order = session.exec(
            select(OrderRow).where(OrderRow.business_id == business_id, OrderRow.id == job.order_id)
        ).one()
        return cls(
            business=session.get_one(BusinessRow, business_id),
            brand=of_order(session, order),
            order=order,
            job=job,
            proof=proof,
            lines=session.exec(
                select(LineRow)
                .where(LineRow.business_id == business_id, LineRow.order_id == job.order_id)
                .order_by(col(LineRow.n))
            ).all(),
            contacts={one.role: one for one in contacts},
            place=session.exec(
                select(PlaceRow).where(
                    PlaceRow.business_id == business_id, PlaceRow.id == job.place_id
                )
            ).one_or_none(),
            promise=session.exec(
                select(PromiseRow)
                .where(PromiseRow.business_id == business_id, PromiseRow.job_id == job_id)
                .order_by(col(PromiseRow.n).desc())
            ).first(),
            driver=_driver(session, business_id, act.route_id if act else None),
            files=session.exec(
                select(ProofFileRow)
                .where(ProofFileRow.business_id == business_id, ProofFileRow.job_id == job_id)
                .order_by(col(ProofFileRow.received_at), col(ProofFileRow.id))
            ).all(),
            links=session.exec(
                select(ChainRow)
                .where(ChainRow.business_id == business_id, ChainRow.job_id == job_id)
                .order_by(col(ChainRow.n))
            ).all(),
            named=act.body.get("files", []) if act else [],
        )


def _driver(session: Session, business_id: str, route_id: str | None) -> DriverRow | None:
    return session.exec(
        select(DriverRow)
        .join(RouteRow, col(RouteRow.driver_id) == col(DriverRow.id))
        .where(RouteRow.business_id == business_id, RouteRow.id == route_id)
    ).one_or_none()


def _point(lat: float | None, lon: float | None) -> Point | None:
    return None if lat is None or lon is None else Point(lat, lon)
