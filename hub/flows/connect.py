"""Connect a shop or the books, and change how: nothing is kept that does not work.

What the business typed is checked at the other side before it is stored. Where its owner has to
sign in there, the connection waits as ``approving`` until the answer comes back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.core.connecting import Connection
from hub.core.contracts import Option
from hub.core.errors import AuthError, ConfigError, HubError
from hub.db.tables import ConnectionRow
from hub.db.unit import forbid_open_unit
from hub.flows.approvals import Connected, sent_away
from hub.flows.connected import HOOK_SECRET, class_of, provider_of, row_of
from hub.flows.connection_kept import TrialTokens, fields_of, goes_on, on_trial, stored, way_of
from hub.flows.one_shop import at_rest, identity_of
from hub.flows.secrets import demand_typed, goes_elsewhere, is_filled, readable
from hub.flows.strangers import failed, proven
from hub.flows.tokens import ConnectionTokens

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)


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
        return sent_away(hub, business_id, cls, settings, known, approval, actor)
    hook_secret = readable(hub, business_id, known.id).get(HOOK_SECRET, "") if known else ""
    trial = TrialTokens()
    but = known.id if known else ""
    # What is refreshed on the way must not be lost, whatever comes of the check.
    kept_tokens = ConnectionTokens(hub, business_id, known.id) if known else trial
    tried = on_trial(hub, cls, settings, kept_tokens, hook_secret)
    try:
        proven(tried)
    except AuthError:
        if approval and known is not None and known.state == "needs_reconnect":
            return sent_away(hub, business_id, cls, settings, known, approval, actor)
        raise
    identity = identity_of(tried)
    same = at_rest(hub, business_id, identity, plugin, but)
    if same is not None and known is None:
        return connect(hub, business_id, plugin, values, actor=actor, connection_id=same.id)
    if same is not None and known is not None:
        tokens = dict(kept_tokens.load())
        return Connected(goes_on(hub, cls, settings, known, same, identity, actor, tokens))
    row_id = stored(hub, business_id, cls, settings, known, "ok", actor, trial.kept, identity)
    return Connected(row_id)


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


def _known(hub: Hub, business_id: str, connection_id: str) -> ConnectionRow | None:
    if not connection_id:
        return None
    with hub.reading() as session:
        return row_of(session, business_id, connection_id)


def _kept(hub: Hub, known: ConnectionRow | None, cls: type[Connection]) -> dict[str, str]:
    """The secrets that need not be typed again; not those whose key is lost."""
    return fields_of(cls, readable(hub, known.business_id, known.id)) if known else {}
