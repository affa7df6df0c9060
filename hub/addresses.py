"""Which network addresses the hub may call when a business names a server."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Event, Timer
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import create_connection

from hub.core.errors import Refused

# Spelt out because ``ipaddress.is_global`` has called several of these public
# (CVE-2024-4032); IANA special-purpose registries, read 2026-11.
PRIVATE = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 "
        "192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 "
        "224.0.0.0/4 240.0.0.0/4 ::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 "
        "2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 "
        "ff00::/8"
    ).split()
)


def is_private(address: IPv4Address | IPv6Address) -> bool:
    """Whether ``address`` may lead into somebody's own network, whatever it is spelt like."""
    return any(address.version == net.version and address in net for net in PRIVATE)


def resolved(host: str, port: int, allowed: Sequence[str]) -> list[str]:
    """The addresses to try, looked up once so that nobody can change the answer later.

    ``allowed`` holds ``host`` or ``host:port`` that may be private. Raises
    ``Refused`` for a private address, ``OSError`` for a name nobody knows.
    """
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found = [str(info[4][0]) for info in infos]
    if host in allowed or f"{host}:{port}" in allowed:
        return found
    if any(is_private(ip_address(text.partition("%")[0])) for text in found):
        raise Refused(
            f"{host} is inside a private network, which the hub calls only if the operator "
            f"names {host}:{port} in HUB_HTTP_ALLOW."
        )
    return found


def connected(
    host: str, port: int, allowed: Sequence[str], timeout_s: Any, **options: Any
) -> socket.socket:
    """A socket to the first address of ``host`` that answers. Raises as ``resolved`` does."""
    problem = OSError(f"{host} has no address")
    for address in resolved(host, port, allowed):
        try:
            return create_connection((address, port), timeout_s, **options)
        except OSError as error:
            problem = error
    raise problem


_opened: ContextVar[list[socket.socket] | None] = ContextVar("opened", default=None)


@contextmanager
def cut_off(after_s: float) -> Iterator[Event]:
    """What is connected meanwhile is cut off ``after_s`` later, however slowly it trickles.

    Timeouts of a socket begin anew with each byte. The event says whether that happened.
    """
    twins, over = list[socket.socket](), Event()

    def cut() -> None:
        over.set()
        for twin in list(twins):
            with suppress(OSError):
                twin.shutdown(socket.SHUT_RDWR)

    timer, token = Timer(after_s, cut), _opened.set(twins)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()
        _opened.reset(token)
        for twin in twins:
            twin.close()


class GuardedAdapter(HTTPAdapter):
    """Connects only where ``resolved`` allows; redirects come by here too."""

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self.allowed = tuple(allowed)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        allowed = self.allowed

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(self, allowed)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(self, allowed)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _connect(connection: HTTPConnection, allowed: Sequence[str]) -> socket.socket:
    """Fails as urllib3's own does: who calls can tell what never left from what may have."""
    try:
        made = connected(
            connection.host,
            connection.port,
            allowed,
            connection.timeout,
            source_address=connection.source_address,
            socket_options=connection.socket_options,
        )
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, f"no connection: {error}") from error
    except OSError as error:
        raise NewConnectionError(connection, f"no connection: {error}") from error
    if (twins := _opened.get()) is not None:
        twins.append(made.dup())  # TLS takes the socket itself away
    return made
