"""The operator's few settings, from the environment. A business's own lie in the database."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from hub.core.errors import ConfigError
from hub.watched import Watched

MOST_CORES = 4
"""More helped little: the parts of a large day wait for each other at the end of each round."""
DEMO_MARK = "demo.json"
"""`hub demo` writes this file into the data directories that are its own."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``HUB_*`` variables; the defaults suit one machine."""

    data_dir: Path
    database_url: str
    domain: str = ""  # empty: plain HTTP on this machine only
    public_url: str = "http://127.0.0.1:8700"
    port: int = 8700
    listen: str = "127.0.0.1"
    certificate: tuple[Path, Path] | None = None  # your own, and its key; None: Caddy gets one
    plugins_off: frozenset[str] = frozenset()
    http_allow: tuple[str, ...] = field(default=())  # host[:port] that may be private
    http_instead: Mapping[str, str] = field(default_factory=dict)  # origin -> who answers for it
    proxied: bool = False  # behind our own front door, whose X-Forwarded-* can be believed
    plan_cores: int = 1  # processes that planning one large day keeps busy
    clock_file: Path | None = None  # a demo's hand-moved clock; None: the real one
    street_speeds: bool = False  # how fast streets are now is learned from drivers' phones

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Raises ``ConfigError`` for a value that cannot be meant."""
        data_dir = Path(env.get("HUB_DATA_DIR", "hub-data")).resolve()
        domain = _domain(env.get("HUB_DOMAIN", ""))
        port = _port(env.get("HUB_PORT", "8700"))
        here = f"https://{domain}" if domain else f"http://127.0.0.1:{port}"
        return cls(
            data_dir=data_dir,
            database_url=env.get("HUB_DATABASE_URL", f"sqlite:///{data_dir / 'hub.db'}"),
            domain=domain,
            public_url=_url(env.get("HUB_PUBLIC_URL", "") or here),
            port=port,
            listen=env.get("HUB_LISTEN", "127.0.0.1"),
            certificate=_certificate(env.get("HUB_CERT", ""), env.get("HUB_CERT_KEY", "")),
            plugins_off=frozenset(env.get("HUB_PLUGINS_OFF", "").replace(",", " ").split()),
            http_allow=tuple(env.get("HUB_HTTP_ALLOW", "").replace(",", " ").split()),
            http_instead=_instead(env.get("HUB_HTTP_INSTEAD", "")),
            proxied=env.get("HUB_PROXIED", "") == "1",
            plan_cores=_cores(env.get("HUB_PLAN_CORES", "")),
            clock_file=_clock(env.get("HUB_CLOCK", ""), data_dir),
            street_speeds=_switch("HUB_STREET_SPEEDS", env.get("HUB_STREET_SPEEDS", "")),
        )

    @property
    def host(self) -> str:
        """The name the hub itself is asked for by, in small letters; empty where it has none."""
        return (self.domain or urlsplit(self.public_url).hostname or "").rstrip(".").lower()

    def clock(self) -> Callable[[], datetime]:
        """Business time: now, or what the demo's hand-moved clock says."""
        if (path := self.clock_file) is None:
            return lambda: datetime.now(UTC)
        watched = Watched(path)
        return lambda: datetime.fromisoformat(watched.text())

    def as_environment(self) -> dict[str, str]:
        """The variables that give a process of ours these settings' places and addresses."""
        return {
            "HUB_DATA_DIR": str(self.data_dir),
            "HUB_DATABASE_URL": self.database_url,
            "HUB_DOMAIN": self.domain,
            "HUB_PUBLIC_URL": self.public_url,
            "HUB_PORT": str(self.port),
            "HUB_LISTEN": self.listen,
            "HUB_HTTP_ALLOW": ",".join(self.http_allow),
            "HUB_HTTP_INSTEAD": " ".join(f"{a}={b}" for a, b in self.http_instead.items()),
            "HUB_PLAN_CORES": str(self.plan_cores),
            "HUB_CLOCK": str(self.clock_file or ""),
            "HUB_STREET_SPEEDS": "1" if self.street_speeds else "",
        }


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise ConfigError(f"HUB_PORT is {text!r}; it must be a number from 1 to 65535.")
    return int(text)


def _switch(name: str, text: str) -> bool:
    if text not in ("", "0", "1"):
        raise ConfigError(f"{name} is {text!r}; it must be 1, or 0, or left out.")
    return text == "1"


def _cores(text: str) -> int:
    if not text:
        return max(1, min(MOST_CORES, os.cpu_count() or 1))
    if not text.isdecimal() or not 0 < int(text) <= 64:
        raise ConfigError(f"HUB_PLAN_CORES is {text!r}; it must be a number from 1 to 64.")
    return int(text)


def _clock(file: str, data_dir: Path) -> Path | None:
    """A business whose clock somebody moves by hand would promise nonsense: demos only."""
    if not file:
        return None
    if not (data_dir / DEMO_MARK).exists():
        raise ConfigError(
            f"HUB_CLOCK is for demonstrations, and {data_dir} was not made by `hub demo`."
            " Unset it to run by the real clock."
        )
    return Path(file).resolve()


def _instead(text: str) -> dict[str, str]:
    found = dict[str, str]()
    for pair in text.replace(",", " ").split():
        origins = [urlsplit(one) for one in pair.split("=", 1)]
        if len(origins) != 2 or not all(
            one.scheme in ("http", "https") and one.netloc and not one.path.strip("/")
            for one in origins
        ):
            raise ConfigError(
                f"HUB_HTTP_INSTEAD has {pair!r}; it must be like"
                " https://api.example.com=http://gateway.internal:8080."
            )
        here, there = (f"{one.scheme}://{one.netloc}" for one in origins)
        found[here] = there
    return found


def _domain(text: str) -> str:
    if text and not re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", text):
        raise ConfigError(
            f"HUB_DOMAIN is {text!r}; it must be the name alone, like hub.example.com."
        )
    return text


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")) or "/" in text.split("://", 1)[1].rstrip("/"):
        raise ConfigError(f"HUB_PUBLIC_URL is {text!r}; it must be like https://hub.example.com.")
    return text.rstrip("/")


def _certificate(certificate: str, key: str) -> tuple[Path, Path] | None:
    if bool(certificate) != bool(key):
        raise ConfigError("Set both HUB_CERT and HUB_CERT_KEY, or neither.")
    return (Path(certificate), Path(key)) if certificate else None
