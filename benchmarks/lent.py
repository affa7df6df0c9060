"""What the hub lends a provider, for benchmarks that ask one directly."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from hub import Tools
from hub.http import Http


def tools(data_dir: Path = Path(), cores: int = 1) -> Tools:
    log = logging.getLogger("benchmarks")
    return Tools(Http(), lambda: datetime.now(UTC), log, data_dir, cores=cores)
