"""Which plugins a business uses for messages, addresses, proof and travel, and how they are set.

Settings lie in the choice; ``SecretStr`` fields never do: they are sealed, each in a
``secret`` of its own, and an empty one in a form means "as it was".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel
from sqlmodel import Session, col, select

from hub.core.contracts import (
    Geocoder,
    NotificationChannel,
    PodStore,
    Provider,
    ReceivesReceipts,
    TakesReplies,
    Tools,
    TravelTimes,
)
from hub.core.errors import ConfigError
from hub.db.tables import BusinessRow, ChoiceRow
from hub.db.unit import Unit, forbid_open_unit
from hub.flows.audit import note
from hub.flows.secrets import (
    WEBHOOKS,
    demand_typed,
    forget,
    goes_elsewhere,
    is_filled,
    opened,
    readable,
    ring_of,
    seal,
    secret_values,
)
from hub.flows.strangers import proven
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub

Kind = Literal["channel", "geocoder", "pod_store", "travel_times"]
ChoiceState = Literal["ok", "failing", "needs_attention"]
Settle = Callable[[Unit, ChoiceRow, Mapping[str, Any] | None], None]
ELSEWHERE = "kept where this process cannot look"
KINDS: dict[str, type[Provider]] = {
    "channel": NotificationChannel,
    "geocoder": Geocoder,
    "pod_store": PodStore,
    "travel_times": TravelTimes,
}


def choices(hub: Hub, business_id: str, kind: Kind) -> list[ChoiceRow]:
    """What the business chose, first tried first; those it switched off are among them."""
    with hub.reading() as session:
        return _rows(session, business_id, kind)


def choice(hub: Hub, business_id: str, kind: Kind, plugin: str) -> ChoiceRow | None:
    """``None`` when the business never chose ``plugin``."""
    with hub.reading() as session:
        return _row(session, business_id, kind, plugin)


def choose(
    hub: Hub,
    business_id: str,
    kind: Kind,
    plugin: str,
    values: Mapping[str, Any],
    *,
    actor: str,
    settle: Settle | None = None,
) -> ChoiceRow:
    """Use ``plugin`` from now on, with these settings; what was set before is replaced.

    The plugin's ``check`` runs first. Raises ``pydantic.ValidationError`` with the
    fields that are wrong, else a ``HubError`` with a sentence; then nothing is stored.
    ``settle`` has the last word in the same unit: it is given the row as it is now, and the
    settings before (``None``: there were none).
    """
    forbid_open_unit("checking a plugin")
    cls = _provider_class(hub, kind, plugin)
    known = choice(hub, business_id, kind, plugin)
    kept = _kept(hub, known)
    given = {name: value for name, value in values.items() if name not in kept or is_filled(value)}
    settings = cls.Settings.model_validate({**kept, **given})
    demand_typed(settings)
    before = known.settings if known else {}
    if (left := kept.keys() - given.keys()) and goes_elsewhere(before, settings):
        names = ", ".join(
            str(cls.Settings.model_fields[name].title or name) for name in sorted(left)
        )
        raise ConfigError(f"This is another server: enter again what opens it ({names}).")
    proven(cls(settings, replace(hub.tools, business_id=business_id)))
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        was = _row(unit.session, business_id, kind, plugin)
        replaced = dict(was.settings) if was else None
        row = _store(unit, business_id, kind, plugin, settings)
        if issubclass(cls, ReceivesReceipts | TakesReplies):
            row.hook = hashed(hook_of(hub, row.id))
        if settle is not None:
            settle(unit, row, replaced)
        secret = {
            name: (ring_of(cls.Settings, name), text)
            for name, text in secret_values(settings).items()
        }
        forget(unit, business_id, row.id, but=secret)
        seal(hub, unit, business_id, row.id, secret)
        note(hub, unit.session, business_id, actor, f"{kind} chosen", plugin)
    return row


def switch(
    hub: Hub, business_id: str, kind: Kind, plugin: str, *, active: bool, actor: str
) -> ChoiceRow:
    """Stop using a choice, or use it again as it was set. Raises ``LookupError`` for none."""
    with hub.unit() as unit:
        row = _row(unit.session, business_id, kind, plugin)
        if row is None:
            raise LookupError(f"{plugin!r} was never chosen.")
        row.active = active
        note(hub, unit.session, business_id, actor, f"{kind} {'on' if active else 'off'}", plugin)
    return row


def move_up(hub: Hub, business_id: str, kind: Kind, plugin: str, *, actor: str) -> None:
    """Try a choice before the one that is tried before it now; the first one stays first.

    Raises ``LookupError`` for one that was never chosen.
    """
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        rows = _rows(unit.session, business_id, kind)
        at = next((n for n, row in enumerate(rows) if row.plugin == plugin), None)
        if at is None:
            raise LookupError(f"{plugin!r} was never chosen.")
        rows.insert(max(at - 1, 0), rows.pop(at))
        for position, row in enumerate(rows):
            row.position = position
        note(hub, unit.session, business_id, actor, f"{kind} moved up", plugin)


def providers[P: Provider](hub: Hub, business_id: str, contract: type[P]) -> list[P]:
    """What the business uses for ``contract``, ready, first tried first.

    Empty when it chose nothing: the caller knows what its default is. One that can no
    longer be made is left out, and its choice says so.
    """
    kind = next(kind for kind, cls in KINDS.items() if cls is contract)
    ready: list[P] = []
    for row in choices(hub, business_id, kind):  # type: ignore[arg-type]  # a key of KINDS
        if row.active:
            try:
                ready.append(provider_of(hub, row, contract))
            except ConfigError as problem:
                mark(hub, business_id, row.id, "needs_attention", str(problem))
    return ready


def provider_of[P: Provider](
    hub: Hub, row: ChoiceRow, contract: type[P], tools: Tools | None = None
) -> P:
    """The chosen provider with its secrets. Raises ``ConfigError`` if that no longer works."""
    values = {**row.settings, **opened(hub, row.business_id, row.id)}
    return hub.provider(contract, row.plugin, values, tools)


def hook_of(hub: Hub, choice_id: str) -> str:
    """What the address ends in at which the other side of a choice calls; always the same."""
    return hub.keys.link_token(f"choice:{choice_id}", 1)


def listener_of(hub: Hub, token: str) -> tuple[ChoiceRow, NotificationChannel]:
    """Whose address ends in ``token``, ready to tell a genuine call and with no credentials.

    Raises ``LookupError`` for nobody's, ``ConfigError`` where that is no longer possible.
    """
    with hub.reading() as session:
        row = session.exec(select(ChoiceRow).where(ChoiceRow.hook == hashed(token))).one_or_none()
    if row is None:
        raise LookupError("no channel has this address")
    fields = _provider_class(hub, "channel", row.plugin).Settings.model_fields
    secrets = opened(hub, row.business_id, row.id, (WEBHOOKS,))
    missing = {
        name: ELSEWHERE
        for name, about in fields.items()
        if about.is_required() and name not in row.settings and name not in secrets
    }
    values = {**row.settings, **missing, **secrets}
    return row, hub.provider(NotificationChannel, row.plugin, values)


def mark(hub: Hub, business_id: str, choice_id: str, state: ChoiceState, error: str = "") -> None:
    """Note how a choice fares, for the panel; writes only what changed."""
    with hub.reading() as session:
        row = _by_id(session, business_id, choice_id)
        if row is None or (row.state, row.last_error) == (state, error[:4000]):
            return
    with hub.unit() as unit:
        if (row := _by_id(unit.session, business_id, choice_id)) is not None:
            row.state, row.last_error = state, error[:4000]


def _provider_class(hub: Hub, kind: Kind, plugin: str) -> type[Provider]:
    try:
        return hub.registry.get(KINDS[kind], plugin)
    except KeyError:
        raise ConfigError(f"The plugin for {plugin!r} is not installed.") from None


def _kept(hub: Hub, known: ChoiceRow | None) -> dict[str, str]:
    """The secrets that need not be typed again; not those whose key is lost."""
    return readable(hub, known.business_id, known.id) if known else {}


def _rows(session: Session, business_id: str, kind: str) -> list[ChoiceRow]:
    return list(
        session.exec(
            select(ChoiceRow)
            .where(ChoiceRow.business_id == business_id, ChoiceRow.kind == kind)
            .order_by(col(ChoiceRow.position), col(ChoiceRow.id))
        )
    )


def _row(session: Session, business_id: str, kind: str, plugin: str) -> ChoiceRow | None:
    return session.exec(
        select(ChoiceRow).where(
            ChoiceRow.business_id == business_id,
            ChoiceRow.kind == kind,
            ChoiceRow.plugin == plugin,
        )
    ).one_or_none()


def _by_id(session: Session, business_id: str, choice_id: str) -> ChoiceRow | None:
    return session.exec(
        select(ChoiceRow).where(ChoiceRow.business_id == business_id, ChoiceRow.id == choice_id)
    ).one_or_none()


def _store(unit: Unit, business_id: str, kind: Kind, plugin: str, settings: BaseModel) -> ChoiceRow:
    row = _row(unit.session, business_id, kind, plugin)
    if row is None:
        others = _rows(unit.session, business_id, kind)
        row = ChoiceRow(business_id=business_id, kind=kind, plugin=plugin, position=len(others))
        unit.session.add(row)
    row.settings = settings.model_dump(mode="json", exclude=set(secret_values(settings)))
    row.active, row.state, row.last_error = True, "ok", ""
    unit.session.flush()
    return row
