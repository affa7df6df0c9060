"""Signing in, staying signed in, choosing an organisation, leaving."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qs, urlsplit

import pytest
from xero_python.api_client.configuration import Configuration

from connectors.xero.settings import SCOPES
from connectors.xero.source import Xero
from hub import AuthError, ConfigError, Tools, Unavailable
from hub.testing import WsgiAdapter, lent
from tests.connectors.xero_worlds import bakery, connected, kept
from tests.fakes.xero import MONDAY, ORIGINS, REDIRECT, FakeXero, uuid


@pytest.fixture
def fake() -> Iterator[FakeXero]:
    made = FakeXero()
    yield made
    assert made.wrong == []


def clocked(fake: FakeXero, folder: Path) -> Tools:
    """Tools whose clock is the fake's."""
    tools = lent(folder, now=MONDAY)
    object.__setattr__(tools, "now", fake.now)
    return tools


def refreshes(fake: FakeXero) -> int:
    return len([c for c in fake.calls if b"grant_type=refresh_token" in c.body])


class TestSigningIn:
    def test_a_person_signs_in_allows_and_the_books_open(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        xero = bakery(fake, tmp_path)
        fake.put("A", MONDAY)
        url = xero.authorize_url("state-1", REDIRECT)
        assert url.startswith("https://login.xero.com/identity/connect/authorize?")
        asked = parse_qs(urlsplit(url).query)
        assert asked["scope"] == [SCOPES]
        assert asked["redirect_uri"] == [REDIRECT]
        back = fake.consent(url)
        assert back["state"] == "state-1"
        tokens = xero.exchange(back, REDIRECT)
        assert tokens.keys() == {"access_token", "refresh_token", "expires_at"}
        assert tokens["expires_at"] == "2024-03-04T06:30:00+00:00"
        kept(xero.tools).kept = dict(tokens)
        xero.check()
        assert [o.number for page in xero.pages(None) for o in page.orders] == ["INV-A"]

    def test_a_person_who_declines_is_told_so(self, fake: FakeXero, tmp_path: Path) -> None:
        xero = bakery(fake, tmp_path)
        back = fake.consent(xero.authorize_url("s", REDIRECT), allow=False)
        with pytest.raises(AuthError, match="did not allow"):
            xero.exchange(back, REDIRECT)

    @pytest.mark.parametrize("query", [{}, {"error": "invalid_scope"}, {"code": ""}])
    def test_an_answer_without_a_code_is_refused(
        self, fake: FakeXero, tmp_path: Path, query: dict[str, str]
    ) -> None:
        with pytest.raises(AuthError, match="no sign-in"):
            bakery(fake, tmp_path).exchange(query, REDIRECT)

    def test_a_code_is_good_once_and_only_if_it_is_xeros(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        xero = bakery(fake, tmp_path)
        back = fake.consent(xero.authorize_url("s", REDIRECT))
        xero.exchange(back, REDIRECT)
        for query in (back, {"code": "forged"}):
            with pytest.raises(AuthError, match="Sign in again"):
                xero.exchange(query, REDIRECT)

    def test_a_wrong_secret_is_said_at_its_field(self, fake: FakeXero, tmp_path: Path) -> None:
        xero = bakery(fake, tmp_path, client_secret="wr0ng")
        with pytest.raises(AuthError, match="Copy both again") as caught:
            xero.exchange({"code": "x"}, REDIRECT)
        assert caught.value.field == "client_secret"
        assert "wr0ng" not in f"{caught.value!r}{xero.settings!r}"

    def test_the_scopes_can_be_changed(self, fake: FakeXero, tmp_path: Path) -> None:
        xero = bakery(fake, tmp_path, scopes="offline_access  accounting.transactions")
        asked = parse_qs(urlsplit(xero.authorize_url("s", REDIRECT)).query)
        assert asked["scope"] == ["offline_access accounting.transactions"]


class TestStayingSignedIn:
    def test_a_token_is_renewed_two_minutes_early_and_once(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        xero = connected(fake, clocked(fake, tmp_path))
        fake.put("A", MONDAY)
        fake.wait(minutes=27, seconds=59)
        list(xero.pages(None))
        assert refreshes(fake) == 0
        fake.wait(seconds=2)
        list(xero.pages(None))
        list(xero.pages(None))
        assert refreshes(fake) == 1
        assert kept(xero.tools).kept["expires_at"] == "2024-03-04T06:58:01+00:00"

    def test_a_year_of_weekly_use_never_needs_a_person(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        xero = connected(fake, clocked(fake, tmp_path))
        for _ in range(52):
            fake.wait(days=7)
            xero.check()
        assert refreshes(fake) == 52

    def test_a_token_that_ends_before_its_time_is_renewed(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        xero = bakery(fake, tmp_path)
        fake.put("A", MONDAY)
        fake.be("expired")
        assert len([o for page in xero.pages(None) for o in page.orders]) == 1
        assert refreshes(fake) == 1

    def test_an_answer_lost_on_the_way_locks_nobody_out(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        """The refresh token was used, and the new one never arrived."""
        xero = connected(fake, clocked(fake, tmp_path))
        before = dict(kept(xero.tools).kept)
        fake.wait(minutes=40)
        fake.lost_answers = 1
        with pytest.raises(Unavailable):
            xero.check()
        assert kept(xero.tools).kept == before
        fake.wait(minutes=29)
        xero.check()
        assert kept(xero.tools).kept["refresh_token"] != before["refresh_token"]

    def test_after_the_grace_it_asks_to_reconnect(self, fake: FakeXero, tmp_path: Path) -> None:
        xero = connected(fake, clocked(fake, tmp_path))
        fake.wait(minutes=40)
        fake.lost_answers = 1
        with pytest.raises(Unavailable):
            xero.check()
        fake.wait(minutes=31)
        with pytest.raises(AuthError, match="Reconnect it under Connections"):
            xero.check()

    def test_sixty_days_of_silence_ask_to_reconnect(self, fake: FakeXero, tmp_path: Path) -> None:
        xero = connected(fake, clocked(fake, tmp_path))
        fake.wait(days=61)
        with pytest.raises(AuthError, match="Reconnect"):
            list(xero.pages(None))

    def test_another_workers_token_is_taken_without_asking_xero(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        """While we waited for our turn it refreshed: a second time would spend its token."""
        tools = clocked(fake, tmp_path)
        xero = connected(fake, tools)
        fake.wait(minutes=40)
        theirs = fake.tokens()
        waited = WaitedFor(kept(tools).kept, theirs)
        object.__setattr__(tools, "tokens", waited)
        xero.check()
        assert refreshes(fake) == 0
        assert fake.calls[-1].headers["authorization"] == f"Bearer {theirs['access_token']}"

    def test_two_workers_of_one_connection_spend_no_token_twice(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        shared = Leased(fake.tokens())
        workers = []
        for _ in range(2):
            tools = clocked(fake, tmp_path)
            worker = connected(fake, tools)
            object.__setattr__(tools, "tokens", shared)
            workers.append(worker)
        for _ in range(5):
            fake.wait(minutes=29)
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda worker: worker.check(), workers))
        assert refreshes(fake) == 5

    def test_nobody_signed_in_yet_is_said_in_words(self, fake: FakeXero, tmp_path: Path) -> None:
        xero = bakery(fake, tmp_path)
        kept(xero.tools).kept = {}
        with pytest.raises(AuthError, match="Sign in to Xero first"):
            xero.check()
        object.__setattr__(xero.tools, "tokens", WaitedFor({}, {"access_token": ""}))
        with pytest.raises(AuthError, match="Sign in to Xero first"):
            list(xero.pages(None))
        object.__setattr__(xero.tools, "tokens", None)
        with pytest.raises(AuthError, match="Sign in to Xero first"):
            xero.check()

    @pytest.mark.parametrize("mood", ["down", "babbling"])
    def test_a_sign_in_that_is_down_is_no_reason_to_reconnect(
        self, fake: FakeXero, tmp_path: Path, mood: str
    ) -> None:
        xero = connected(fake, clocked(fake, tmp_path))
        fake.wait(minutes=40)
        fake.be(mood)
        with pytest.raises(Unavailable):
            xero.check()


class WaitedFor:
    """What a worker sees whose turn came after another had refreshed."""

    def __init__(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        self._before, self._after = before, after

    def load(self) -> Mapping[str, str]:
        return self._before

    def refresh_once(
        self, refresh: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        return refresh(self._after)


class Leased:
    """Tokens that one at a time may refresh, as the hub keeps them."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._tokens, self._lock = dict(tokens), Lock()

    def load(self) -> Mapping[str, str]:
        return dict(self._tokens)

    def refresh_once(
        self, refresh: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        with self._lock:
            self._tokens = dict(refresh(dict(self._tokens)))
            return dict(self._tokens)


class TestOrganisations:
    def test_those_allowed_can_be_chosen(self, fake: FakeXero, tmp_path: Path) -> None:
        cafe = fake.organisation("Café")
        xero = bakery(fake, tmp_path, tenant_id="")
        xero.check()
        options = xero.choices()["tenant_id"]
        assert [(o.value, o.label) for o in options] == [
            (fake.home.tenant_id, "Bakery"),
            (cafe.tenant_id, "Café"),
        ]

    def test_with_several_one_must_be_chosen(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.organisation("Café")
        with pytest.raises(ConfigError, match="Choose which") as caught:
            list(bakery(fake, tmp_path, tenant_id="").pages(None))
        assert caught.value.field == "tenant_id"

    def test_the_only_one_need_not_be_chosen(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY)
        assert len(list(bakery(fake, tmp_path, tenant_id="").pages(None))) == 1

    def test_the_one_chosen_is_read_and_no_other(self, fake: FakeXero, tmp_path: Path) -> None:
        cafe = fake.organisation("Café")
        fake.put("A", MONDAY)
        fake.put("B", MONDAY, to=cafe)
        xero = bakery(fake, tmp_path, tenant_id=cafe.tenant_id)
        assert [o.number for page in xero.pages(None) for o in page.orders] == ["INV-B"]
        assert {c.headers["xero-tenant-id"] for c in fake.asked("")} == {cafe.tenant_id}

    def test_a_sign_in_that_reaches_none_says_so(self, fake: FakeXero, tmp_path: Path) -> None:
        xero = bakery(fake, tmp_path, tenant_id="")
        fake.disconnected.add(fake.home.tenant_id)
        with pytest.raises(AuthError, match="no organisation"):
            xero.check()


class TestCustomConnection:
    def test_it_needs_nobody_to_sign_in(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY)
        xero = bakery(fake, tmp_path, way="custom", tenant_id="")
        xero.check()
        assert len(list(xero.pages(None))) == 1
        assert refreshes(fake) == 0
        assert "refresh_token" not in kept(xero.tools).kept
        assert not [c for c in fake.asked("") if "xero-tenant-id" in c.headers]
        assert [(o.value, o.label) for o in xero.choices()["tenant_id"]] == [
            (fake.home.tenant_id, "Bakery")
        ]

    def test_its_token_is_fetched_anew_in_good_time(self, fake: FakeXero, tmp_path: Path) -> None:
        xero = connected(fake, clocked(fake, tmp_path), way="custom", tenant_id="")
        xero.check()
        xero.check()
        fake.wait(minutes=29)
        xero.check()
        assert len([c for c in fake.calls if b"client_credentials" in c.body]) == 2

    def test_an_app_of_the_other_kind_is_said_in_words(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        xero = bakery(fake, tmp_path, way="custom", tenant_id="")
        fake.custom_apps.clear()
        with pytest.raises(AuthError, match="in this way") as caught:
            xero.check()
        assert caught.value.field == "way"

    def test_there_is_nothing_to_revoke(self, fake: FakeXero, tmp_path: Path) -> None:
        bakery(fake, tmp_path, way="custom").revoke({})
        assert fake.calls == []


class TestLeaving:
    def test_the_organisation_is_taken_from_the_app_and_others_stay(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        fake.organisation("Café")
        xero = bakery(fake, tmp_path)
        xero.revoke(kept(xero.tools).kept)
        assert fake.disconnected == {fake.home.tenant_id}

    def test_the_tokens_handed_in_are_those_that_leave(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        xero = bakery(fake, tmp_path, tenant_id="")
        tokens = dict(kept(xero.tools).kept) | {"expires_at": MONDAY.isoformat()}
        kept(xero.tools).kept = {}
        xero.revoke(tokens)
        assert fake.disconnected == {fake.home.tenant_id}
        assert kept(xero.tools).kept == {}

    def test_of_several_none_is_left_that_was_not_chosen(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        fake.organisation("Café")
        xero = bakery(fake, tmp_path, tenant_id="")
        xero.revoke(kept(xero.tools).kept)
        assert fake.disconnected == set()

    def test_leaving_twice_is_no_error(self, fake: FakeXero, tmp_path: Path) -> None:
        xero = bakery(fake, tmp_path)
        xero.revoke(kept(xero.tools).kept)
        left = set(fake.disconnected)
        bakery(fake, tmp_path).revoke(kept(xero.tools).kept)
        assert fake.disconnected == left != set()

    def test_leaving_what_forgot_us_is_no_error(self, fake: FakeXero, tmp_path: Path) -> None:
        xero = bakery(fake, tmp_path)
        fake.be("locked")
        xero.revoke(kept(xero.tools).kept)
        assert fake.disconnected == set()

    def test_leaving_while_xero_is_down_is_tried_again(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        xero = bakery(fake, tmp_path)
        fake.be("down")
        with pytest.raises(Unavailable):
            xero.revoke(kept(xero.tools).kept)


def test_many_threads_of_two_connections_never_send_each_others_token(
    fake: FakeXero, tmp_path: Path
) -> None:
    """The SDK keeps one configuration for the whole process; ours must not be in it."""
    cafe = fake.organisation("Café")
    fake.per_minute = 10_000
    theirs: dict[str, set[str]] = {}

    def connection(tenant_id: str) -> Xero:
        tools = lent(tmp_path, now=MONDAY)
        for origin in ORIGINS:
            tools.http.mount(origin, WsgiAdapter(fake))
        kept(tools).kept = fake.tokens(tenant_id)
        theirs.setdefault(tenant_id, set()).add(kept(tools).kept["access_token"])
        settings = Xero.Settings(
            client_id=fake.client_id, client_secret=fake.secret, tenant_id=tenant_id
        )
        return Xero(settings, tools)

    for n in range(6):
        fake.put(f"H{n}", MONDAY + timedelta(minutes=n))
        fake.put(f"C{n}", MONDAY + timedelta(minutes=n), to=cafe)
    home, other = connection(fake.home.tenant_id), connection(cafe.tenant_id)

    def reads(xero: Xero) -> set[str]:
        return {o.number[:5] for page in xero.pages(None) for o in page.orders}

    def anew(tenant_id: str) -> set[str]:
        return reads(connection(tenant_id))

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(reads, (home, other)[n % 2]) for n in range(2)]
        jobs += [pool.submit(anew, (fake.home, cafe)[n % 2].tenant_id) for n in range(16)]
        found = [job.result() for job in jobs]
    assert [sorted(numbers) for numbers in found] == [["INV-H"], ["INV-C"]] * 9
    for call in fake.asked(""):
        token = call.headers["authorization"].removeprefix("Bearer ")
        assert token in theirs[call.headers["xero-tenant-id"]]


def test_the_sdks_shared_configuration_never_holds_a_token(fake: FakeXero, tmp_path: Path) -> None:
    fake.put("A", MONDAY)
    xero = bakery(fake, tmp_path)
    list(xero.pages(None))
    assert Configuration().oauth2_token is None
    assert uuid("A") in {o.ref for page in xero.pages(None) for o in page.orders}
