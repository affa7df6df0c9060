"""For each folder it reads: a process that sends its notices until none is left, or is killed.

The hub is imported once and forked for each, so that many seeds are cheap.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlmodel import col, select

from hub.app import Hub
from hub.db.tables import NoticeRow
from hub.flows.notice_send import send_due
from hub.settings import Settings

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
    while left(hub):
        send_due(hub, limit=3, lease=LEASE)
        time.sleep(0.01)


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
