"""A new installation's first steps: the first account, and whether phones reach the hub."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core.business import Trade
from hub.db.tables import AuditRow, BusinessRow, MembershipRow
from hub.flows.found import found
from hub.flows.log_in import NotAccepted, Role, add_staff, checked_email, hash_of, nobody_yet
from hub.flows.throttle import within_limit

if TYPE_CHECKING:
    from hub.app import Hub

REACHED = "address.reached"


def start_code(hub: Hub) -> str:
    """What ``hub up`` prints: it lets a stranger's machine make the first account, once."""
    return hub.keys.link_token("first account", 1)


def may_start(hub: Hub, code: str, *, is_local: bool) -> bool:
    """Whether this caller may make the first account."""
    return nobody_yet(hub) and (is_local or _same(code, start_code(hub)))


def start(
    hub: Hub,
    *,
    name: str,
    email: str,
    password: str,
    business: str,
    zone: str,
    country: str,
    trade: Trade,
) -> str:
    """Found the first business and its owner; the business's id.

    Raises ``NotAccepted`` before anything is stored. Repeating after a crash goes on
    with the business that was founded.
    """
    checked_email(email)
    hash_of(hub, password)
    if not business.strip():
        raise NotAccepted("business", "Say what your business is called.")
    if not nobody_yet(hub) or not within_limit(hub, "first account", 1, 5):
        raise NotAccepted("email", "The first account was just made. Log in instead.")
    business_id = _founded_before(hub, business.strip()) or found(
        hub, business.strip(), zone=zone, country=country, trade=trade
    )
    add_staff(hub, business_id, email=email, password=password, role=Role.OWNER, name=name)
    return business_id


def reach_path(hub: Hub, business_id: str) -> str:
    """The page a phone opens to show that it reaches the hub."""
    return f"/panel/reach/{business_id}/{hub.keys.link_token(f'reach:{business_id}', 1)}"


def reached(hub: Hub, business_id: str, token: str, url: str) -> bool:
    """Note that a phone came in by ``url``; ``False`` for a token that is not this business's."""
    if not _same(token, hub.keys.link_token(f"reach:{business_id}", 1)):
        return False
    if url not in reached_by(hub, business_id):
        with hub.unit() as unit:
            if unit.session.get(BusinessRow, business_id) is None:
                return False
            unit.session.add(
                AuditRow(
                    business_id=business_id,
                    actor="phone",
                    action=REACHED,
                    subject=url[:200],
                    at=hub.now(),
                )
            )
    return True


def reached_by(hub: Hub, business_id: str) -> list[str]:
    """The addresses by which phones have come in."""
    with hub.reading() as session:
        return list(
            session.exec(
                select(AuditRow.subject)
                .where(AuditRow.business_id == business_id, AuditRow.action == REACHED)
                .distinct()
            )
        )


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())  # of text it takes ASCII alone


def _founded_before(hub: Hub, name: str) -> str:
    with hub.reading() as session:
        members = select(MembershipRow.business_id)
        row = session.exec(
            select(BusinessRow).where(BusinessRow.name == name, col(BusinessRow.id).not_in(members))
        ).first()
    return row.id if row else ""
