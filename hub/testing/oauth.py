"""The promises of a connection whose owner signs in at the other side, as tests to inherit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from hub import AuthError, Connection, ConnectsByOAuth, HubError, RateLimited, Tools, Unavailable
from hub.testing.cutting import cut_off
from hub.testing.leaving_out import demand_able, demand_unable
from hub.testing.lending import KeptTokens
from hub.testing.order_sources import Mood
from hub.testing.provider import ProviderConformance, expect, secrets_of

BACK = "https://hub.example/panel/connections/back"
STATE = "st4te-of-this-attempt_0193a1b2"
DECLINED = "test_who_declines_is_told_so"
KNOWN_ANYWAY = 6  # letters; shorter values ("true") are no secrets


class OAuthConformance(ProviderConformance, ABC):
    """``remote`` is your fake of the other side, with its page to approve and its token endpoint.

    It knows ``be(mood)`` as ``hub.testing.Shop`` does.
    """

    back = BACK
    """Where people come back to; override it if your fake knows one address only."""

    @pytest.fixture
    @abstractmethod
    def remote(self) -> Any: ...

    @abstractmethod
    def connection(self, remote: Any, tools: Tools) -> ConnectsByOAuth:
        """Yours, with nothing in ``tools.tokens`` yet."""

    @abstractmethod
    def consent(self, remote: Any, url: str, *, allow: bool) -> Mapping[str, str] | None:
        """What the owner's browser brings back after deciding at ``url``.

        ``None``: who declines never comes back. Exempt what asks for that.
        """

    @abstractmethod
    def forged(self, remote: Any, query: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        """Answers that must be refused, made of a genuine one that was not used: a code that
        nobody gave out, at least. By name."""

    @abstractmethod
    def expire(self, remote: Any) -> None:
        """Every access token ends now; what refreshes it stays good."""

    @abstractmethod
    def forget(self, remote: Any) -> None:
        """The owner takes the approval back at the other side: nothing lets the hub in."""

    @pytest.fixture
    def oauth(self, remote: Any, tools: Tools) -> ConnectsByOAuth:
        return self.connection(remote, tools)

    @pytest.fixture
    def signed_in(self, remote: Any, oauth: ConnectsByOAuth, tools: Tools) -> ConnectsByOAuth:
        """A connection whose owner approved."""
        kept(tools).kept = dict(self._tokens(remote, oauth))
        return oauth

    def _tokens(self, remote: Any, oauth: ConnectsByOAuth) -> Mapping[str, str]:
        query = self.consent(remote, oauth.authorize_url(STATE, self.back), allow=True)
        assert query is not None, "`consent` brought nothing back though the owner approved."
        return oauth.exchange(query, self.back)

    # -- approving

    def test_the_page_to_approve_gets_state_and_redirect(self, oauth: ConnectsByOAuth) -> None:
        for state in (STATE, "a b&c=d#é+%"):
            url = oauth.authorize_url(state, self.back)
            values = [value for found in parse_qs(urlsplit(url).query).values() for value in found]
            assert url.startswith("https://"), f"Send people by https, not to {url[:20]}…"
            assert state in values, f"The state {state!r} is not in the address, or is misspelt."
            assert self.back in values, "The address to come back to is not in it, or is misspelt."

    def test_the_page_to_approve_tells_no_secret(self, oauth: ConnectsByOAuth) -> None:
        url = oauth.authorize_url(STATE, self.back)
        told = [
            name for name, secret in secrets_of(cast(Connection, oauth).settings) if secret in url
        ]
        assert not told, f"{told} stands in an address that browsers and proxies keep."

    def test_the_state_comes_back(self, remote: Any, oauth: ConnectsByOAuth) -> None:
        query = self.consent(remote, oauth.authorize_url(STATE, self.back), allow=True)
        assert query is not None, "`consent` brought nothing back though the owner approved."
        assert query.get("state") == STATE, "`consent` must bring back what the fake was sent."

    def test_who_approved_is_let_in(self, signed_in: ConnectsByOAuth, tools: Tools) -> None:
        tokens = kept(tools).kept
        assert tokens, "`exchange` gave nothing to keep."
        bad = [name for name, value in tokens.items() if not isinstance(value, str) or not value]
        assert not bad, f"Tokens are texts that are kept as they are; {bad} is none, or empty."
        times = [name for name in tokens if name.endswith("_at")]
        naive = [name for name in times if datetime.fromisoformat(tokens[name]).tzinfo is None]
        assert not naive, f"{naive} has no time zone."
        cast(Connection, signed_in).check()

    def test_an_answer_that_is_not_genuine_is_refused(
        self, remote: Any, oauth: ConnectsByOAuth
    ) -> None:
        query = self.consent(remote, oauth.authorize_url(STATE, self.back), allow=True)
        assert query is not None, "`consent` brought nothing back though the owner approved."
        answers = {"with nothing in it": {}, "with the state alone": {"state": STATE}}
        for name, answer in {**answers, **self.forged(remote, query)}.items():
            expect(
                AuthError,
                partial(oauth.exchange, answer, self.back),
                f"an answer {name}",
            )

    def test_an_approval_is_good_once(self, remote: Any, oauth: ConnectsByOAuth) -> None:
        query = self.consent(remote, oauth.authorize_url(STATE, self.back), allow=True)
        assert query is not None, "`consent` brought nothing back though the owner approved."
        oauth.exchange(query, self.back)
        expect(AuthError, lambda: oauth.exchange(query, self.back), "an approval used before")

    def test_who_declines_is_told_so(self, remote: Any, oauth: ConnectsByOAuth) -> None:
        query = self.consent(remote, oauth.authorize_url(STATE, self.back), allow=False)
        demand_able(self, query is not None, DECLINED, "who declines never comes back")
        assert query is not None
        expect(AuthError, lambda: oauth.exchange(query, self.back), "an owner who declined")

    def test_what_is_left_out_it_cannot_do(self, remote: Any, oauth: ConnectsByOAuth) -> None:
        if DECLINED in self.exempt:
            url = oauth.authorize_url(STATE, self.back)
            back = self.consent(remote, url, allow=False)
            demand_unable(self, [DECLINED], back is not None, "who declines comes back")

    # -- staying in

    def test_without_tokens_nobody_is_let_in(self, oauth: ConnectsByOAuth) -> None:
        expect(AuthError, cast(Connection, oauth).check, "a connection nobody approved")
        expect(AuthError, lambda: oauth.refresh({}), "a refresh of nothing")

    def test_refreshed_tokens_let_in_again_and_again(
        self, remote: Any, signed_in: ConnectsByOAuth, tools: Tools
    ) -> None:
        for _ in range(3):
            before = dict(kept(tools).kept)
            kept(tools).kept = dict(signed_in.refresh(before))
            after = kept(tools).kept
            assert after != before, "`refresh` gave back what it was given."
            assert before.keys() <= after.keys(), (
                f"`refresh` lost {sorted(before.keys() - after.keys())}, which the next needs:"
                " what it returns replaces everything that was kept."
            )
            cast(Connection, self.connection_again(signed_in, tools)).check()

    def test_a_token_that_ended_is_refreshed_once_by_the_hubs_lease(
        self, remote: Any, signed_in: ConnectsByOAuth, tools: Tools
    ) -> None:
        self.expire(remote)
        before = dict(kept(tools).kept)
        cast(Connection, signed_in).check()
        assert kept(tools).refreshes == 1, (
            "A token that ended must be refreshed by `tools.tokens.refresh_once`, once: whoever"
            " does it past the lease locks out the process beside it."
        )
        assert kept(tools).kept != before, "The fresh tokens were not kept."
        cast(Connection, self.connection_again(signed_in, tools)).check()
        assert kept(tools).refreshes == 1, "The tokens kept were not used by the next process."

    def test_tokens_that_somebody_else_refreshed_are_used(
        self, remote: Any, signed_in: ConnectsByOAuth, tools: Tools
    ) -> None:
        """The second in line must not use up another refresh token."""
        self.expire(remote)
        fresh = dict(signed_in.refresh(kept(tools).load()))

        class Raced(KeptTokens):
            def refresh_once(
                self, refresh: Callable[[Mapping[str, str]], Mapping[str, str]]
            ) -> Mapping[str, str]:
                self.kept = dict(fresh)
                return super().refresh_once(refresh)

        raced = Raced(kept(tools).kept)
        again = self.connection_again(signed_in, replace(tools, tokens=raced))
        cast(Connection, again).check()
        assert raced.kept == fresh, (
            "While waiting for its turn another process had refreshed. Look whether what `refresh`"
            " is given is still old before you refresh it again."
        )

    def test_an_approval_taken_back_asks_to_reconnect(
        self, remote: Any, signed_in: ConnectsByOAuth, tools: Tools
    ) -> None:
        self.forget(remote)
        expect(AuthError, cast(Connection, signed_in).check, "an approval taken back")
        expect(AuthError, lambda: signed_in.refresh(kept(tools).load()), "a refresh after that")

    @pytest.mark.parametrize(("mood", "error"), [("busy", RateLimited), ("down", Unavailable)])
    def test_an_outage_disconnects_nobody(
        self,
        remote: Any,
        signed_in: ConnectsByOAuth,
        tools: Tools,
        mood: Mood,
        error: type[HubError],
    ) -> None:
        before = kept(tools).load()
        remote.be(mood)
        try:
            cast(Connection, signed_in).check()
        except error:
            pass
        except HubError as other:
            raise AssertionError(
                f"The other side is {mood}: raise {error.__name__}, not {type(other).__name__}, or"
                " the business must reconnect for nothing."
            ) from other
        else:
            raise AssertionError(f"`check` passes though the other side is {mood}.")
        assert kept(tools).load() == before, "An outage changed the tokens that were kept."

    def test_a_refresh_whose_answer_is_lost_is_tried_again(
        self, remote: Any, signed_in: ConnectsByOAuth, tools: Tools
    ) -> None:
        before = kept(tools).load()
        with cut_off(tools.http, 1, "never arrived"):
            expect(Unavailable, lambda: signed_in.refresh(before), "a refresh without an answer")
        assert signed_in.refresh(before) != before, "Afterwards it is not refreshed."

    # -- leaving

    def test_disconnecting_may_be_repeated(self, signed_in: ConnectsByOAuth, tools: Tools) -> None:
        tokens = kept(tools).load()
        signed_in.revoke(tokens)
        signed_in.revoke(tokens)
        signed_in.revoke({})

    def test_no_token_is_told_to_anybody(
        self,
        remote: Any,
        signed_in: ConnectsByOAuth,
        tools: Tools,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        tokens = kept(tools).load()
        secret = {name: value for name, value in tokens.items() if not name.endswith("_at")}
        secret |= dict(secrets_of(cast(Connection, signed_in).settings))
        said: list[str] = []
        with caplog.at_level("DEBUG"):
            cast(Connection, signed_in).check()
            self.forget(remote)
            for act in (
                cast(Connection, signed_in).check,
                lambda: signed_in.refresh(tokens),
                lambda: signed_in.exchange({"code": "gu3ssed", "state": STATE}, self.back),
            ):
                caught = expect(HubError, act, "an approval taken back")
                said += [str(caught), repr(caught)]
        said += [caplog.text, repr(signed_in), repr(cast(Connection, signed_in).settings)]
        told = [
            name
            for name, value in secret.items()
            if len(value) > KNOWN_ANYWAY and any(value in text for text in said)
        ]
        assert not told, f"{told} stands in an error, a repr or the log, for all to read."

    def connection_again(self, of: ConnectsByOAuth, tools: Tools) -> ConnectsByOAuth:
        """The same connection as the next process makes it."""
        made: Any = type(of)
        return cast(ConnectsByOAuth, made(cast(Connection, of).settings, tools))


def kept(tools: Tools) -> KeptTokens:
    assert isinstance(tools.tokens, KeptTokens)
    return tools.tokens
