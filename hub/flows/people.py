"""The people of a business: who they are, their roles, and links by which they get in.

An account may belong to several businesses, and none of them may open another by it. So a
membership opens nothing until its person took that business's own link, and no business sets
the password of an account that opens another.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session, col, delete, select

from hub.core.errors import HubError
from hub.db.tables import BusinessRow, LogInRow, MembershipRow, StaffRow
from hub.flows.audit import note
from hub.flows.log_in import NotAccepted, Role, account_of, hash_of

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.db.unit import Unit

VALID = timedelta(days=3)


class LastOwner(HubError):
    """A business keeps at least one owner."""


class WorksElsewhereToo(HubError):
    """One business must not open another with somebody's new password."""


@dataclass(frozen=True, slots=True)
class Person:
    staff_id: str
    name: str
    email: str
    role: Role
    accepted: bool


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
            staff.name if member.accepted_at else "",  # it may be of another business's making
            staff.email,
            Role(member.role),
            member.accepted_at is not None,
        )
        for staff, member in rows
    ]


def set_role(hub: Hub, business_id: str, staff_id: str, role: Role, *, actor: str) -> None:
    """Raises ``LookupError`` for somebody of another business, ``LastOwner``."""
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        member = _member(unit.session, business_id, staff_id)
        if member.role == Role.OWNER and role is not Role.OWNER:
            _keep_an_owner(unit.session, business_id, staff_id)
        member.role = role
        note(hub, unit.session, business_id, actor, "staff.role", f"{staff_id} {role}")


def remove(hub: Hub, business_id: str, staff_id: str, *, actor: str) -> None:
    """Take somebody out of the business; their sessions in it end at once."""
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        member = _member(unit.session, business_id, staff_id)
        if member.role == Role.OWNER:
            _keep_an_owner(unit.session, business_id, staff_id)
        unit.session.delete(member)
        unit.session.exec(
            delete(LogInRow).where(
                col(LogInRow.business_id) == business_id, col(LogInRow.staff_id) == staff_id
            )
        )
        note(hub, unit.session, business_id, actor, "staff.removed", staff_id)


@dataclass(frozen=True, slots=True)
class Welcome:
    """A link as it came: whose, to which business, until when (Unix time), and its signature."""

    staff_id: str
    business_id: str
    until: int
    signature: str


@dataclass(frozen=True, slots=True)
class Invited:
    """What a good link is for. ``has_password``: the account has one, and it is asked for;
    ``is_member``: who forgot it sets a new one.
    """

    email: str
    business: str
    has_password: bool
    is_member: bool


def welcome_path(hub: Hub, business_id: str, staff_id: str) -> str:
    """The path by which somebody accepts an invitation, or sets a new password: once, within
    three days.

    Raises ``LookupError`` for nobody of this business; ``WorksElsewhereToo`` for a member
    whose password opens another business as well.
    """
    with hub.reading() as session:
        member = _member(session, business_id, staff_id)
        if member.accepted_at is not None and _elsewhere(session, member):
            raise WorksElsewhereToo(
                "This person works for another business here too: only they can change their"
                " password, under Account, or the operator with `hub password`."
            )
        staff = session.get_one(StaffRow, staff_id)
    until = int((datetime.now(UTC) + VALID).timestamp())
    signature = _signed(hub, staff, business_id, until, is_member=member.accepted_at is not None)
    return f"/panel/welcome/{staff_id}/{business_id}/{until}/{signature}"


def invited(hub: Hub, link: Welcome) -> Invited | None:
    """What the link is for; ``None`` once it was used or is too old."""
    with hub.reading() as session:
        found = _good(hub, session, link)
    if found is None:
        return None
    staff, member, business = found
    is_member = member.accepted_at is not None
    return Invited(staff.email, business.name, bool(staff.password_hash), is_member)


def accept(hub: Hub, link: Welcome, password: str, *, address: str) -> bool:
    """Take an invitation, or set a new password. ``False`` if the link is no longer good.

    Who has an account types its password, which stays; anybody else makes one up. Raises
    ``NotAccepted`` for a wrong or a weak one, ``TooManyTries``.
    """
    what = invited(hub, link)
    if what is None:
        return False
    keeps = what.has_password and not what.is_member
    if keeps and account_of(hub, what.email, password, address=address) is None:
        raise NotAccepted("password", "This is not the password of this account.")
    password_hash = "" if keeps else hash_of(hub, password)
    with hub.unit() as unit:
        found = _good(hub, unit.session, link, in_turn=True)
        if found is None:
            return False
        staff, member, _ = found
        member.accepted_at = member.accepted_at or datetime.now(UTC)
        if not keeps:
            _set_password(unit, staff, password_hash)
        note(hub, unit.session, link.business_id, f"staff:{staff.id}", "staff.accepted", staff.id)
    return True


def reset_password(hub: Hub, email: str, password: str) -> None:
    """For the operator. Raises ``LookupError`` for nobody, ``NotAccepted`` for a weak one."""
    password_hash = hash_of(hub, password)
    with hub.unit() as unit:
        query = select(StaffRow).where(StaffRow.email == email.strip().lower())
        staff = unit.session.exec(query.with_for_update()).one_or_none()
        if staff is None:
            raise LookupError(f"Nobody has an account as {email}.")
        _set_password(unit, staff, password_hash)
        for member in unit.session.exec(
            select(MembershipRow).where(MembershipRow.staff_id == staff.id)
        ):
            note(hub, unit.session, member.business_id, "operator", "staff.password", staff.id)


def _set_password(unit: Unit, staff: StaffRow, password_hash: str) -> None:
    staff.password_hash = password_hash
    unit.session.exec(delete(LogInRow).where(col(LogInRow.staff_id) == staff.id))


def _good(
    hub: Hub, session: Session, link: Welcome, *, in_turn: bool = False
) -> tuple[StaffRow, MembershipRow, BusinessRow] | None:
    query = (
        select(StaffRow, MembershipRow, BusinessRow)
        .join(MembershipRow, col(MembershipRow.staff_id) == col(StaffRow.id))
        .join(BusinessRow, col(BusinessRow.id) == col(MembershipRow.business_id))
        .where(MembershipRow.business_id == link.business_id, StaffRow.id == link.staff_id)
    )
    if in_turn:  # the account too: two businesses may invite it, each with its own link
        query = query.with_for_update(of=[StaffRow, MembershipRow])
    found = session.exec(query).one_or_none()
    if found is None or found[0].disabled or link.until < datetime.now(UTC).timestamp():
        return None
    staff, member, _ = found
    is_member = member.accepted_at is not None
    if is_member and _elsewhere(session, member):  # since the link was made
        return None
    right = _signed(hub, staff, link.business_id, link.until, is_member=is_member)
    return found if hmac.compare_digest(right.encode(), link.signature.encode()) else None


def _elsewhere(session: Session, member: MembershipRow) -> bool:
    """Whether this member's account opens another business too."""
    other = session.exec(
        select(MembershipRow.id).where(
            MembershipRow.business_id != member.business_id,
            MembershipRow.staff_id == member.staff_id,
            col(MembershipRow.accepted_at).is_not(None),
        )
    ).first()
    return other is not None


def _signed(hub: Hub, staff: StaffRow, business_id: str, until: int, *, is_member: bool) -> str:
    # The present hash is part of it: setting a password ends every link made before.
    what = f"welcome:{staff.id}:{business_id}:{until}:{is_member}:{staff.password_hash}"
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
            col(MembershipRow.accepted_at).is_not(None),
        )
    ).first()
    if other is None:
        raise LastOwner("Make somebody else an owner first: a business keeps at least one.")
