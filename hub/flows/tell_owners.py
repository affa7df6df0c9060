"""Write to the owners of a business when the hub gave something up that they set up.

An errand, so at least once; a repeat has the ``Message-ID`` it had. Without a channel that
reaches e-mail nobody is written to: Home says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.contracts import Message, NotificationChannel
from hub.core.errors import MaybeSent, Refused
from hub.core.events import EndpointSwitchedOff
from hub.db.tables import BusinessRow, EndpointRow, MembershipRow, StaffRow
from hub.flows.choices import providers
from hub.flows.log_in import Role
from hub.flows.notice_mail import message_id_for

if TYPE_CHECKING:
    from hub.app import Hub

NAME = "hub.owners"
TEXT = """\
The hub tells a program of {business} what happens: {endpoint}.

It has been switched off. {problem}

What to do now: have the program mended, then switch it on again and send again what it missed:
{url}
"""


def tell_switched_off(hub: Hub, event: EndpointSwitchedOff) -> int:
    """How many owners were written to; none once it is on again. Raises what the channel raises."""
    with hub.reading() as session:
        endpoint = session.exec(
            select(EndpointRow).where(
                EndpointRow.business_id == event.business_id,
                EndpointRow.id == event.subject_id,
                col(EndpointRow.state).in_(("failing", "gone")),
            )
        ).one_or_none()
        if endpoint is None:
            return 0
        business = session.get_one(BusinessRow, event.business_id)
        owners = _owners(session, event.business_id)
    channel = next(
        (
            one
            for one in providers(hub, event.business_id, NotificationChannel)
            if one.reaches == "email"
        ),
        None,
    )
    if channel is None:
        return 0
    name = endpoint.description or endpoint.url
    text = TEXT.format(
        business=business.name,
        endpoint=name,
        problem=event.problem,
        url=f"{hub.settings.public_url}/panel/webhooks/{endpoint.id}",
    )
    return sum(
        _is_written(
            channel,
            Message(
                key=f"{event.id}:{owner.id}",
                to=owner.email,
                subject=f"Webhooks to {name[:120]} were switched off",
                text=text,
                sender=business.name,
                message_id=message_id_for(hub, f"{event.id}-{owner.id}"),
            ),
        )
        for owner in owners
    )


def _is_written(channel: NotificationChannel, message: Message) -> bool:
    """An address that takes no mail keeps it from nobody else."""
    try:
        channel.send(message)
    except MaybeSent:
        return True
    except Refused:
        return False
    return True


def _owners(session: Session, business_id: str) -> Sequence[StaffRow]:
    return session.exec(
        select(StaffRow)
        .join(MembershipRow, col(MembershipRow.staff_id) == col(StaffRow.id))
        .where(
            MembershipRow.business_id == business_id,
            MembershipRow.role == Role.OWNER,
            col(MembershipRow.accepted_at).is_not(None),
            col(StaffRow.disabled).is_(False),
        )
        .order_by(col(StaffRow.id))
    ).all()
