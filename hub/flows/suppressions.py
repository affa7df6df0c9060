"""Whom a business does not write to: they said so, or nothing reaches them.

It holds for a whole channel of a business, not for one order: who answers STOP wants no more.
Only a hash of the address is kept, and as much of it as tells a person which one it is.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from sqlalchemy import bindparam, text
from sqlmodel import Session, col, select

from hub.core.contracts import Reaches
from hub.core.phones import e164
from hub.db.tables import BusinessRow, SuppressionRow
from hub.db.unit import took_one
from hub.flows.audit import note

if TYPE_CHECKING:
    from hub.app import Hub

Why = Literal["reply", "link", "staff", "carrier", "gone"]
WORDS: dict[str, str] = {
    "reply": "They answered that they want no more messages.",
    "link": "They said on the page in a message that they want no more.",
    "staff": "Somebody here noted that they want no more messages.",
    "carrier": "They told the carrier that they want no more messages.",
    "gone": "The carrier says that nothing ever reaches this address.",
}

_AT = SuppressionRow.__table__.c.at.type  # type: ignore[attr-defined]
# Of two calls at once one is news. The business is not locked for it: who calls has a notice, and
# those who have the business wait for notices.
_ONCE = text(
    """
    INSERT INTO suppression (id, business_id, reaches, address_hash, shown, why, actor, at)
    VALUES (:id, :business_id, :reaches, :address_hash, :shown, :why, :actor, :at)
    ON CONFLICT (business_id, reaches, address_hash) DO NOTHING
    """
).bindparams(bindparam("at", type_=_AT))


def stopped(
    session: Session, business_id: str, reaches: Reaches, address: str
) -> SuppressionRow | None:
    """``None``: it may be written to."""
    return session.exec(
        select(SuppressionRow).where(
            SuppressionRow.business_id == business_id,
            SuppressionRow.reaches == reaches,
            SuppressionRow.address_hash == address_hash(business_id, reaches, address),
        )
    ).one_or_none()


def stop(
    session: Session,
    business_id: str,
    reaches: Reaches,
    address: str,
    why: Why,
    at: datetime,
    *,
    actor: str = "hub",
) -> bool:
    """In a unit: nothing is sent there any more; whether that is news. Safe to repeat.

    What a person said replaces that it was thought unreachable, and not the other way round.
    """
    new = SuppressionRow(
        business_id=business_id,
        reaches=reaches,
        address_hash=address_hash(business_id, reaches, address),
        shown=shown(reaches, address),
        why=why,
        actor=actor,
        at=at,
    )
    if took_one(session.execute(_ONCE, new.model_dump())):
        return True
    row = stopped(session, business_id, reaches, address)
    if row is not None and row.why == "gone" and why != "gone":
        row.why, row.at, row.actor = why, at, actor
    return False


def start(session: Session, business_id: str, reaches: Reaches, address: str) -> bool:
    """In a unit: it may be written to again, whoever said what; whether it might not."""
    row = stopped(session, business_id, reaches, address)
    if row is not None:
        session.delete(row)
    return row is not None


def listed(hub: Hub, business_id: str, *, most: int = 500) -> list[SuppressionRow]:
    """The latest first."""
    with hub.reading() as session:
        return list(
            session.exec(
                select(SuppressionRow)
                .where(SuppressionRow.business_id == business_id)
                .order_by(col(SuppressionRow.at).desc(), col(SuppressionRow.id).desc())
                .limit(most)
            )
        )


def note_stop(hub: Hub, business_id: str, typed: str, *, actor: str) -> None:
    """What somebody on the telephone asked for. Raises ``ValueError`` with a sentence for what is
    neither a number nor an e-mail address.
    """
    with hub.unit() as unit:
        country = unit.session.get_one(BusinessRow, business_id).country
        reaches, address = _typed(typed, country)
        stop(unit.session, business_id, reaches, address, "staff", hub.now(), actor=actor)
        note(hub, unit.session, business_id, actor, "messages stopped", shown(reaches, address))


def lift(hub: Hub, business_id: str, row_id: str, *, actor: str) -> None:
    """Write to it again, because they asked. Raises ``LookupError`` for one of another business."""
    with hub.unit() as unit:
        row = unit.session.exec(
            select(SuppressionRow).where(
                SuppressionRow.business_id == business_id, SuppressionRow.id == row_id
            )
        ).one_or_none()
        if row is None:
            raise LookupError("There is no such address.")
        unit.session.delete(row)
        note(hub, unit.session, business_id, actor, "messages allowed again", row.shown)


def address_hash(business_id: str, reaches: Reaches, address: str) -> str:
    """The same for every spelling of an address; another one in every business."""
    return sha256(f"{business_id} {reaches} {spelled(reaches, address)}".encode()).hexdigest()


def spelled(reaches: Reaches, address: str) -> str:
    """``address`` in one spelling of all there are."""
    plain = address.strip().casefold()
    if reaches == "phone":
        return "+" + "".join(one for one in plain if one.isdigit())
    return plain


def shown(reaches: Reaches, address: str) -> str:
    """ "+3584…67", "a…@example.com" """
    if reaches == "email" and "@" in address:
        name, _, domain = address.rpartition("@")
        return f"{name[:1]}…@{domain}"[:80]
    return f"{address[:5]}…{address[-2:]}"


def _typed(typed: str, country: str) -> tuple[Reaches, str]:
    typed = typed.strip()
    if "@" in typed and " " not in typed and len(typed) <= 254:
        return "email", typed
    number = e164(typed, country)
    if number is None:
        raise ValueError("This is neither a telephone number nor an e-mail address.")
    return "phone", number
