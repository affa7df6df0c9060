"""What a worker knows of its businesses while it sends notices.

A brand, a rule or a log-in to a mail server is looked up once for all the notices that need
it, and again after a few seconds, so that what a business has just changed counts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.business import BusinessSettings
from hub.core.contracts import NotificationChannel
from hub.core.errors import ConfigError, HubError
from hub.db.tables import BusinessRow, ChoiceRow, NoticeRow, NoticeRuleRow
from hub.flows.brands import Brands
from hub.flows.choices import ChoiceState, hook_of, mark, provider_of

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
FRESH_S = 5.0  # real seconds; nobody has looked at what came of a change sooner
STAND_IN = "console"
"""A business that chose this has its other channels' notices printed until they are set up."""


class Known:
    """For one thread at a time; ``close`` lets go of the connections that channels kept.

    Whoever keeps one from one handful to the next calls ``refresh`` before each.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._values: dict[Hashable, object] = {}
        self._kept = ExitStack()
        self._since = time.monotonic()

    def refresh(self) -> None:
        """Forget what is older than a few seconds; between two notices, or two handfuls, only."""
        if time.monotonic() - self._since > FRESH_S:
            self.forget()

    def forget(self) -> None:
        """Also after a unit that came to nothing, with all that was read in it."""
        self.close()
        self._values.clear()
        self._since = time.monotonic()

    def close(self) -> None:
        """Let go of every connection. What a carrier says to a good-bye changes nothing."""
        try:
            self._kept.close()
        except Exception:
            log.exception("a channel could not be left")

    def business(self, session: Session, business_id: str) -> BusinessRow:
        return self._once(
            ("business", business_id), lambda: session.get_one(BusinessRow, business_id)
        )

    def settings(self, session: Session, business_id: str) -> BusinessSettings:
        return self._once(
            ("settings", business_id),
            lambda: BusinessSettings.model_validate(self.business(session, business_id).settings),
        )

    def brands(self, session: Session, business_id: str) -> Brands:
        return self._once(("brands", business_id), lambda: Brands(session, business_id))

    def rule(self, session: Session, notice: NoticeRow) -> NoticeRuleRow:
        query = select(NoticeRuleRow).where(
            NoticeRuleRow.business_id == notice.business_id, NoticeRuleRow.id == notice.rule_id
        )
        return self._once(("rule", notice.rule_id), lambda: session.exec(query).one())

    def has_sibling_rules(self, session: Session, notice: NoticeRow) -> bool:
        """Whether other rules tell the same by the same channel, to other roles."""
        query = select(NoticeRuleRow.id).where(
            NoticeRuleRow.business_id == notice.business_id,
            NoticeRuleRow.trigger == notice.trigger,
            NoticeRuleRow.channel == notice.channel,
            NoticeRuleRow.id != notice.rule_id,
            col(NoticeRuleRow.active),
        )
        key = ("siblings", notice.rule_id, notice.channel)
        return self._once(key, lambda: session.exec(query).first() is not None)

    def listens_at(self, session: Session, business_id: str, channel: str) -> str:
        """Where the carrier of ``channel`` may call; empty where it does not, or cannot."""
        row = self._choices(session, business_id).get(channel)
        base = self._hub.settings.public_url
        if row is None or not row.hook or not base.startswith("https://"):
            return ""
        return f"{base}/hooks/told/{hook_of(self._hub, row.id)}"

    def carrier(self, session: Session, business_id: str, wanted: str) -> str | None:
        """The channel that what is meant for ``wanted`` goes by; ``None``: it goes by none."""
        active = self._choices(session, business_id)
        return next((one for one in (wanted, STAND_IN) if one in active), None)

    def has_channels(self, session: Session, business_id: str) -> bool:
        return bool(self._choices(session, business_id))

    def channel(self, business_id: str, name: str) -> NotificationChannel:
        """Ready to send several. Raises ``ConfigError`` for one that is not in use any more."""

        def ready() -> NotificationChannel:
            row = self._choice(business_id, name)
            if row is None:
                raise ConfigError(f"The channel {name!r} is no longer set up.")
            channel = provider_of(self._hub, row, NotificationChannel)
            self._kept.enter_context(channel.together())
            return channel

        return self._once(("channel", business_id, name), ready)

    def mark(self, business_id: str, name: str, problem: HubError | None) -> None:
        """Note on the channel's choice how it fares, where the business sees it."""
        state: ChoiceState = "ok"
        if problem is not None:
            state = "needs_attention" if isinstance(problem, ConfigError) else "failing"
        told = (state, str(problem or ""))
        row, key = self._choice(business_id, name), ("marked", business_id, name)
        if row is not None and self._values.get(key, (row.state, row.last_error)) != told:
            mark(self._hub, business_id, row.id, *told)
            self._values[key] = told

    def _choice(self, business_id: str, name: str) -> ChoiceRow | None:
        with self._hub.reading() as session:
            return self._choices(session, business_id).get(name)

    def _choices(self, session: Session, business_id: str) -> dict[str, ChoiceRow]:
        query = select(ChoiceRow).where(
            ChoiceRow.business_id == business_id,
            ChoiceRow.kind == "channel",
            col(ChoiceRow.active),
        )
        return self._once(
            ("choices", business_id), lambda: {row.plugin: row for row in session.exec(query)}
        )

    def _once[T](self, key: Hashable, look: Callable[[], T]) -> T:
        if key not in self._values:
            self._values[key] = look()
        return self._values[key]  # type: ignore[return-value]  # what this key was stored with
