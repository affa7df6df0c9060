"""For each line it reads: a process that reads the connected source to its end, or is killed.

The hub is imported once and forked for each, so that many kills are cheap.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

from sqlmodel import col, select

from hub.app import Hub
from hub.db.engine import open_engine
from hub.db.tables import ConnectionRow
from hub.flows.connected import BORN
from hub.flows.pull import pull_due
from hub.keys import Keys
from hub.registry import Registry
from hub.settings import Settings
from tests.faults.stores import clock_of, set_clock


def a_hub(folder: Path, instead: dict[str, str], registry: Registry) -> Hub:
    settings = Settings.from_environment(
        {
            "HUB_DATA_DIR": str(folder),
            "HUB_HTTP_INSTEAD": " ".join(f"{a}={b}" for a, b in instead.items()),
        }
    )
    engine = open_engine(settings.database_url)
    return Hub(engine, registry, settings, Keys.at(folder / "keys.json"), now=clock_of(folder))


def the_connection(hub: Hub) -> ConnectionRow:
    with hub.reading() as session:
        return session.exec(
            select(ConnectionRow).where(col(ConnectionRow.plugin).not_in(BORN))
        ).one()


def work(hub: Hub, folder: Path) -> None:
    with hub.unit() as unit:  # whoever held it is dead; nobody waits five minutes for that
        row = unit.session.get_one(ConnectionRow, the_connection(hub).id)
        if row.leased_until is not None:
            row.leased_until, row.due_at = None, hub.now()
    while (row := the_connection(hub)).swept_at is None:
        assert row.state == "ok", row.last_error
        if not pull_due(hub):
            assert row.due_at is not None
            set_clock(folder, max(row.due_at, hub.now() + timedelta(seconds=1)))


def main() -> None:
    registry = Registry.installed()
    for line in sys.stdin:
        folder, instead, kill_after_s = json.loads(line)
        if (child := os.fork()) == 0:
            work(a_hub(Path(folder), instead, registry), Path(folder))
            os._exit(0)
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(child, signal.SIGKILL)  # nobody has waited for it: the number is its own
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
