"""A brand's own domain: typed by the business, proven by its DNS, looked after every day.

The links of a brand name its domain only once that is proven, and the hub's own again once it
has failed for some days.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import Session, col, delete, select

from hub.core.branding import certified_name, host_problem
from hub.core.own_domain import after_check, is_due, judge, token_name, token_text
from hub.db.tables import BrandDomainRow, BrandRow
from hub.db.unit import one_at_a_time
from hub.dns import Names
from hub.flows.audit import note
from hub.flows.log_in import NotAccepted

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.core.own_domain import Found, State

AT_ONCE = 20  # names looked up by one run of the chore


@dataclass(frozen=True, slots=True)
class Domain:
    """What the panel says of one: the two records to make, and what was found."""

    row: BrandDomainRow
    text_at: str
    text: str
    leads_to: str


def domain_of(hub: Hub, brand: BrandRow) -> Domain | None:
    """``None`` as long as the brand has none."""
    with hub.reading() as session:
        row = _of_brand(session, brand)
    if row is None:
        return None
    return Domain(row, token_name(row.host), token_text(row.token), hub_host(hub))


def hub_host(hub: Hub) -> str:
    """Where names must lead; empty while the hub has no name of its own."""
    return certified_name(hub.settings.host)


def set_domain(hub: Hub, brand: BrandRow, host: str, *, actor: str) -> None:
    """Take ``host`` as what the brand's pages shall stand under. Raises ``NotAccepted``.

    Others may claim it too: the token in its DNS decides.
    """
    host = host.strip().rstrip(".").lower()
    ours = hub_host(hub)
    if not ours:
        raise NotAccepted(
            "host", "This hub has no domain of its own yet; whoever runs it sets HUB_DOMAIN."
        )
    problem = host_problem(host)
    if host == ours or ours.endswith(f".{host}"):
        problem = "This is the hub's own name."
    if problem:
        raise NotAccepted("host", problem)
    with hub.unit() as unit:
        one_at_a_time(unit.session, brand.business_id, key_share=True)
        row = _of_brand(unit.session, brand)
        if row is not None and row.host == host:
            return
        taken = unit.session.exec(
            select(BrandDomainRow.id).where(
                BrandDomainRow.business_id == brand.business_id, BrandDomainRow.host == host
            )
        ).first()
        if taken is not None:
            raise NotAccepted("host", "Another brand of yours has this name.")
        if row is not None:
            unit.session.delete(row)
            unit.session.flush()
        unit.session.add(
            BrandDomainRow(
                business_id=brand.business_id,
                brand_id=brand.id,
                host=host,
                token=secrets.token_urlsafe(24),
            )
        )
        note(hub, unit.session, brand.business_id, actor, "own domain set", host)


def drop_domain(hub: Hub, brand: BrandRow, *, actor: str) -> None:
    """Links of the brand name the hub's own domain from now on. Safe to repeat."""
    with hub.unit() as unit:
        row = _of_brand(unit.session, brand)
        if row is not None:
            unit.session.exec(
                delete(BrandDomainRow).where(
                    col(BrandDomainRow.business_id) == brand.business_id,
                    col(BrandDomainRow.id) == row.id,
                )
            )
            note(hub, unit.session, brand.business_id, actor, "own domain removed", row.host)


def check_domain(hub: Hub, business_id: str, domain_id: str, names: Names | None = None) -> State:
    """Look in DNS and keep what it says; the domain's state. Raises ``LookupError``.

    Of several businesses that claim a name, one that holds it keeps it for as long as its token
    is there.
    """
    with hub.reading() as session:
        row = _ours(session, business_id, domain_id)
        host, token = row.host, row.token
    found = (names or Names()).look_up(host, token_name(host), hub_host(hub))
    verdict = judge(host, token, hub_host(hub), found)
    now = hub.now()
    with hub.unit() as unit:
        session = unit.session
        one_at_a_time(session, business_id, key_share=True)
        row = _ours(session, business_id, domain_id)
        before: State = row.state  # type: ignore[assignment]
        row.checked_at, row.said = now, verdict.said
        if row.host != host or row.token != token:
            return before
        if verdict.holds and not _is_free(session, row, found):
            row.said = f"Another business of this hub holds {host}, and its proof is still there."
            return before
        state, row.failing_since = after_check(before, row.failing_since, verdict, now)
        row.state = state
        if state == "proven":
            row.proven_host, row.proven_at = host, row.proven_at or now
        if state != before:
            note(hub, session, business_id, "hub", f"own domain {state}", host)
        return state


def check_domains(hub: Hub, names: Names | None = None) -> int:
    """Look after every domain that is due; how many were looked at. Safe to repeat."""
    now = hub.now()
    with hub.reading() as session:
        rows = session.exec(
            select(BrandDomainRow)
            .where(BrandDomainRow.state != "waiting")
            .order_by(col(BrandDomainRow.checked_at), col(BrandDomainRow.id))
        ).all()
    due = [row for row in rows if is_due(row.state, row.checked_at, now)]  # type: ignore[arg-type]
    for row in due[:AT_ONCE]:
        try:
            check_domain(hub, row.business_id, row.id, names)
        except LookupError:  # taken away meanwhile
            continue
    return len(due[:AT_ONCE])


def business_at(session: Session, host: str) -> str | None:
    """Whose pages stand under ``host``; ``None`` where it is nobody's proven name.

    The one query here that is not of one business: the name says which one it is.
    """
    return session.exec(
        select(BrandDomainRow.business_id).where(BrandDomainRow.proven_host == host)
    ).one_or_none()


def _is_free(session: Session, row: BrandDomainRow, found: Found) -> bool:
    """Whether nobody else holds the name; who holds it without a token in its DNS loses it."""
    holder = session.exec(
        select(BrandDomainRow).where(
            BrandDomainRow.proven_host == row.host, BrandDomainRow.id != row.id
        )
    ).one_or_none()
    if holder is None:
        return True
    if token_text(holder.token) in found.texts:
        return False
    holder.proven_host, holder.state = None, "waiting"
    holder.said = f"Somebody else has proven that {row.host} is theirs."
    session.flush()
    return True


def _of_brand(session: Session, brand: BrandRow) -> BrandDomainRow | None:
    return session.exec(
        select(BrandDomainRow).where(
            BrandDomainRow.business_id == brand.business_id, BrandDomainRow.brand_id == brand.id
        )
    ).one_or_none()


def _ours(session: Session, business_id: str, domain_id: str) -> BrandDomainRow:
    row = session.exec(
        select(BrandDomainRow).where(
            BrandDomainRow.business_id == business_id, BrandDomainRow.id == domain_id
        )
    ).one_or_none()
    if row is None:
        raise LookupError("There is no such domain.")
    return row
