"""The people of a business: who they are, their roles, and links to set a password."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session, col, delete, select

from hub.core.errors import HubError
from hub.db.tables import AuditRow, LogInRow, MembershipRow, StaffRow
from hub.flows.log_in import Role, hash_of

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.db.unit import Unit

VALID = timedelta(days=3)


class LastOwner(HubError):
    """A business keeps at least one owner."""


@dataclass(frozen=True, slots=True)
class Person:
    staff_id: str
    name: str
    email: str
    role: Role
    can_log_in: bool


def people_of(hub: Hub, business_id: str) -> list[Person]:
    """Everybody who belongs to the business, by e-mail."""
    with hub.reading() as session:
        rows = session.exec(
            select(StaffRow, MembershipRow)
            .join(MembershipRow, col(MembershipRow.staff_id) == col(StaffRow.id))
            .where(MembershipRow.business_id == business_id)
            .order_by(StaffRow.email)
        ).all()
    return [
        Person(
            staff.id,
            staff.name,
            staff.email,
            Role(member.role),
            bool(staff.password_hash) and not staff.disabled,
        )
        for staff, member in rows
    ]


def set_role(hub: Hub, business_id: str, staff_id: str, role: Role, *, actor: str) -> None:
    """Raises ``LookupError`` for somebody of another business, ``LastOwner``."""
    with hub.unit() as unit:
        member = _member(unit.session, business_id, staff_id)
        if member.role == Role.OWNER and role is not Role.OWNER:
            _keep_an_owner(unit.session, business_id, staff_id)
        member.role = role
        _note(hub, unit, business_id, actor, "staff.role", f"{staff_id} {role}")


def remove(hub: Hub, business_id: str, staff_id: str, *, actor: str) -> None:
    """Take somebody out of the business; their sessions in it end at once."""
    with hub.unit() as unit:
        member = _member(unit.session, business_id, staff_id)
        if member.role == Role.OWNER:
            _keep_an_owner(unit.session, business_id, staff_id)
        unit.session.delete(member)
        unit.session.exec(
            delete(LogInRow).where(
                col(LogInRow.business_id) == business_id, col(LogInRow.staff_id) == staff_id
            )
        )
        _note(hub, unit, business_id, actor, "staff.removed", staff_id)


def password_link(hub: Hub, business_id: str, staff_id: str) -> str:
    """The path by which somebody sets a password: once, within three days."""
    with hub.reading() as session:
        _member(session, business_id, staff_id)
        staff = session.get_one(StaffRow, staff_id)
    until = int((datetime.now(UTC) + VALID).timestamp())
    return f"/panel/welcome/{staff_id}/{until}/{_signed(hub, staff, until)}"


def welcomed(hub: Hub, staff_id: str, until: int, signature: str) -> StaffRow | None:
    """Whose link this is; ``None`` once it was used or is too old."""
    with hub.reading() as session:
        staff = session.get(StaffRow, staff_id)
    if staff is None or staff.disabled or until < datetime.now(UTC).timestamp():
        return None
    return staff if hmac.compare_digest(_signed(hub, staff, until), signature) else None


def set_password(hub: Hub, staff_id: str, until: int, signature: str, password: str) -> bool:
    """``False`` if the link is no longer good. Raises ``NotAccepted`` for a weak password."""
    password_hash = hash_of(hub, password)
    if welcomed(hub, staff_id, until, signature) is None:
        return False
    with hub.unit() as unit:
        unit.session.get_one(StaffRow, staff_id).password_hash = password_hash
        unit.session.exec(delete(LogInRow).where(col(LogInRow.staff_id) == staff_id))
    return True


def _signed(hub: Hub, staff: StaffRow, until: int) -> str:
    # The present hash is part of it: setting a password ends every link made before.
    what = f"welcome:{staff.id}:{until}:{staff.password_hash}"
    return hmac.digest(hub.keys.session, what.encode(), "sha256").hex()


def _member(session: Session, business_id: str, staff_id: str) -> MembershipRow:
    member = session.exec(
        select(MembershipRow).where(
            MembershipRow.business_id == business_id, MembershipRow.staff_id == staff_id
        )
    ).one_or_none()
    if member is None:
        raise LookupError(f"no member {staff_id}")
    return member


def _keep_an_owner(session: Session, business_id: str, staff_id: str) -> None:
    other = session.exec(
        select(MembershipRow).where(
            MembershipRow.business_id == business_id,
            MembershipRow.role == Role.OWNER,
            MembershipRow.staff_id != staff_id,
        )
    ).first()
    if other is None:
        raise LastOwner("Make somebody else an owner first: a business keeps at least one.")


def _note(hub: Hub, unit: Unit, business_id: str, actor: str, action: str, subject: str) -> None:
    unit.session.add(
        AuditRow(business_id=business_id, actor=actor, action=action, subject=subject, at=hub.now())
    )
