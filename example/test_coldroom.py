"""The plugin keeps the contract of a proof store."""

from collections.abc import Iterator

import pytest
from fake_coldroom import FakeColdroom
from hub_coldroom import Coldroom
from requests.adapters import HTTPAdapter

from hub import AuthError, Tools, Unavailable
from hub.testing import PodStoreConformance, serve


class TestColdroom(PodStoreConformance):
    @pytest.fixture(autouse=True)
    def _running(self) -> Iterator[None]:
        self.remote = FakeColdroom()
        with serve(self.remote.app) as self.url:
            yield

    def store(self, tools: Tools, key: str = FakeColdroom.secret) -> Coldroom:
        tools.http.mount("http://127.0.0.1", HTTPAdapter())
        return Coldroom(Coldroom.Settings(url=self.url, token=key), tools)

    def damage(self, ref: str) -> None:
        self.remote.spoil(ref)

    def fill(self) -> None:
        self.remote.is_full = True

    def test_a_key_that_opens_nothing_is_found_by_the_check(self, tools: Tools) -> None:
        with pytest.raises(AuthError):
            self.store(tools, key="another").check()

    def test_a_store_that_is_away_is_asked_again_later(self, tools: Tools) -> None:
        self.url = "http://127.0.0.1:9/"  # nobody listens at the port for what is thrown away
        with pytest.raises(Unavailable):
            self.store(tools).get("0" * 64)
