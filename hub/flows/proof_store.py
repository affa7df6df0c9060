"""Where a business's proof lies: each file opens from the store its row names.

New files go to the store in use; those from before a switch stay where they are until they
are moved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from pydantic import BaseModel
from sqlmodel import Session, col, func, or_, select

from hub.addresses import cut_off
from hub.core.contracts import PodStore
from hub.core.errors import ConfigError, HubError, Refused, RetryLater, Unavailable
from hub.db.tables import ChoiceRow, LeavingRow, ProofFileRow
from hub.db.unit import Unit
from hub.flows.choices import ChoiceState, choice, choices, choose, mark, provider_of

if TYPE_CHECKING:
    from hub.app import Hub

KIND: Literal["pod_store"] = "pod_store"
DEFAULT = "disk"
"""What keeps proof for a business that chose nothing."""
WITHIN_S = 10.0
"""How long a request waits for a store: phones and browsers hang up a minute after they asked."""
CLOCKS_APART = timedelta(minutes=1)
"""At most, of the machines that share a database."""


@dataclass(frozen=True, slots=True)
class Put:
    """Bytes that are safe in a store; ``chosen`` is how it was set up, ``None`` if it needs
    nothing. ``since``: from when on, by the real clock, they were on their way there.
    """

    store: str
    ref: str
    chosen: ChoiceRow | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Lying:
    """How many of a business's files lie in one store."""

    files: int = 0
    size: int = 0


def in_use(hub: Hub, business_id: str) -> str:
    """The key of the store that new files go to."""
    return next((row.plugin for row in choices(hub, business_id, KIND) if row.active), DEFAULT)


class Stores:
    """A business's stores, for one piece of work: each is opened once, and anew when it is set
    up anew, for that can take longer than reading a photo.

    ``within_s``: somebody waits, so each is asked once, for so long, and not by many at a time.
    ``None``: it takes as long as it takes.
    """

    def __init__(self, hub: Hub, business_id: str, within_s: float | None = None) -> None:
        self.hub, self.business_id, self.within_s = hub, business_id, within_s
        self._known: dict[str, tuple[ChoiceRow | None, PodStore]] = {}

    def opened(self, key: str) -> tuple[ChoiceRow | None, PodStore]:
        """The store ``key`` as the business set it up, in use or not, and that set-up.

        ``None``: it needs none. Raises ``ConfigError`` for a plugin that is gone or settings that
        no longer work.
        """
        chosen = choice(self.hub, self.business_id, KIND, key)
        known = self._known.get(key)
        if known is not None and _settings(known[0]) == _settings(chosen):
            return chosen, known[1]
        about = {"business_id": self.business_id, "within_s": self.within_s}
        tools = replace(self.hub.tools, **about)  # type: ignore[arg-type]
        try:
            if chosen is None:
                store = self.hub.provider(PodStore, key, {}, tools)
            else:
                store = provider_of(self.hub, chosen, PodStore, tools)
        except ConfigError as problem:
            _note(self.hub, chosen, problem)
            raise
        self._known[key] = chosen, store
        return chosen, store

    @contextmanager
    def asked(self, chosen: ChoiceRow | None) -> Iterator[None]:
        """Around each call of a store. Raises what it raises, which its page shows too, and
        ``Unavailable`` where whoever waits has no turn.
        """
        if chosen is None:
            yield
            return
        within_s = self.within_s
        with (
            nullcontext() if within_s is None else self.hub.turns.at(chosen.id),
            nullcontext() if within_s is None else cut_off(within_s),
        ):
            try:
                yield
            except (RetryLater, ConfigError) as problem:
                _note(self.hub, chosen, problem)
                raise


def store_of(hub: Hub, business_id: str, key: str) -> PodStore:
    """The store ``key`` of the business. Raises as ``Stores.opened``."""
    return Stores(hub, business_id).opened(key)[1]


def put(hub: Hub, business_id: str, content: bytes, *, media_type: str, sha256: str) -> Put:
    """Make ``content`` safe in the store in use. Its row is still to be written.

    Somebody waits for it. Raises ``Refused`` for content that is not ``sha256``, else the store's
    errors, which its page shows too. A plugin's ``Refused`` of the right bytes is its storage's no,
    not the file's fault: whoever holds the only copy of a photo must not hear that it is no good.
    """
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refused("The file is not what its hash says. Send it again.")
    about = {"media_type": media_type, "sha256": sha256}
    stores, key = Stores(hub, business_id, WITHIN_S), in_use(hub, business_id)
    try:
        return put_into(stores, key, BytesIO(content), **about)
    except Refused as problem:
        _note(hub, choice(hub, business_id, KIND, key), said := ConfigError(str(problem)))
        raise said from problem


def put_into(stores: Stores, key: str, source: BinaryIO, *, media_type: str, sha256: str) -> Put:
    """``put`` of all that ``source`` holds, into the store ``key``."""
    since = datetime.now(UTC)
    chosen, store = stores.opened(key)
    with stores.asked(chosen):
        ref = store.put_from(source, media_type=media_type, sha256=sha256)
    if chosen is not None and chosen.state != "ok":
        mark(stores.hub, stores.business_id, chosen.id, "ok")
    return Put(key, ref, chosen, since)


def still_there(unit: Unit, business_id: str, put: Put) -> None:
    """Raises ``Unavailable`` if what was put may be gone again; for the unit of its row.

    Needs the business's lock, as do those who take files away.
    """
    leaving = select(LeavingRow.id).where(
        LeavingRow.business_id == business_id,
        LeavingRow.store == put.store,
        LeavingRow.store_ref == put.ref,
        or_(
            col(LeavingRow.gone_at).is_(None),
            col(LeavingRow.gone_at) > put.since - CLOCKS_APART,
        ),
    )
    now = unit.session.exec(
        select(ChoiceRow.settings).where(
            ChoiceRow.business_id == business_id,
            ChoiceRow.kind == KIND,
            ChoiceRow.plugin == put.store,
        )
    ).one_or_none()
    if unit.session.exec(leaving).first() or now != _settings(put.chosen):
        raise Unavailable("The place for proof has just changed. Send the file again.")


def content_of(hub: Hub, file: ProofFileRow, stores: Stores | None = None) -> bytes:
    """The file's bytes, as they were sealed, for somebody who waits; ``stores`` of its business,
    for one of many.

    Raises ``KeyError`` for a file that is gone, ``Refused`` for one that was changed, the hub's
    other errors for a store that cannot be asked.
    """
    stores = stores or Stores(hub, file.business_id, WITHIN_S)
    chosen, store = stores.opened(file.store)
    with stores.asked(chosen):
        content = store.get(file.store_ref)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Refused("This file was changed since it was stored.")
    return content


def choose_store(
    hub: Hub, business_id: str, key: str, values: Mapping[str, Any], *, actor: str
) -> ChoiceRow:
    """New files go to the store ``key`` from now on; older ones stay where they are.

    It is tried first. Raises as ``choose``, and ``ConfigError`` for a new place of the same
    store while files lie in the one before.
    """

    def settle(unit: Unit, row: ChoiceRow, before: Mapping[str, Any] | None) -> None:
        if before is not None:
            _stays(hub, unit.session, row, before)
        for other in unit.session.exec(
            select(ChoiceRow).where(ChoiceRow.business_id == business_id, ChoiceRow.kind == KIND)
        ):
            other.active = other.id == row.id

    return choose(hub, business_id, KIND, key, values, actor=actor, settle=settle)


def lying(hub: Hub, business_id: str) -> dict[str, Lying]:
    """What lies in each store, by its key."""
    with hub.reading() as session:
        found = session.exec(
            select(ProofFileRow.store, func.count(), func.sum(ProofFileRow.size))
            .where(ProofFileRow.business_id == business_id)
            .group_by(col(ProofFileRow.store))
        )
        return {store: Lying(files, int(size)) for store, files, size in found}


def _settings(chosen: ChoiceRow | None) -> Mapping[str, Any] | None:
    return chosen.settings if chosen is not None else None


def _note(hub: Hub, chosen: ChoiceRow | None, problem: HubError) -> None:
    if chosen is not None:
        state: ChoiceState = "failing" if isinstance(problem, RetryLater) else "needs_attention"
        mark(hub, chosen.business_id, chosen.id, state, str(problem))


def _stays(hub: Hub, session: Session, row: ChoiceRow, before: Mapping[str, Any]) -> None:
    """Raises ``ConfigError`` if files would be looked for where they are not."""
    cls = hub.registry.get(PodStore, row.plugin)
    old, new = (cls.place(_bare(cls.Settings, values)) for values in (before, row.settings))
    if old == new:
        return
    here = select(func.count()).where(
        ProofFileRow.business_id == row.business_id, ProofFileRow.store == row.plugin
    )
    if count := session.exec(here).one():
        raise ConfigError(
            f"{count} files lie in {old}, and would not be found in {new}. Use another storage,"
            " have them moved there by `hub pod move`, then come back and change this."
        )


def _bare(settings: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    """Settings without their secrets: enough to say where."""
    return settings.model_construct(**values)
