"""Ask the system's resolver, with a limit to how long that may take."""

from __future__ import annotations

import ipaddress
import logging
from dataclasses import dataclass, field

import dns.exception
import dns.resolver

from hub.core.own_domain import Found
from hub.db.unit import forbid_open_unit

log = logging.getLogger(__name__)
PATIENCE_S = 5.0  # for each question; a person waits for the answer


@dataclass
class Names:
    """DNS as this machine sees it. ``resolver`` ``None``: the system's own."""

    resolver: dns.resolver.Resolver | None = field(default=None)

    def look_up(self, host: str, text_at: str, hub_host: str) -> Found:
        """The texts below a name, where the name leads, and where the hub is."""
        forbid_open_unit("a question to DNS")
        try:
            alias = self._ask(host, "CNAME")
            return Found(
                texts=tuple(self._ask(text_at, "TXT")),
                alias=alias[0] if alias else "",
                addresses=self._addresses(host),
                ours=self._addresses(hub_host),
            )
        except dns.exception.Timeout:
            return Found(unanswered="no answer in time")
        except dns.exception.DNSException as problem:
            # Its text names our name servers, which are no business's affair.
            log.info("a name cannot be looked up host=%s: %s", host, problem)
            return Found(unanswered="its name servers do not answer as they should")
        except OSError:
            return Found(unanswered="this machine reaches no name server")

    def _addresses(self, host: str) -> tuple[str, ...]:
        """Of a name, or of what is an address already."""
        try:
            return (str(ipaddress.ip_address(host)),)
        except ValueError:
            return (*self._ask(host, "A"), *self._ask(host, "AAAA"))

    def _ask(self, name: str, kind: str) -> list[str]:
        resolver = self.resolver or dns.resolver.Resolver()
        try:
            answer = resolver.resolve(name, kind, lifetime=PATIENCE_S)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        if kind == "TXT":
            return [b"".join(one.strings).decode("utf-8", "replace") for one in answer]
        return [one.to_text().rstrip(".").lower() for one in answer]
