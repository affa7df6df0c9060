"""Connect a shop or the books, change how, and disconnect: nothing is kept that does not work.

What the business typed is checked at the other side before it is stored. Where its owner has to
sign in there, the connection waits as ``approving`` until the answer comes back.
"""

from __future__ import annotations

import logging
import secrets as random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr
from sqlmodel import col, delete, select

from hub.core.connecting import (
    AcceptsWebhooks,
    Connection,
    ConnectsByOAuth,
    HandsOverKeys,
    Way,
)
from hub.core.contracts import Option, Tokens, WebhookRequest
from hub.core.errors import AuthError, ConfigError, HubError
from hub.db.tables import (
    ApprovalRow,
    AuditRow,
    BusinessRow,
    ConnectionRow,
    RejectRow,
    SeenCallRow,
    TokenLeaseRow,
)
from hub.db.unit import Unit, forbid_open_unit
from hub.flows.connected import HOOK, HOOK_SECRET, class_of, made, provider_of, row_of
from hub.flows.missed import missed_from, tell_missed
from hub.flows.one_shop import (
    AlreadyConnected,
    at_rest,
    has_history,
    identity_before,
    identity_of,
    refuse_second,
)
from hub.flows.secrets import (
    WEBHOOKS,
    demand_typed,
    forget,
    forget_lost,
    goes_elsewhere,
    is_filled,
    opened,
    readable,
    ring_of,
    seal,
    secret_values,
)
from hub.flows.strangers import failed, proven
from hub.flows.tokens import ConnectionTokens
from hub.flows.works_again import note_again, try_parked
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
APPROVED_WITHIN = timedelta(minutes=30)


class TrialTokens:
    """Tokens of a connection that is still being checked."""

    def __init__(self, kept: Mapping[str, str] | None = None) -> None:
        self.kept = dict(kept or {})

    def load(self) -> Mapping[str, str]:
        return dict(self.kept)

    def refresh_once(
        self, refresh: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        self.kept = dict(refresh(dict(self.kept)))
        return dict(self.kept)


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


def connect(
    hub: Hub,
    business_id: str,
    plugin: str,
    values: Mapping[str, Any],
    *,
    actor: str,
    connection_id: str = "",
    approve_again: bool = False,
) -> Connected:
    """Make a connection, or change the one named. An empty secret means "as it was".

    Where its owner has to approve, he is sent there for a new one, for one that is let in no
    more, or to ``approve_again``.

    Raises ``pydantic.ValidationError`` with the fields that are wrong, else a ``HubError`` with
    a sentence and maybe a ``field``; then everything is as before.
    """
    forbid_open_unit("checking a connection")
    cls = class_of(hub, plugin)
    known = _known(hub, business_id, connection_id)
    kept = _kept(hub, known, cls)
    before = dict(known.settings) if known else {}
    given = {name: value for name, value in values.items() if name not in kept or is_filled(value)}
    settings = cls.Settings.model_validate({**before, **kept, **given})
    demand_typed(settings)
    if (left := kept.keys() - given.keys()) and goes_elsewhere(before, settings):
        names = ", ".join(str(cls.Settings.model_fields[n].title or n) for n in sorted(left))
        raise ConfigError(f"This is another address: enter again what opens it ({names}).")
    way = way_of(cls, settings)
    approval = way if way is not None and way.then != "check" else None
    if approval and (known is None or approve_again or known.state in ("approving", "off")):
        return _sent_away(hub, business_id, cls, settings, known, approval, actor)
    hook_secret = readable(hub, business_id, known.id).get(HOOK_SECRET, "") if known else ""
    trial = TrialTokens()
    but = known.id if known else ""
    # What is refreshed on the way must not be lost, whatever comes of the check.
    kept_tokens = ConnectionTokens(hub, business_id, known.id) if known else trial
    tried = _trial(hub, cls, settings, kept_tokens, hook_secret)
    try:
        proven(tried)
    except AuthError:
        if approval and known is not None and known.state == "needs_reconnect":
            return _sent_away(hub, business_id, cls, settings, known, approval, actor)
        raise
    identity = identity_of(tried)
    same = at_rest(hub, business_id, identity, plugin, but)
    if same is not None and known is None:
        return connect(hub, business_id, plugin, values, actor=actor, connection_id=same.id)
    if same is not None and known is not None:
        tokens = dict(kept_tokens.load())
        return Connected(_goes_on(hub, cls, settings, known, same, identity, actor, tokens))
    row_id = _stored(hub, business_id, cls, settings, known, "ok", actor, trial.kept, identity)
    return Connected(row_id)


def way_of(cls: type[Connection], settings: BaseModel) -> Way | None:
    """How this one is connected; ``None`` where there is only one way."""
    return next((way for way in cls.ways if way.key == getattr(settings, "way", "")), None)


def reconnect(hub: Hub, business_id: str, connection_id: str, *, actor: str) -> Connected:
    """Go and approve again, with the settings there are; or check them once more."""
    with hub.reading() as session:
        plugin = row_of(session, business_id, connection_id).plugin
    return connect(
        hub,
        business_id,
        plugin,
        {},
        actor=actor,
        connection_id=connection_id,
        approve_again=True,
    )


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
        _note_problem(hub, row, problem, "approving")
        return Answered(row.id, problem)


def _taken(hub: Hub, row: ConnectionRow, actor: str, query: Mapping[str, str]) -> str:
    """The id of the connection that is made by it."""
    plain = {**row.settings, **opened(hub, row.business_id, row.id)}
    asked = made(hub, row.plugin, plain, TrialTokens(), "")
    if not isinstance(asked, ConnectsByOAuth):
        return row.id  # it hands its keys over by itself; the person only comes back
    tokens = TrialTokens(asked.exchange(query, back_url(hub)))
    cls = class_of(hub, row.plugin)
    settings = cls.Settings.model_validate(_of(cls, plain))
    tried = _trial(hub, cls, settings, tokens, "")
    proven(tried)
    identity = identity_of(tried)
    if same := at_rest(hub, row.business_id, identity, row.plugin, row.id):
        return _goes_on(hub, cls, settings, row, same, identity, actor, tokens.kept)
    return _stored(hub, row.business_id, cls, settings, row, "ok", actor, tokens.kept, identity)


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
    settings = cls.Settings.model_validate(_of(cls, {**plain, **asked.keys(request)}))
    tried = _trial(hub, cls, settings, TrialTokens(), "")
    try:
        proven(tried)
        identity = identity_of(tried)
        by = f"connection:{row.id}"
        _stored(hub, row.business_id, cls, settings, row, "ok", by, {}, identity)
    except HubError as problem:
        _note_problem(hub, row, problem, "needs_reconnect")


def choices_of(hub: Hub, business_id: str, connection_id: str) -> Mapping[str, Sequence[Option]]:
    """What may be chosen for its settings, as the other side says now."""
    with hub.reading() as session:
        row = row_of(session, business_id, connection_id)
    provider = provider_of(hub, row)
    try:
        return provider.choices()
    except HubError:
        raise
    except Exception as error:
        log.exception("connection %s cannot say what may be chosen", row.id)
        raise failed(provider, "say what may be chosen") from error


def rename(hub: Hub, business_id: str, connection_id: str, title: str) -> None:
    with hub.unit() as unit:
        row = row_of(unit.session, business_id, connection_id)
        row.title = title.strip()[:200] or row.title


def disconnect(hub: Hub, business_id: str, connection_id: str, *, actor: str) -> str:
    """Stop: its webhooks, tokens and secrets are removed here, and there as far as it answers.

    Its orders stay. Returns what is left for a person to do there, in a sentence, else nothing.
    """
    forbid_open_unit("disconnecting")
    with hub.reading() as session:
        row = row_of(session, business_id, connection_id)
    left = _withdrawn(hub, row)
    with hub.unit() as unit:
        row = row_of(unit.session, business_id, connection_id)
        if row.state not in ("off", "approving"):
            row.off_since = missed_from(unit.session, row, hub.now())
        row.state, row.due_at, row.hook, row.last_error, row.to_do = "off", None, None, "", ""
        row.subscribed_at = row.leased_until = row.not_before = None
        # What was set aside comes again with the first look, should it be connected again.
        _forget_all(unit, row)
        _audit(hub, unit, business_id, actor, "connection.disconnected", row.title)
    return left


def back_url(hub: Hub) -> str:
    """Where the other side sends a person back to."""
    return f"{hub.settings.public_url}/panel/connections/back"


def _withdrawn(hub: Hub, row: ConnectionRow) -> str:
    """Stop its calls and its access there; a side that is away is no reason to stay connected."""
    try:
        provider = provider_of(hub, row)
        return " ".join(filter(None, (_told_to_end(hub, row, provider), provider.left_there())))
    except ConfigError as problem:
        return f"It could not be told to {row.title} that this ended: {problem}"
    except Exception:  # a plugin's bug, too, is no reason to stay connected
        log.exception("connection %s cannot be left in order", row.id)
        return (
            f"It could not be told to {row.title} that this ended; remove the hub there yourself."
        )


def _told_to_end(hub: Hub, row: ConnectionRow, provider: Connection) -> str:
    """What went wrong with it, in a sentence."""
    try:
        if isinstance(provider, AcceptsWebhooks):
            provider.unsubscribe()
        if isinstance(provider, ConnectsByOAuth):
            provider.revoke(ConnectionTokens(hub, row.business_id, row.id).load())
    except AuthError:
        return (
            f"{row.title} does not let the hub in, so it could not be told that this ended. If it"
            " still calls, nobody answers."
        )
    except HubError as problem:
        return f"It could not be told to {row.title} that this ended: {problem}"
    return ""


def _sent_away(
    hub: Hub,
    business_id: str,
    cls: type[Connection],
    settings: BaseModel,
    known: ConnectionRow | None,
    way: Way,
    actor: str,
) -> Connected:
    state = random.token_urlsafe(32)
    trial = _trial(hub, cls, settings, TrialTokens(), "")
    identity = identity_before(trial)
    if same := at_rest(hub, business_id, identity, cls.key, known.id if known else ""):
        if known is not None:
            raise AlreadyConnected(same, cls.title)
        settings = _with_what_it_was(cls, settings, same, way)
        return _sent_away(hub, business_id, cls, settings, same, way, actor)
    match trial:
        case ConnectsByOAuth() if way.then == "authorize":
            url = trial.authorize_url(state, back_url(hub))
        case HandsOverKeys() if way.then == "hand_over":
            back = f"{back_url(hub)}?state={state}"
            url = trial.approve_url(state, back, f"{hub.settings.public_url}/hooks/keys/{state}")
        case _:
            raise ConfigError(f"{cls.title} cannot be connected in this way.")
    row_id = _stored(hub, business_id, cls, settings, known, "approving", actor, {}, identity)
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


def _goes_on(
    hub: Hub,
    cls: type[Connection],
    settings: BaseModel,
    row: ConnectionRow,
    same: ConnectionRow,
    identity: str,
    actor: str,
    tokens: Mapping[str, str],
) -> str:
    """What ``row`` found is the shop of ``same``, which goes on in its place, orders and all."""
    if has_history(hub, row):
        raise AlreadyConnected(same, cls.title)
    settings = _with_what_it_was(cls, settings, same, way_of(cls, settings))
    on = (hub, row.business_id, cls, settings, same, "ok", actor, tokens, identity)
    row_id = _stored(*on)
    with hub.unit() as unit:
        _forget_all(unit, row)
        unit.session.delete(row_of(unit.session, row.business_id, row.id))
    return row_id


def _with_what_it_was(
    cls: type[Connection], settings: BaseModel, same: ConnectionRow, way: Way | None
) -> BaseModel:
    """What is asked for on connecting is new; all else stays as it was set."""
    new = {name: getattr(settings, name) for name in cls.Settings.model_fields}
    asked = {"way", *(way.asks if way else ())}
    was = {name: value for name, value in same.settings.items() if name not in asked}
    return cls.Settings.model_validate({**new, **was})


def _forget_all(unit: Unit, row: ConnectionRow) -> None:
    """Its secrets, tokens, approvals and calls, and what was set aside of it."""
    forget(unit, row.business_id, row.id)
    for table in (TokenLeaseRow, ApprovalRow, RejectRow, SeenCallRow):
        unit.session.exec(
            delete(table).where(
                col(table.business_id) == row.business_id,
                col(table.connection_id) == row.id,
            )
        )


def _stored(
    hub: Hub,
    business_id: str,
    cls: type[Connection],
    settings: BaseModel,
    known: ConnectionRow | None,
    state: str,
    actor: str,
    tokens: Mapping[str, str],
    identity: str,
) -> str:
    secret = secret_values(settings)
    kept = {name: (ring_of(cls.Settings, name), text) for name, text in secret.items()}
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update={"key_share": True})
        row = row_of(unit.session, business_id, known.id) if known else _new(unit, business_id, cls)
        left = forget_lost(hub, unit, business_id, row.id) if known else set()
        if row.hook is None or not {HOOK, HOOK_SECRET} <= left:
            hook = random.token_urlsafe(24)
            row.hook = hashed(hook)
            kept |= {HOOK: (WEBHOOKS, hook), HOOK_SECRET: (WEBHOOKS, random.token_hex(20))}
        row.identity = identity or row.identity
        refuse_second(hub, unit.session, row)
        row.settings = settings.model_dump(mode="json", exclude=set(secret))
        if state == "ok":
            note_again(hub, unit, row, actor)
        row.state, row.last_error, row.failures = state, "", 0
        if state == "ok":
            row.due_at, row.subscribed_at, row.not_before = hub.now(), None, None
            row.unsubscribed = 0
            if known is not None:  # what other settings let in may be older than the cursor
                row.sweep_cursor = ""
            try_parked(hub, unit, row)
            tell_missed(hub, unit, row)
        unit.session.flush()
        seal(hub, unit, business_id, row.id, kept)
        _audit(hub, unit, business_id, actor, f"connection.{state}", row.title)
        row_id = row.id
    if tokens:
        ConnectionTokens(hub, business_id, row_id).replace(tokens)
    return row_id


def _new(unit: Unit, business_id: str, cls: type[Connection]) -> ConnectionRow:
    slugs = set(
        unit.session.exec(
            select(ConnectionRow.slug).where(ConnectionRow.business_id == business_id)
        )
    )
    n = next(n for n in range(1, 1000) if _slug(cls.key, n) not in slugs)
    title = cls.title if n == 1 else f"{cls.title} {n}"
    row = ConnectionRow(
        business_id=business_id, slug=_slug(cls.key, n), plugin=cls.key, title=title
    )
    unit.session.add(row)
    return row


def _slug(key: str, n: int) -> str:
    return key if n == 1 else f"{key}-{n}"


def _note_problem(hub: Hub, row: ConnectionRow, problem: HubError, state: str) -> None:
    with hub.unit() as unit:
        again = row_of(unit.session, row.business_id, row.id)
        again.state, again.last_error = state, str(problem)[:4000]


def _trial(
    hub: Hub,
    cls: type[Connection],
    settings: BaseModel,
    tokens: Tokens,
    hook_secret: str,
) -> Connection:
    values = settings.model_dump(mode="json") | {
        name: SecretStr(text) for name, text in secret_values(settings).items()
    }
    return made(hub, cls.key, values, tokens, hook_secret)


def _known(hub: Hub, business_id: str, connection_id: str) -> ConnectionRow | None:
    if not connection_id:
        return None
    with hub.reading() as session:
        return row_of(session, business_id, connection_id)


def _kept(hub: Hub, known: ConnectionRow | None, cls: type[Connection]) -> dict[str, str]:
    """The secrets that need not be typed again; not those whose key is lost."""
    return _of(cls, readable(hub, known.business_id, known.id)) if known else {}


def _of[V](cls: type[Connection], values: Mapping[str, V]) -> dict[str, V]:
    return {name: value for name, value in values.items() if name in cls.Settings.model_fields}


def _audit(hub: Hub, unit: Unit, business_id: str, actor: str, action: str, what: str) -> None:
    unit.session.add(
        AuditRow(business_id=business_id, actor=actor, action=action, subject=what, at=hub.now())
    )
