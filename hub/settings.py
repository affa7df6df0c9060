"""The operator's few settings, from the environment. A business's own lie in the database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """``HUB_*`` variables; the defaults suit one machine."""

    data_dir: Path
    database_url: str
    domain: str = ""  # empty: plain HTTP on this machine only
    public_url: str = "http://127.0.0.1:8700"
    port: int = 8700
    plugins_off: frozenset[str] = frozenset()
    http_allow: tuple[str, ...] = field(default=())  # host[:port] that may be private
    proxied: bool = False  # behind our own front door, whose X-Forwarded-* can be believed
    clock_file: Path | None = None  # a demo's hand-moved clock; None: the real one

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Settings:
        data_dir = Path(env.get("HUB_DATA_DIR", "hub-data")).resolve()
        domain = env.get("HUB_DOMAIN", "")
        port = int(env.get("HUB_PORT", "8700"))
        clock = env.get("HUB_CLOCK", "")
        return cls(
            data_dir=data_dir,
            database_url=env.get("HUB_DATABASE_URL", f"sqlite:///{data_dir / 'hub.db'}"),
            domain=domain,
            public_url=f"https://{domain}" if domain else f"http://127.0.0.1:{port}",
            port=port,
            plugins_off=frozenset(env.get("HUB_PLUGINS_OFF", "").replace(",", " ").split()),
            http_allow=tuple(env.get("HUB_HTTP_ALLOW", "").replace(",", " ").split()),
            proxied=env.get("HUB_PROXIED", "") == "1",
            clock_file=Path(clock) if clock else None,
        )
