"""For each folder it reads: a process that sends its webhooks until none is left, or is killed.

The hub is imported once and forked for each, so that many kills are cheap.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlmodel import select

from hub.app import Hub
from hub.db.tables import WebhookRow
from hub.flows.webhook_send import send_webhooks
from hub.settings import Settings

LEASE = timedelta(milliseconds=300)  # so that the next worker need not wait two minutes


def settings_at(folder: Path) -> Settings:
    return replace(
        Settings.from_environment({}),
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'hub.db'}",
        http_allow=("127.0.0.1",),
    )


def work(hub: Hub) -> None:
    while hub.deliver_events():
        pass
    while waits(hub):
        send_webhooks(hub, lease=LEASE)
        time.sleep(0.01)


def waits(hub: Hub) -> bool:
    with hub.reading() as session:
        due = select(WebhookRow.id).where(WebhookRow.state == "due")
        return session.exec(due.limit(1)).first() is not None


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            work(Hub.from_settings(settings_at(Path(line.strip()))))
            os._exit(0)
        print(child, flush=True)
        print("killed" if os.waitpid(child, 0)[1] else "done", flush=True)
