"""A connection's tokens: refreshed by one process at a time, and never lost by one that dies.

What lets a connection in may be good for a single use. So whoever refreshes holds a lease, the
old tokens stay until the new ones are stored, and a process that is killed in its middle leaves
the old ones for the next, which may still be taken for some time (Xero: 30 minutes after their
use, developer.xero.com/faq/oauth2, 2026-11). New ones are kept as long as those they were given
for are still there, also by one whose lease is over: nobody else may ever be given any.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session, select

from hub.addresses import cut_off
from hub.core.errors import AuthError, Unavailable
from hub.core.ids import new_id
from hub.db.tables import ConnectionRow, TokenLeaseRow
from hub.db.unit import Unit, forbid_open_unit
from hub.flows.secrets import CREDENTIALS, readable, seal

if TYPE_CHECKING:
    from hub.app import Hub

NAME = "tokens"
LEASE = timedelta(seconds=60)
WITHIN_S = 45.0  # a refresh is cut off well before its lease is over, however it trickles
LOOKS_EVERY_S, WAITS_S = 0.1, 90.0


class ConnectionTokens:
    """``hub.core.contracts.Tokens`` of one connection, for one piece of work in one thread."""

    def __init__(self, hub: Hub, business_id: str, connection_id: str) -> None:
        self.hub, self.business_id, self.connection_id = hub, business_id, connection_id
        self._seen = -1  # the version that ``load`` gave
        self._took_over = False  # from one whose lease was over, who may still come back

    def load(self) -> Mapping[str, str]:
        self._seen, kept = self._stored()
        return kept

    def refresh_once(
        self, refresh: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        forbid_open_unit("refreshing tokens")
        if self._seen < 0:
            self.load()
        me, until = new_id(), time.monotonic() + WAITS_S
        while not self._claimed(me):
            if self._newer():
                return self.load()
            if time.monotonic() > until:
                raise Unavailable("Another process has been renewing this access for too long.")
            time.sleep(LOOKS_EVERY_S)
        if self._newer():  # it was renewed between the look and the claim
            self._let_go(me)
            return self.load()
        version, old = self._stored()
        try:
            fresh = _refreshed(refresh, old)
        except BaseException as problem:
            self._let_go(me)
            if not isinstance(problem, AuthError):
                raise
            if self._newer():
                return self.load()  # what was refused was old by then
            if self._took_over:
                raise Unavailable(
                    "Another process has begun to renew this access, and is not back yet."
                ) from problem
            raise
        return self._keep(version, fresh)

    def replace(self, tokens: Mapping[str, str]) -> None:
        """Keep what a person has just been given; whoever is refreshing the old ones loses."""
        with self.hub.unit() as unit:
            row = _lease(unit, self.business_id, self.connection_id)
            self._store(unit, row, tokens)

    def _stored(self) -> tuple[int, dict[str, str]]:
        with self.hub.reading() as session:
            row = _row(session, self.business_id, self.connection_id)
            version = row.version if row else 0
        secrets = readable(self.hub, self.business_id, self.connection_id, (CREDENTIALS,))
        return version, dict(json.loads(secrets.get(NAME, "{}")))

    def _newer(self) -> bool:
        with self.hub.reading() as session:
            row = _row(session, self.business_id, self.connection_id)
            return row is not None and row.version > self._seen

    def _claimed(self, me: str) -> bool:
        now = datetime.now(UTC)
        with self.hub.unit() as unit:
            row = _lease(unit, self.business_id, self.connection_id)
            if row.until is not None and row.until > now:
                return False
            self._took_over = row.holder != ""
            row.holder, row.until = me, now + LEASE
            return True

    def _let_go(self, me: str) -> None:
        with self.hub.unit() as unit:
            row = _lease(unit, self.business_id, self.connection_id)
            if row.holder == me:
                row.holder, row.until = "", None

    def _keep(self, version: int, fresh: Mapping[str, str]) -> Mapping[str, str]:
        """Unless somebody who took over, or a person, has brought others meanwhile."""
        with self.hub.unit() as unit:
            row = _lease(unit, self.business_id, self.connection_id)
            if is_newest := row.version == version:
                self._store(unit, row, fresh)
        return fresh if is_newest else self.load()

    def _store(self, unit: Unit, row: TokenLeaseRow, tokens: Mapping[str, str]) -> None:
        kept = {NAME: (CREDENTIALS, json.dumps(dict(tokens)))}
        seal(self.hub, unit, self.business_id, self.connection_id, kept)
        row.version += 1
        row.holder, row.until = "", None
        self._seen = row.version


def _refreshed(
    refresh: Callable[[Mapping[str, str]], Mapping[str, str]], old: Mapping[str, str]
) -> dict[str, str]:
    with cut_off(WITHIN_S) as over:
        try:
            return dict(refresh(old))
        except Exception as problem:
            if over.is_set():  # half an answer may look like any other
                raise Unavailable("Renewing this access took too long.") from problem
            raise


def _row(session: Session, business_id: str, connection_id: str) -> TokenLeaseRow | None:
    return session.exec(
        select(TokenLeaseRow).where(
            TokenLeaseRow.business_id == business_id,
            TokenLeaseRow.connection_id == connection_id,
        )
    ).one_or_none()


def _lease(unit: Unit, business_id: str, connection_id: str) -> TokenLeaseRow:
    """The lease, locked. The connection's row makes the first two wait for each other."""
    unit.session.exec(
        select(ConnectionRow.id)
        .where(ConnectionRow.business_id == business_id, ConnectionRow.id == connection_id)
        .with_for_update(key_share=True)
    ).one()
    row = _row(unit.session, business_id, connection_id)
    if row is None:
        row = TokenLeaseRow(business_id=business_id, connection_id=connection_id)
        unit.session.add(row)
        unit.session.flush()
    return row
