"""Staff: the first account, logging in, and whose session a cookie is.

Passwords are argon2id hashes. A session is a random token; its row holds only the
SHA-256 of it, so that a stolen database opens nothing. Sessions use real time.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import EmailStr, TypeAdapter, ValidationError
from sqlalchemy import bindparam, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from hub.core.errors import HubError
from hub.core.log_in import is_over
from hub.db.tables import AuditRow, BusinessRow, LogInRow, MembershipRow, StaffRow
from hub.flows.throttle import forgive, within_limit
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub

SEEN_EVERY = timedelta(minutes=1)  # a write for each request would serialise all staff
WITHIN_S = 900
TRIES = 10  # of one account from one address: a person who mistypes
TRIES_OF_ALL = 100  # of one account from everywhere: few enough to guess nothing, and enough
# that ten strangers cannot lock its owner out
TRIES_FROM_ONE = 50  # from one address: an office behind one line has many people
SHORTEST_PASSWORD = 12
_email = TypeAdapter(EmailStr)
_HOLDER = (  # made once: each request of staff asks it
    select(LogInRow, StaffRow, MembershipRow, BusinessRow)
    .join(StaffRow, col(StaffRow.id) == col(LogInRow.staff_id))
    .join(MembershipRow, col(MembershipRow.staff_id) == col(StaffRow.id))
    .join(BusinessRow, col(BusinessRow.id) == col(MembershipRow.business_id))
    .where(
        LogInRow.token_hash == bindparam("token_hash"),
        MembershipRow.business_id == LogInRow.business_id,
        col(StaffRow.disabled).is_(False),
        col(MembershipRow.accepted_at).is_not(None),
    )
)


class Role(StrEnum):
    OWNER = "owner"
    DISPATCHER = "dispatcher"
    ACCOUNTANT = "accountant"
    VIEWER = "viewer"


class TooManyTries(HubError):
    """Wait before trying to log in again."""


class NotAccepted(HubError):
    """What was typed cannot be used; ``field`` says where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Staff:
    """Who is logged in, where, and the token their forms must carry."""

    staff_id: str
    name: str
    email: str
    business_id: str
    business: str
    zone: str
    role: Role
    csrf: str

    @property
    def actor(self) -> str:
        return f"staff:{self.staff_id}"


def nobody_yet(hub: Hub) -> bool:
    """Whether this installation waits for its first account."""
    with hub.reading() as session:
        return session.exec(select(func.count()).select_from(StaffRow)).one() == 0


def add_staff(
    hub: Hub,
    business_id: str,
    *,
    email: str,
    password: str | None,
    role: Role,
    name: str = "",
    actor: str = "hub",
) -> str:
    """The new member's id; an account that exists keeps its password.

    Without a ``password`` the membership is an invitation: it opens nothing until its person
    took the business's own link (``hub.flows.people``). Raises ``NotAccepted`` for what
    cannot be used.
    """
    address = checked_email(email)
    password_hash = "" if password is None else hash_of(hub, password)
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        staff = unit.session.exec(select(StaffRow).where(StaffRow.email == address)).one_or_none()
        if staff is None:
            staff = StaffRow(
                email=address,
                name=name.strip(),
                password_hash=password_hash,
                created_at=datetime.now(UTC),
            )
            unit.session.add(staff)
            _flushed(unit.session, "Somebody added this person just now. Look again.")
        unit.session.add(
            MembershipRow(
                business_id=business_id,
                staff_id=staff.id,
                role=role,
                accepted_at=None if password is None else datetime.now(UTC),
            )
        )
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="staff.added",
                subject=f"{staff.id} {role}",
                at=hub.now(),
            )
        )
        _flushed(unit.session, "This person already belongs to the business.")
    return staff.id


def _flushed(session: Session, taken: str) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise NotAccepted("email", taken) from None


def checked_email(email: str) -> str:
    """The address in lower case. Raises ``NotAccepted``."""
    try:
        return _email.validate_python(email.strip()).lower()
    except ValidationError:
        raise NotAccepted("email", "This is not an e-mail address.") from None


def hash_of(hub: Hub, password: str) -> str:
    """Raises ``NotAccepted`` for a password that is too easily guessed."""
    if len(password) < SHORTEST_PASSWORD:
        raise NotAccepted("password", f"Use at least {SHORTEST_PASSWORD} characters.")
    if len(password) > 1000:
        raise NotAccepted("password", "Use at most 1,000 characters.")
    if len(set(password)) < 5:
        raise NotAccepted("password", "Use more different characters.")
    return hub.passwords.hash(password)


def log_in(hub: Hub, email: str, password: str, *, address: str) -> str | None:
    """A session's token for the cookie; ``None`` when e-mail or password is wrong.

    ``address`` is where the request came from. Raises ``TooManyTries``.
    """
    staff = account_of(hub, email, password, address=address)
    return None if staff is None else _open_session(hub, staff, password)


def account_of(hub: Hub, email: str, password: str, *, address: str) -> StaffRow | None:
    """The account that these open; ``None`` when one of them is wrong. Raises ``TooManyTries``."""
    who = email.strip().lower()[:100]
    account = hashed(who)[:32]
    counted = {
        f"log_in:{account}:{address}": TRIES,
        f"log_in:{account}": TRIES_OF_ALL,
        f"log_in:from:{address}": TRIES_FROM_ONE,
    }
    if not all([within_limit(hub, key, most, WITHIN_S) for key, most in counted.items()]):
        raise TooManyTries("Too many tries. Wait 15 minutes, then try again.")
    with hub.reading() as session:
        staff = session.exec(select(StaffRow).where(StaffRow.email == who)).one_or_none()
    if staff is None or staff.disabled or not staff.password_hash:
        hub.passwords.hash(password[:1000])  # takes as long as looking at a real account's
        return None
    if not _is(hub, password[:1000], staff.password_hash):
        return None
    for key in counted:
        forgive(hub, key)
    return staff


def staff_of(hub: Hub, token: str) -> Staff | None:
    """Who holds this session; ``None`` for one unknown, idle too long or of a member who left."""
    now = datetime.now(UTC)
    with hub.reading() as session:
        found = session.exec(_HOLDER, params={"token_hash": hashed(token)}).one_or_none()
    if found is None:
        return None
    row, staff, member, business = found
    if is_over(row.created_at, row.seen_at, now):
        return None
    if row.seen_at < now - SEEN_EVERY:
        with hub.unit() as unit:
            if (seen := _session_row(unit.session, token)) is not None:
                seen.seen_at = now
    return Staff(
        staff.id,
        staff.name or staff.email,
        staff.email,
        business.id,
        business.name,
        business.zone,
        Role(member.role),
        row.csrf,
    )


def businesses_of(hub: Hub, staff_id: str) -> list[tuple[str, str]]:
    """Id and name of every business this person belongs to, by name."""
    with hub.reading() as session:
        return [
            (business.id, business.name)
            for business in session.exec(
                select(BusinessRow)
                .join(MembershipRow, col(MembershipRow.business_id) == col(BusinessRow.id))
                .where(
                    MembershipRow.staff_id == staff_id,
                    col(MembershipRow.accepted_at).is_not(None),
                )
                .order_by(BusinessRow.name)
            )
        ]


def switch_business(hub: Hub, token: str, business_id: str) -> bool:
    """Work for another business of one's own; ``False`` if one does not belong to it."""
    with hub.unit() as unit:
        row = _session_row(unit.session, token)
        if row is None:
            return False
        member = unit.session.exec(
            select(MembershipRow).where(
                MembershipRow.business_id == business_id,
                MembershipRow.staff_id == row.staff_id,
                col(MembershipRow.accepted_at).is_not(None),
            )
        ).one_or_none()
        if member is None:
            return False
        row.business_id = business_id
    return True


def log_out(hub: Hub, token: str) -> None:
    """End this session. Safe to repeat."""
    with hub.unit() as unit:
        unit.session.exec(delete(LogInRow).where(col(LogInRow.token_hash) == hashed(token)))


def change_password(hub: Hub, staff_id: str, old: str, new: str) -> None:
    """Set a new password and end every session. Raises ``NotAccepted``."""
    password_hash = hash_of(hub, new)
    with hub.reading() as session:
        staff = session.get_one(StaffRow, staff_id)
    if not _is(hub, old, staff.password_hash):
        raise NotAccepted("old", "This is not your present password.")
    with hub.unit() as unit:
        unit.session.get_one(StaffRow, staff_id).password_hash = password_hash
        unit.session.exec(delete(LogInRow).where(col(LogInRow.staff_id) == staff_id))


def _open_session(hub: Hub, staff: StaffRow, password: str) -> str | None:
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    is_old = hub.passwords.check_needs_rehash(staff.password_hash)
    renewed = hub.passwords.hash(password) if is_old else ""
    with hub.unit() as unit:
        first = unit.session.exec(
            select(MembershipRow)
            .where(MembershipRow.staff_id == staff.id, col(MembershipRow.accepted_at).is_not(None))
            .order_by(col(MembershipRow.id))
        ).first()
        if first is None:
            return None
        if renewed:
            unit.session.get_one(StaffRow, staff.id).password_hash = renewed
        unit.session.add(
            LogInRow(
                token_hash=hashed(token),
                staff_id=staff.id,
                business_id=first.business_id,
                csrf=secrets.token_urlsafe(32),
                created_at=now,
                seen_at=now,
            )
        )
    return token


def _session_row(session: Session, token: str) -> LogInRow | None:
    return session.exec(select(LogInRow).where(LogInRow.token_hash == hashed(token))).one_or_none()


def _is(hub: Hub, password: str, password_hash: str) -> bool:
    try:
        return hub.passwords.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
