"""What a real name server says is read as it is, and a silent one keeps nobody waiting."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

import hub.dns
from hub.dns import Names

HOST, AT, HUB = "track.bakery.example", "_lastmilehub.track.bakery.example", "hub.example.com"
SAYS = {
    (AT, "TXT"): ['"lastmilehub=" "abc"', '"v=spf1 -all"'],
    (HOST, "CNAME"): [f"{HUB.upper()}."],
    (HUB, "A"): ["198.51.100.7"],
    (HUB, "AAAA"): ["2001:db8::7"],
}


@contextmanager
def a_name_server(
    says: dict[tuple[str, str], list[str]], *, is_silent: bool = False, fails: bool = False
) -> Iterator[Names]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(0.1)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    asked, caller = bound.recvfrom(4096)
                except TimeoutError:
                    continue
                if not is_silent:
                    bound.sendto(_answer(asked, says, fails=fails), caller)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], bound.getsockname()[1]
        yield Names(resolver)
        over.set()
        thread.join()


def _answer(asked: bytes, says: dict[tuple[str, str], list[str]], *, fails: bool) -> bytes:
    query = dns.message.from_wire(asked)
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True)
    answer = dns.message.make_response(query)
    kind = {1: "A", 5: "CNAME", 16: "TXT", 28: "AAAA"}[int(question.rdtype)]
    told = says.get((name, kind))
    if fails:
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif told:
        answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *told))
    elif not any(known == name for known, _ in says):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer.to_wire()


def test_texts_aliases_and_addresses_are_read() -> None:
    with a_name_server(SAYS) as names:
        found = names.look_up(HOST, AT, HUB)
    assert set(found.texts) == {"lastmilehub=abc", "v=spf1 -all"}
    assert found.alias == HUB
    assert set(found.ours) == {"198.51.100.7", "2001:db8::7"}
    assert not found.unanswered


def test_a_name_that_is_not_there_is_an_answer() -> None:
    with a_name_server({}) as names:
        found = names.look_up(HOST, AT, HUB)
    assert (found.texts, found.alias, found.addresses, found.unanswered) == ((), "", (), "")


def test_silence_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.dns, "PATIENCE_S", 0.2)
    with a_name_server(SAYS, is_silent=True) as names:
        assert names.look_up(HOST, AT, HUB).unanswered == "no answer in time"


def test_a_hub_without_a_name_is_where_its_address_is() -> None:
    with a_name_server({}) as names:
        assert names.look_up(HOST, AT, "192.0.2.9").ours == ("192.0.2.9",)


def test_a_name_server_that_fails_is_not_named() -> None:
    with a_name_server({}, fails=True) as names:
        unanswered = names.look_up(HOST, AT, HUB).unanswered
    assert unanswered and "127.0.0.1" not in unanswered
