"""Where a connection's owner says yes at the other side: sent there, and what comes back."""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel
from sqlmodel import select

from hub.core.connecting import Connection, ConnectsByOAuth, HandsOverKeys, Way
from hub.core.contracts import WebhookRequest
from hub.core.errors import AuthError, ConfigError, HubError
from hub.db.tables import ApprovalRow, ConnectionRow
from hub.db.unit import forbid_open_unit
from hub.flows.connected import class_of, made, row_of
from hub.flows.connection_kept import (
    TrialTokens,
    fields_of,
    goes_on,
    note_problem,
    on_trial,
    stored,
    with_what_it_was,
)
from hub.flows.one_shop import AlreadyConnected, at_rest, identity_before, identity_of
from hub.flows.secrets import opened
from hub.flows.strangers import proven
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub

APPROVED_WITHIN = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Connected:
    """``approve_at`` is where its owner has to go first; empty when the connection is made."""

    connection_id: str
    approve_at: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an approval. ``problem`` says why it is not connected; ``None``: it is."""

    connection_id: str
    problem: HubError | None = None


def sent_away(
    hub: Hub,
    business_id: str,
    cls: type[Connection],
    settings: BaseModel,
    known: ConnectionRow | None,
    way: Way,
    actor: str,
) -> Connected:
    state = random.token_urlsafe(32)
    trial = on_trial(hub, cls, settings, TrialTokens(), "")
    identity = identity_before(trial)
    if same := at_rest(hub, business_id, identity, cls.key, known.id if known else ""):
        if known is not None:
            raise AlreadyConnected(same, cls.title)
        settings = with_what_it_was(cls, settings, same, way)
        return sent_away(hub, business_id, cls, settings, same, way, actor)
    match trial:
        case ConnectsByOAuth() if way.then == "authorize":
            url = trial.authorize_url(state, back_url(hub))
        case HandsOverKeys() if way.then == "hand_over":
            back = f"{back_url(hub)}?state={state}"
            url = trial.approve_url(state, back, f"{hub.settings.public_url}/hooks/keys/{state}")
        case _:
            raise ConfigError(f"{cls.title} cannot be connected in this way.")
    row_id = stored(hub, business_id, cls, settings, known, "approving", actor, {}, identity)
    with hub.unit() as unit:
        unit.session.add(
            ApprovalRow(
                business_id=business_id,
                connection_id=row_id,
                state_hash=hashed(state),
                staff_id=actor.removeprefix("staff:"),
                expires_at=datetime.now(UTC) + APPROVED_WITHIN,
            )
        )
    return Connected(row_id, url)


def came_back(hub: Hub, business_id: str, staff_id: str, query: Mapping[str, str]) -> Answered:
    """The connection's owner signed in at the other side: take the tokens, and check them.

    An answer that says no, or does not work, leaves the connection to be approved, with what is
    wrong. Raises ``AuthError`` for one nobody here asked for; ``LookupError`` for another
    business's.
    """
    forbid_open_unit("taking tokens")
    row = _approved(hub, query.get("state", ""), business_id, staff_id)
    try:
        return Answered(_taken(hub, row, f"staff:{staff_id}", query))
    except HubError as problem:
        note_problem(hub, row, problem, "approving")
        return Answered(row.id, problem)


def _taken(hub: Hub, row: ConnectionRow, actor: str, query: Mapping[str, str]) -> str:
    """The id of the connection that is made by it."""
    plain = {**row.settings, **opened(hub, row.business_id, row.id)}
    asked = made(hub, row.plugin, plain, TrialTokens(), "")
    if not isinstance(asked, ConnectsByOAuth):
        return row.id  # it hands its keys over by itself; the person only comes back
    tokens = TrialTokens(asked.exchange(query, back_url(hub)))
    cls = class_of(hub, row.plugin)
    settings = cls.Settings.model_validate(fields_of(cls, plain))
    tried = on_trial(hub, cls, settings, tokens, "")
    proven(tried)
    identity = identity_of(tried)
    if same := at_rest(hub, row.business_id, identity, row.plugin, row.id):
        return goes_on(hub, cls, settings, row, same, identity, actor, tokens.kept)
    return stored(hub, row.business_id, cls, settings, row, "ok", actor, tokens.kept, identity)


def keys_came(hub: Hub, state: str, request: WebhookRequest) -> None:
    """The store sends the keys that its owner approved.

    Raises ``BadSignature``, or ``AuthError`` when nobody waits for them (any more): whoever reads
    the address of an approval later must not put keys of his own there.
    """
    forbid_open_unit("taking keys")
    row = _approved(hub, state)
    if row.state != "approving":
        raise AuthError("Nobody waits for these keys any more.")
    cls = class_of(hub, row.plugin)
    plain = {**row.settings, **opened(hub, row.business_id, row.id)}
    asked = made(hub, row.plugin, plain, TrialTokens(), "")
    if not isinstance(asked, HandsOverKeys):
        raise AuthError("Nobody waits for these keys.")
    settings = cls.Settings.model_validate(fields_of(cls, {**plain, **asked.keys(request)}))
    tried = on_trial(hub, cls, settings, TrialTokens(), "")
    try:
        proven(tried)
        identity = identity_of(tried)
        by = f"connection:{row.id}"
        stored(hub, row.business_id, cls, settings, row, "ok", by, {}, identity)
    except HubError as problem:
        note_problem(hub, row, problem, "needs_reconnect")


def _approved(hub: Hub, state: str, business_id: str = "", staff_id: str = "") -> ConnectionRow:
    """The connection that an answer with this state is for; the state is good for once.

    Without a business the state alone says whose it is: keys come with no session.
    """
    with hub.unit() as unit:
        asked = unit.session.exec(
            select(ApprovalRow).where(ApprovalRow.state_hash == hashed(state)).with_for_update()
        ).one_or_none()
        if asked is None or asked.expires_at < datetime.now(UTC):
            raise AuthError("This approval was not asked for here, or too long ago. Start again.")
        if business_id and (asked.business_id, asked.staff_id) != (business_id, staff_id):
            raise AuthError("This approval was asked for by somebody else. Start again.")
        row = row_of(unit.session, asked.business_id, asked.connection_id)
        if not business_id:
            return row  # the person still comes back with the same state
        unit.session.delete(asked)
        return row


def back_url(hub: Hub) -> str:
    """Where the other side sends a person back to."""
    return f"{hub.settings.public_url}/panel/connections/back"
