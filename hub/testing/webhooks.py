"""The promises of a connection that is called by the other side, as tests to inherit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import pytest
from pydantic import SecretStr

from hub import WEBHOOKS, AcceptsWebhooks, BadSignature, HubError, Provider, Tools, WebhookRequest
from hub.testing.cutting import How, cut_off
from hub.testing.leaving_out import demand_able, demand_unable
from hub.testing.provider import ProviderConformance

BELL = "https://hub.example/hooks/in/0193a1b2"
OTHER_BELL = "https://hub.example/hooks/in/0193ffff"
OTHER_SECRET = "an0therC0nnectionsSecret9876543210zyxwvu"  # noqa: S105  (of a test)
Loss = Literal["deleted", "switched off"]
PING = "test_a_ping_is_about_no_order"
PUT_BACK = "test_what_the_other_side_ended_is_put_back"


class WebhooksConformance(ProviderConformance, ABC):
    """``remote`` is your fake of the other side; it keeps subscriptions and signs as the real one.

    Where the other side lets nobody subscribe by program, exempt what asks for it by its name.
    """

    @pytest.fixture
    @abstractmethod
    def remote(self) -> Any: ...

    @abstractmethod
    def connection(self, remote: Any, tools: Tools) -> AcceptsWebhooks:
        """Yours, pointed at ``remote``. Its secret is ``tools.webhook_secret``, or one in its
        settings."""

    @abstractmethod
    def happens(self, remote: Any, ref: str) -> Sequence[WebhookRequest]:
        """Something about order ``ref`` changes: every call that ``remote`` makes for it."""

    def ping(self, remote: Any) -> WebhookRequest | None:
        """A genuine call about no order, as a test of the address.

        ``None``: there are none. Exempt what asks for one.
        """
        return None

    @abstractmethod
    def subscriptions(self, remote: Any) -> Sequence[str]:
        """One text for each subscription that works, with its address in it."""

    @abstractmethod
    def lose(self, remote: Any, how: Loss) -> bool:
        """The other side ends all subscriptions by itself.

        ``False``: it never does so. Exempt that case.
        """

    def another(self, remote: Any, tools: Tools) -> AcceptsWebhooks:
        """Another connection of the same kind; no call made for yours may ring it."""
        return self.connection(remote, replace(tools, webhook_secret=OTHER_SECRET))

    def keyless(self, remote: Any, tools: Tools) -> AcceptsWebhooks:
        """Yours before its secret is known; anybody can sign with an empty one."""
        return self.connection(remote, replace(tools, webhook_secret=""))

    def forged(self, remote: Any, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        """What your scheme has to refuse besides what the kit makes up: too old, say. By name."""
        return {}

    @pytest.fixture
    def bell(self, remote: Any, tools: Tools) -> AcceptsWebhooks:
        """A connection that is subscribed."""
        made = self.connection(remote, tools)
        made.subscribe(BELL)
        return made

    def _call(self, remote: Any) -> WebhookRequest:
        calls = self.happens(remote, "R1")
        assert calls, "`happens` gave no call: did `subscribe` reach the fake?"
        return calls[0]

    # -- telling a genuine call

    def test_a_genuine_call_rings(self, bell: AcceptsWebhooks, remote: Any) -> None:
        calls = self.happens(remote, "R1")
        assert calls, "`happens` gave no call: did `subscribe` reach the fake?"
        for call in calls:
            try:
                got = bell.verify(call)
            except BadSignature as error:
                raise AssertionError(
                    f"A genuine call was refused ({error}). Is it signed by the secret that was"
                    " subscribed, and read by the name the remote uses?"
                ) from error
            assert got is not None, (
                "A genuine call about an order gave None, which means that it is about none: the"
                " hub would not look. Return its id, or an empty text where it has none."
            )

    def test_a_repeat_is_known_by_its_id(self, bell: AcceptsWebhooks, remote: Any) -> None:
        first = self._call(remote)
        ids = [bell.verify(first), bell.verify(first)]
        assert ids[0], "No id: a call that somebody sends again rings again. Make one of its body."
        assert ids[0] == ids[1], "The same call has two ids; a repeat could not be dropped."

    def test_another_change_has_another_id(self, bell: AcceptsWebhooks, remote: Any) -> None:
        first = {bell.verify(call) for call in self.happens(remote, "R1")}
        second = {bell.verify(call) for call in self.happens(remote, "R2")}
        assert not first & second, (
            "Two changes share an id, so the hub would take the second for a repeat and not look."
        )

    def test_a_ping_is_about_no_order(self, bell: AcceptsWebhooks, remote: Any) -> None:
        ping = self.ping(remote)
        demand_able(self, ping is not None, PING, "there are no pings")
        assert ping is not None
        assert bell.verify(ping) is None, "A test of the address is no order. Return None for it."

    def test_what_is_left_out_it_cannot_do(self, bell: AcceptsWebhooks, remote: Any) -> None:
        pings = PING in self.exempt and self.ping(remote) is not None
        demand_unable(self, [PING], pings, "`ping` gives one")
        for how in get_args(Loss):
            case = f"{PUT_BACK}[{how}]"
            loses = case in self.exempt and self.lose(remote, how)
            demand_unable(self, [case], loses, f"`lose` has them {how}")

    def test_a_call_that_lacks_its_signature_is_refused(
        self, bell: AcceptsWebhooks, remote: Any
    ) -> None:
        for call in self.happens(remote, "R1"):
            refused(bell, WebhookRequest({}, call.body), "without headers and query")
            assert any(proofs(bell, call)), (
                "No header and no part of the query is needed for a call to be believed."
            )

    def test_a_forged_signature_is_refused(self, bell: AcceptsWebhooks, remote: Any) -> None:
        for call in self.happens(remote, "R1"):
            for where, name in proofs(bell, call):
                value = getattr(call, where)[name]
                turned = ("B" if value[:1] != "B" else "C") + value[1:]
                for other in ("", "x", turned, f"{value}=", "ñ", "\x80ÿ", "x" * 5000):
                    said = {**getattr(call, where), name: other}
                    refused(bell, having(call, where, said), f"with {name!r} = {other[:20]!r}")

    def test_a_changed_body_is_refused(self, bell: AcceptsWebhooks, remote: Any) -> None:
        for call in self.happens(remote, "R1"):
            for body in (call.body + b" ", call.body[:-1], b"", b"{}", b"\xff\xfe"):
                refused(bell, replace(call, body=body), f"with the body {body[:20]!r}")

    def test_noise_is_refused(self, bell: AcceptsWebhooks) -> None:
        for body in (b"", b"{}", b"[]", b"null", b'{"id": 1}', b"\x00\xff"):
            refused(bell, WebhookRequest({}, body), f"of nothing but {body!r}")

    def test_what_the_scheme_forbids_is_refused(self, bell: AcceptsWebhooks, remote: Any) -> None:
        genuine = self._call(remote)
        for name, call in self.forged(remote, genuine).items():
            refused(bell, call, name)

    def test_another_connections_call_is_refused(
        self, bell: AcceptsWebhooks, remote: Any, tools: Tools
    ) -> None:
        other = self.another(remote, tools)
        for call in self.happens(remote, "R1"):
            refused(other, call, "that was made for another connection")

    def test_without_a_secret_nothing_is_believed(self, remote: Any, tools: Tools) -> None:
        keyless = self.keyless(remote, tools)
        keyless.subscribe(BELL)
        for call in self.happens(remote, "R1"):
            refused(keyless, call, "signed with an empty secret")

    def test_only_the_secrets_for_webhooks_are_needed(
        self, bell: AcceptsWebhooks, remote: Any
    ) -> None:
        assert isinstance(bell, Provider)
        settings, tools = bell.settings, replace(bell.tools, tokens=None)
        closed = {
            name: SecretStr("")
            for name, info in type(settings).model_fields.items()
            if isinstance(getattr(settings, name), SecretStr)
            and not WEBHOOKS.items() <= dict(info.json_schema_extra or {}).items()
        }
        public: Any = type(bell)(settings.model_copy(update=closed), tools)
        for call in self.happens(remote, "R1"):
            try:
                same = public.verify(call) == bell.verify(call)
            except BadSignature:
                same = False
            assert same, (
                "Where calls come in, no secret can be opened but those marked with"
                " `Field(json_schema_extra=WEBHOOKS)`. Mark the one that `verify` needs."
            )

    # -- subscribing

    def test_subscribing_has_the_address_called(self, bell: AcceptsWebhooks, remote: Any) -> None:
        there = self.subscriptions(remote)
        assert there, "`subscribe` left no subscription."
        assert all(BELL in one for one in there), "A subscription calls another address."

    def test_subscribing_every_day_changes_nothing(
        self, bell: AcceptsWebhooks, remote: Any, tools: Tools
    ) -> None:
        before = sorted(self.subscriptions(remote))
        bell.subscribe(BELL)
        self.connection(remote, tools).subscribe(BELL)  # the next day's process
        assert sorted(self.subscriptions(remote)) == before, (
            "`subscribe` is called every day and must leave what is right as it is: look at what"
            " is there before you add."
        )

    @pytest.mark.parametrize("how", ["deleted", "switched off"])
    def test_what_the_other_side_ended_is_put_back(
        self, bell: AcceptsWebhooks, remote: Any, how: Loss
    ) -> None:
        before = sorted(self.subscriptions(remote))
        never = f"the other side never has them {how}"
        demand_able(self, self.lose(remote, how), f"{PUT_BACK}[{how}]", never)
        assert len(self.subscriptions(remote)) < len(before), "`lose` lost nothing."
        bell.subscribe(BELL)
        assert sorted(self.subscriptions(remote)) == before, (
            f"Subscriptions that were {how} must work again after the next `subscribe`."
        )

    def test_a_new_address_replaces_the_old(self, bell: AcceptsWebhooks, remote: Any) -> None:
        count = len(self.subscriptions(remote))
        bell.subscribe(OTHER_BELL)
        there = self.subscriptions(remote)
        assert len(there) == count, "After a move there are more or fewer subscriptions."
        assert all(OTHER_BELL in one for one in there), "An address that the hub left is called."

    def test_unsubscribing_ends_the_calls_and_may_be_repeated(
        self, bell: AcceptsWebhooks, remote: Any
    ) -> None:
        bell.unsubscribe()
        bell.unsubscribe()
        assert not self.subscriptions(remote), "`unsubscribe` left subscriptions behind."

    def test_another_connections_subscriptions_stay(
        self, bell: AcceptsWebhooks, remote: Any, tools: Tools
    ) -> None:
        self.another(remote, tools).subscribe(OTHER_BELL)
        theirs = sorted(one for one in self.subscriptions(remote) if OTHER_BELL in one)
        ours = sorted(one for one in self.subscriptions(remote) if BELL in one)
        assert theirs and ours, "Two connections to one account took each other's subscriptions."
        bell.unsubscribe()
        assert sorted(self.subscriptions(remote)) == theirs, (
            "`unsubscribe` must end those of this connection and leave all others."
        )

    @pytest.mark.parametrize("how", ["answer lost", "never arrived"])
    @pytest.mark.parametrize("day", ["first", "usual"])
    def test_cut_off_anywhere_it_is_finished_the_next_time(
        self, bell: AcceptsWebhooks, remote: Any, tools: Tools, how: How, day: str
    ) -> None:
        before = sorted(self.subscriptions(remote))
        for nth in (1, 2, 3, 5, 8, 13, 21, 34, 55):
            if day == "first":
                bell.unsubscribe()
            again = self.connection(remote, tools)
            told = False
            with cut_off(tools.http, nth, how) as cut:
                try:
                    again.subscribe(BELL)
                except HubError:
                    told = True
            assert told or sorted(self.subscriptions(remote)) == before, (
                f"Cut off at request {nth} ({how}), `subscribe` ends well and is not done: raise"
                " the error, so that it is tried again."
            )
            self.connection(remote, tools).subscribe(BELL)
            assert sorted(self.subscriptions(remote)) == before, (
                f"On a {day} day, cut off at request {nth} ({how}) and repeated, `subscribe`"
                " leaves other subscriptions than an undisturbed one."
            )
            if not cut.happened:
                break


def refused(bell: AcceptsWebhooks, call: WebhookRequest, which: str) -> None:
    try:
        got = bell.verify(call)
    except BadSignature:
        return
    except Exception as error:
        raise AssertionError(
            f"A call {which} made `verify` raise {type(error).__name__} ({error}), which is a bug"
            " that strangers can set off. Raise BadSignature."
        ) from error
    raise AssertionError(
        f"A call {which} was believed (`verify` returned {got!r}): anybody could make the hub"
        " look. Raise BadSignature."
    )


def proofs(bell: AcceptsWebhooks, call: WebhookRequest) -> Iterator[tuple[str, str]]:
    """The headers and parts of the query without which ``call`` is not believed."""
    for where in ("headers", "query"):
        for name in getattr(call, where):
            left = {k: v for k, v in getattr(call, where).items() if k != name}
            try:
                bell.verify(having(call, where, left))
            except BadSignature:
                yield where, name


def having(call: WebhookRequest, where: str, values: Mapping[str, str]) -> WebhookRequest:
    return replace(call, headers=values) if where == "headers" else replace(call, query=values)
