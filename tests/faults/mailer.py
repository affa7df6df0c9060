"""For each folder it reads: a process that sends its notices until none is left, or is killed.

The hub is imported once and forked for each, so that many seeds are cheap.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update
from sqlmodel import col, select

from hub.app import Hub
from hub.db.tables import NoticeRow
from hub.flows.notice_send import send_due
from hub.settings import Settings
from tests.faults.texting import with_texts

THEN = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=1)  # so that the next worker need not wait five minutes


def work(folder: Path) -> None:
    hub = Hub.from_settings(
        replace(
            Settings.from_environment({}),
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'hub.db'}",
            http_allow=("127.0.0.1",),
        )
    )
    with_texts(hub)
    while left(hub):
        send_due(hub, limit=3, lease=LEASE)
        soon(hub)
        time.sleep(0.01)


def soon(hub: Hub) -> None:
    """The half minute passes until a carrier that gave no answer is asked what became of it, and
    so does the one after which a mail server that put something off is tried again.
    """
    answerless = (col(NoticeRow.state) == "sending", col(NoticeRow.claim) == "")
    tried = col(NoticeRow.attempts) > 0
    put_off = (col(NoticeRow.state) == "due", col(NoticeRow.channel) == "email", tried)
    with hub.unit() as unit:
        unit.session.execute(update(NoticeRow).where(*answerless).values(leased_until=THEN))
        unit.session.execute(update(NoticeRow).where(*put_off).values(due_at=THEN))


def left(hub: Hub) -> bool:
    waiting = select(NoticeRow.id).where(col(NoticeRow.state).in_(["due", "sending"]))
    with hub.reading() as session:
        return session.exec(waiting).first() is not None


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        work(Path(line.strip()))
        os._exit(0)
    print(child, flush=True)
    print("killed" if os.waitpid(child, 0)[1] else "done", flush=True)
