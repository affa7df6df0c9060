"""A plugin's level is judged by facts about its classes, and says what the next one asks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime

import pytest
from pydantic import BaseModel, Field, SecretStr

from hub import (
    Address,
    Geocoder,
    IncomingOrder,
    Kept,
    LooksUp,
    Match,
    Message,
    NotificationChannel,
    OrderPage,
    OrderSource,
    PodStore,
    Provider,
)
from hub.core.levels import Judged, Level, judge


class Told(BaseModel):
    token: SecretStr = Field(title="Token", description="Shop, Settings, API")
    speed: int = Field(default=3, title="Speed")  # has a default, so nobody has to look it up


class Bare(BaseModel):
    token: SecretStr


class Finds(Geocoder):
    key = "finds"
    title = "Finds"

    def locate(self, address: Address) -> Match | None:
        return None


class Proves(Finds):
    Settings = Told

    def check(self) -> None: ...


class Trusts(Finds):
    Settings = Told


class Curt(Proves):
    Settings = Bare


class Reads(OrderSource):
    key = "reads"
    title = "Reads"

    def pages(self, cursor: str | None) -> Iterator[OrderPage]:
        yield OrderPage((), "")


class ReadsOne(Reads):
    def one(self, ref: str) -> IncomingOrder | None:
        return None


class Sends(NotificationChannel):
    key = "sends"
    title = "Sends"
    reaches = "phone"

    def send(self, message: Message) -> str:
        return ""


class Repeats(Sends):
    repeat_is_harmless = True


class Answers(Sends, LooksUp):
    def status(self, key: str) -> str:  # type: ignore[override]
        return "sent"


class Shows(Sends):
    reaches = "nobody"


class Keeps(PodStore):
    key = "keeps"
    title = "Keeps"

    def put(self, content: bytes, *, media_type: str, sha256: str) -> str:
        return sha256

    def get(self, ref: str) -> bytes:
        return b""

    def delete(self, ref: str) -> None: ...


class KeepsAll(Keeps):
    def put_from(self, source: object, *, media_type: str, sha256: str) -> str:
        return sha256

    def parts(self, ref: str) -> Iterator[bytes]:
        return iter(io.BytesIO())

    def kept(self, before: datetime) -> Iterator[Kept]:
        return iter(())


@pytest.mark.parametrize(
    ("cls", "lacks"),
    [
        (Trusts, "check()"),
        (Reads, "one()"),
        (Sends, "repeat_is_harmless"),
        (Keeps, "put_from()"),
        (Keeps, "kept()"),
    ],
)
def test_what_cannot_mend_itself_only_works(cls: type[Provider], lacks: str) -> None:
    found = judge([cls], described=True)
    assert found.level == Level.WORKS
    assert any(lacks in said for said in found.missing)


@pytest.mark.parametrize("cls", [Finds, Proves, ReadsOne, Repeats, Answers, Shows, KeepsAll])
def test_what_mends_itself_and_says_what_to_type_explains(cls: type[Provider]) -> None:
    assert judge([cls], described=True) == Judged(Level.EXPLAINS)


def test_settings_without_words_keep_it_from_explaining() -> None:
    found = judge([Curt], described=True)
    assert found.level == Level.RECOVERS
    assert len(found.missing) == 2
    assert all("token" in said for said in found.missing)


def test_without_a_page_about_it_nothing_explains() -> None:
    assert judge([Finds], described=False).level == Level.RECOVERS
    assert judge([], described=False).level == Level.RECOVERS
    assert judge([], described=True).level == Level.EXPLAINS


def test_the_least_of_its_classes_decides() -> None:
    found = judge([Finds, Sends, KeepsAll], described=True)
    assert found.level == Level.WORKS
    assert all(said.startswith("Sends: ") for said in found.missing)
