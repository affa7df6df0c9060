"""Where a business's own programs listen: made, changed, switched on and off, removed.

What is signed with lies sealed in ``secret``; nobody is shown it but whoever made it, once.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field
from sqlalchemy import delete, update
from sqlmodel import Session, col, func, select

from hub.addresses import resolved
from hub.core.errors import ConfigError, Refused
from hub.core.webhook_types import TYPES, WebhookType
from hub.core.webhooks import PREFIX
from hub.db.tables import (
    AttemptLogRow,
    AuditRow,
    BusinessRow,
    EndpointRow,
    WebhookRow,
)
from hub.db.unit import Unit, forbid_open_unit
from hub.flows.secrets import CREDENTIALS, forget, seal

if TYPE_CHECKING:
    from hub.app import Hub

MOST = 20  # of one business: each event is sent to each
NOW = "secret"  # the name of what signs
LISTENS = ("on", "failing")
"""States in which an endpoint is told, or would be once it is switched on again."""
SWITCHED_OFF = "The endpoint was switched off before this was delivered."


class EndpointIn(BaseModel):
    url: str = Field(
        title="Address",
        description="Where your program listens, such as https://example.com/webhooks.",
        min_length=1,
        max_length=2000,
    )
    description: str = Field(
        default="", title="What listens there", description="For you alone.", max_length=200
    )
    types: list[WebhookType] = Field(default=list(TYPES), title="What it is told", min_length=1)


@dataclass(frozen=True, slots=True)
class Made:
    endpoint: EndpointRow
    secret: str

    def __repr__(self) -> str:
        return f"Made({self.endpoint.id})"


def checked_url(hub: Hub, url: str) -> str:
    """``url`` if the hub may call it. Raises ``ConfigError`` with a sentence for its field.

    Looks its name up, so not inside a unit. Each attempt looks again: names can be moved.
    """
    forbid_open_unit("looking a name up")
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong("This is no address. Write it like https://example.com/webhooks.") from None
    if parts.scheme not in ("https", "http") or not host or not url.isprintable() or " " in url:
        raise _wrong("This is no address. Write it like https://example.com/webhooks.")
    if port == 0:
        raise _wrong("No server listens at port 0. Leave it out, or write the one yours has.")
    if parts.username is not None or parts.password is not None:
        raise _wrong("Leave name and password out of the address; each webhook is signed instead.")
    if parts.fragment:
        raise _wrong("Leave out what comes after #; servers never see it.")
    port = port or (443 if parts.scheme == "https" else 80)
    allowed = hub.settings.http_allow
    if parts.scheme == "http" and not {host, f"{host}:{port}"} & set(allowed):
        raise _wrong("It must begin with https://, so that nobody on the way reads or changes it.")
    try:
        resolved(host, port, allowed)
    except Refused as problem:
        raise _wrong(str(problem)) from None
    except (OSError, UnicodeError):
        raise _wrong(f"There is no server named {host}. Is it spelt right?") from None
    return url


def make_endpoint(hub: Hub, business_id: str, given: EndpointIn, *, actor: str) -> Made:
    """Raises ``ConfigError`` at the field that cannot work."""
    url = checked_url(hub, given.url)
    with hub.unit() as unit:
        return add_endpoint(hub, unit, business_id, given, url, actor)


def add_endpoint(
    hub: Hub, unit: Unit, business_id: str, given: EndpointIn, url: str, actor: str
) -> Made:
    """In a unit: a new endpoint at ``url``, which was checked. Raises ``ConfigError``."""
    unit.session.get_one(BusinessRow, business_id, with_for_update=True)  # one at a time
    known = select(func.count()).where(EndpointRow.business_id == business_id)
    if unit.session.exec(known).one() >= MOST:
        raise _wrong(f"There are {MOST} endpoints already. Remove one that is not used any more.")
    there = select(EndpointRow.id).where(
        EndpointRow.business_id == business_id, EndpointRow.url == url
    )
    if unit.session.exec(there).first() is not None:  # a form sent twice, as by a reload
        raise _wrong("An endpoint has this address already. Choose what it is told of there.")
    row = EndpointRow(
        business_id=business_id,
        url=url,
        description=given.description.strip(),
        types=_in_order(given.types),
        created_at=hub.now(),
    )
    unit.session.add(row)
    unit.session.flush()
    secret = new_secret()
    seal(hub, unit, business_id, row.id, {NOW: (CREDENTIALS, secret)})
    noted(hub, unit, row, "endpoint.made", actor)
    return Made(row, secret)


def change_endpoint(
    hub: Hub, business_id: str, endpoint_id: str, changes: Mapping[str, Any], *, actor: str
) -> EndpointRow:
    """``changes`` are fields of ``EndpointIn``, valid. Raises ``LookupError``, ``ConfigError``."""
    changes = dict(changes)
    if "url" in changes:
        changes["url"] = checked_url(hub, changes["url"])
    with hub.unit() as unit:
        return amend_endpoint(hub, unit, business_id, endpoint_id, changes, actor)


def amend_endpoint(
    hub: Hub,
    unit: Unit,
    business_id: str,
    endpoint_id: str,
    changes: Mapping[str, Any],
    actor: str,
) -> EndpointRow:
    """In a unit: as ``change_endpoint``, with an address that was checked.

    What waits for it goes to the new address. ``active`` switches it on or off.
    """
    row = endpoint_of(unit.session, business_id, endpoint_id, lock=True)
    changes = {**changes}
    active = changes.pop("active", None)
    if "types" in changes:
        changes["types"] = _in_order(changes["types"])
    for name, value in changes.items():
        setattr(row, name, value)
    if changes:
        noted(hub, unit, row, f"endpoint.changed {','.join(sorted(changes))}", actor)
    if active is not None and active != (row.state == "on"):
        _switch(hub, unit, row, active, actor)
    unit.session.flush()
    return row


def switch(hub: Hub, business_id: str, endpoint_id: str, on: bool, *, actor: str) -> None:
    """What waits when it is switched off becomes a dead letter. Raises ``LookupError``."""
    with hub.unit() as unit:
        amend_endpoint(hub, unit, business_id, endpoint_id, {"active": on}, actor)


def switch_off(hub: Hub, unit: Unit, row: EndpointRow, state: str, why: str) -> None:
    """In a unit that locked ``row``: the hub itself, or somebody, stops telling it."""
    row.state, row.problem, row.paused_until = state, why, None
    unit.session.exec(
        update(WebhookRow)
        .where(
            col(WebhookRow.business_id) == row.business_id,
            col(WebhookRow.endpoint_id) == row.id,
            col(WebhookRow.state) == "due",
        )
        .values(
            state="dead", problem=SWITCHED_OFF, settled_at=hub.now(), claim="", leased_until=None
        )
    )


def _switch(hub: Hub, unit: Unit, row: EndpointRow, on: bool, actor: str) -> None:
    if on:
        row.state, row.problem, row.failing_since, row.paused_until = "on", "", None, None
    else:
        switch_off(hub, unit, row, "off", "")
    noted(hub, unit, row, f"endpoint.switched {'on' if on else 'off'}", actor)


def remove_endpoint(hub: Hub, business_id: str, endpoint_id: str, *, actor: str) -> None:
    """With its secrets and its log; what waited is not sent. Raises ``LookupError``."""
    with hub.unit() as unit:
        drop_endpoint(hub, unit, business_id, endpoint_id, actor)


def drop_endpoint(
    hub: Hub, unit: Unit, business_id: str, endpoint_id: str, actor: str
) -> EndpointRow:
    """In a unit: as ``remove_endpoint``; the row as it was."""
    row = endpoint_of(unit.session, business_id, endpoint_id, lock=True)
    mine = (
        col(WebhookRow.business_id) == business_id,
        col(WebhookRow.endpoint_id) == endpoint_id,
    )
    ids = select(WebhookRow.id).where(*mine)
    unit.session.exec(
        delete(AttemptLogRow).where(
            col(AttemptLogRow.business_id) == business_id, col(AttemptLogRow.webhook_id).in_(ids)
        )
    )
    unit.session.exec(delete(WebhookRow).where(*mine))
    forget(unit, business_id, endpoint_id)
    noted(hub, unit, row, "endpoint.removed", actor)
    unit.session.delete(row)
    unit.session.flush()
    return row


def endpoint_of(
    session: Session, business_id: str, endpoint_id: str, *, lock: bool = False
) -> EndpointRow:
    """Raises ``LookupError`` when the business has no such endpoint."""
    wanted = select(EndpointRow).where(
        EndpointRow.business_id == business_id, EndpointRow.id == endpoint_id
    )
    row = session.exec(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise LookupError(f"no endpoint {endpoint_id}")
    return row


def endpoints_of(session: Session, business_id: str) -> Sequence[EndpointRow]:
    """The business's endpoints, oldest first."""
    return session.exec(
        select(EndpointRow)
        .where(EndpointRow.business_id == business_id)
        .order_by(col(EndpointRow.id))
    ).all()


def listening_businesses(session: Session) -> set[str]:
    """Those with an endpoint that is told, or would be once it is switched on again."""
    query = select(EndpointRow.business_id).where(col(EndpointRow.state).in_(LISTENS))
    return set(session.exec(query.distinct()))


def _in_order(types: Sequence[str]) -> list[str]:
    return [one for one in TYPES if one in types]


def new_secret() -> str:
    """32 random bytes, as Standard Webhooks writes them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _wrong(sentence: str) -> ConfigError:
    return ConfigError(sentence, field="url")


def noted(hub: Hub, unit: Unit, row: EndpointRow, action: str, actor: str) -> None:
    """In a unit: who did what to it."""
    unit.session.add(
        AuditRow(
            business_id=row.business_id,
            actor=actor,
            action=action,
            subject=f"endpoint:{row.id}",
            at=hub.now(),
        )
    )
