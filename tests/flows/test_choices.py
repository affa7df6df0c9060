"""A business chooses its plugins and sets them; secrets stay sealed and businesses apart."""

from __future__ import annotations

import json
from typing import Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError
from sqlalchemy import text
from sqlmodel import select

from hub import AuthError, Message, NotificationChannel, hookimpl
from hub.app import Hub
from hub.core.errors import ConfigError
from hub.db.tables import AuditRow, SecretRow
from hub.flows.choices import choice, choices, choose, mark, move_up, providers, switch
from hub.flows.found import found


class PigeonSettings(BaseModel):
    loft: str = Field(min_length=1)
    host: str = ""
    api_url: str = ""
    port: int = 25
    whistle: SecretStr = SecretStr("")
    colour: Literal["grey", "white"] = "grey"


class Pigeon(NotificationChannel):
    key = "pigeon"
    title = "Pigeon"
    reaches = "nobody"
    Settings = PigeonSettings

    def check(self) -> None:
        if self.settings.whistle.get_secret_value() == "wrong":
            raise AuthError("The loft does not know this whistle.")

    def send(self, message: Message) -> str:
        return f"{self.settings.loft}/{self.settings.whistle.get_secret_value()}"


class Drum(NotificationChannel):
    key = "drum"
    title = "Drum"
    reaches = "nobody"

    def send(self, message: Message) -> str:
        return "boom"


class Plugin:
    __name__ = "birds"

    @hookimpl
    def hub_notification_channels(self) -> list[type[NotificationChannel]]:
        return [Pigeon, Drum]


@pytest.fixture
def hub(database_url: str) -> Hub:
    return Hub.in_memory(Plugin(), url=database_url)


@pytest.fixture
def husk(hub: Hub) -> str:
    return found(hub, "Husk", zone="UTC")


A_MESSAGE = Message(key="1", to="x", subject="s", text="t")


def chosen(hub: Hub, business_id: str, **values: str) -> None:
    given = {"loft": "roof", "whistle": "fweet", **values}
    choose(hub, business_id, "channel", "pigeon", given, actor="staff:1")


def test_a_chosen_plugin_is_ready_with_its_settings_and_secrets(hub: Hub, husk: str) -> None:
    chosen(hub, husk)
    [pigeon] = providers(hub, husk, NotificationChannel)
    assert pigeon.send(A_MESSAGE) == "roof/fweet"


def test_a_secret_lies_sealed_and_nowhere_else(hub: Hub, husk: str) -> None:
    chosen(hub, husk)
    row = choice(hub, husk, "channel", "pigeon")
    assert row is not None
    assert row.settings == {
        "loft": "roof",
        "host": "",
        "api_url": "",
        "port": 25,
        "colour": "grey",
    }
    with hub.reading() as session:
        assert "fweet" not in session.exec(select(SecretRow)).one().sealed
        stored = session.execute(text("SELECT settings FROM choice")).all()
    assert "fweet" not in json.dumps([str(one) for one in stored])


def test_an_empty_secret_in_the_form_leaves_the_known_one(hub: Hub, husk: str) -> None:
    chosen(hub, husk)
    chosen(hub, husk, loft="tower", whistle="")
    assert providers(hub, husk, NotificationChannel)[0].send(A_MESSAGE) == "tower/fweet"
    chosen(hub, husk, whistle="new")
    assert providers(hub, husk, NotificationChannel)[0].send(A_MESSAGE) == "roof/new"


def test_a_kept_secret_is_never_told_to_another_server(hub: Hub, husk: str) -> None:
    """Whoever may set the host could have read the password there."""
    chosen(hub, husk, host="mail.example.org")
    with pytest.raises(ConfigError, match=r"another server: enter again .*[Ww]histle"):
        chosen(hub, husk, host="elsewhere.example", whistle="")
    chosen(hub, husk, host="mail.example.org", whistle="")
    chosen(hub, husk, host="elsewhere.example", whistle="fweet")


def test_a_server_that_goes_back_to_its_default_is_another_one_too(hub: Hub, husk: str) -> None:
    """A port left empty in the form took its default, with the kept secret."""
    chosen(hub, husk, port="26")
    with pytest.raises(ConfigError, match="another server"):
        chosen(hub, husk, whistle="")
    chosen(hub, husk, port=" 26", whistle="")


def test_a_setting_that_ends_in_url_says_which_server_it_is(hub: Hub, husk: str) -> None:
    chosen(hub, husk, api_url="https://a.example")
    with pytest.raises(ConfigError, match="another server"):
        chosen(hub, husk, api_url="https://b.example", whistle="")


def test_wrong_settings_name_their_field_and_store_nothing(hub: Hub, husk: str) -> None:
    with pytest.raises(ValidationError, match="colour"):
        chosen(hub, husk, colour="green")
    with pytest.raises(AuthError, match="whistle"):
        chosen(hub, husk, whistle="wrong")
    with pytest.raises(ConfigError, match="not installed"):
        choose(hub, husk, "channel", "smoke", {}, actor="staff:1")
    assert choices(hub, husk, "channel") == []


def test_settings_that_stop_working_leave_the_working_ones_in_place(hub: Hub, husk: str) -> None:
    chosen(hub, husk)
    with pytest.raises(AuthError):
        chosen(hub, husk, whistle="wrong")
    assert providers(hub, husk, NotificationChannel)[0].send(A_MESSAGE) == "roof/fweet"


def test_choices_keep_the_order_in_which_they_were_made(hub: Hub, husk: str) -> None:
    choose(hub, husk, "channel", "drum", {}, actor="staff:1")
    chosen(hub, husk)
    choose(hub, husk, "channel", "drum", {}, actor="staff:1")
    assert [row.plugin for row in choices(hub, husk, "channel")] == ["drum", "pigeon"]


def test_a_choice_moved_up_is_tried_earlier(hub: Hub, husk: str) -> None:
    choose(hub, husk, "channel", "drum", {}, actor="staff:1")
    chosen(hub, husk)
    for _ in range(2):  # the first stays first
        move_up(hub, husk, "channel", "pigeon", actor="staff:1")
    assert [one.key for one in providers(hub, husk, NotificationChannel)] == ["pigeon", "drum"]
    with pytest.raises(LookupError):
        move_up(hub, found(hub, "Other", zone="UTC"), "channel", "drum", actor="staff:2")


def test_a_channel_must_say_what_it_reaches() -> None:
    with pytest.raises(TypeError, match="Smoke does not say what it reaches"):
        type("Smoke", (NotificationChannel,), {"key": "smoke"})


def test_one_switched_off_is_not_used_and_comes_back_as_it_was(hub: Hub, husk: str) -> None:
    chosen(hub, husk)
    switch(hub, husk, "channel", "pigeon", active=False, actor="staff:1")
    assert providers(hub, husk, NotificationChannel) == []
    switch(hub, husk, "channel", "pigeon", active=True, actor="staff:1")
    assert providers(hub, husk, NotificationChannel)[0].send(A_MESSAGE) == "roof/fweet"
    with pytest.raises(LookupError):
        switch(hub, husk, "channel", "drum", active=True, actor="staff:1")


def test_one_whose_plugin_no_longer_takes_its_settings_says_so(hub: Hub, husk: str) -> None:
    chosen(hub, husk)
    with hub.unit() as unit:
        unit.session.execute(text("UPDATE choice SET settings = '{}'"))
    assert providers(hub, husk, NotificationChannel) == []
    row = choice(hub, husk, "channel", "pigeon")
    assert row is not None
    assert row.state == "needs_attention"
    assert "Pigeon" in row.last_error
    chosen(hub, husk)
    row = choice(hub, husk, "channel", "pigeon")
    assert row is not None
    assert (row.state, row.last_error) == ("ok", "")


def test_a_secret_whose_key_is_gone_is_asked_for_again(hub: Hub, husk: str) -> None:
    chosen(hub, husk)
    with hub.unit() as unit:
        unit.session.exec(select(SecretRow)).one().sealed = "gAAAA"
    assert providers(hub, husk, NotificationChannel) == []
    row = choice(hub, husk, "channel", "pigeon")
    assert row is not None
    assert "Enter it again" in row.last_error
    chosen(hub, husk, whistle="new")
    assert providers(hub, husk, NotificationChannel)[0].send(A_MESSAGE) == "roof/new"


def test_nobody_sees_or_marks_another_business_choices(hub: Hub, husk: str) -> None:
    other = found(hub, "Other", zone="UTC")
    chosen(hub, husk)
    row = choice(hub, husk, "channel", "pigeon")
    assert row is not None
    assert choices(hub, other, "channel") == providers(hub, other, NotificationChannel) == []
    mark(hub, other, row.id, "failing", "no")
    again = choice(hub, husk, "channel", "pigeon")
    assert again is not None
    assert again.state == "ok"


def test_it_is_on_record_who_chose(hub: Hub, husk: str) -> None:
    chosen(hub, husk)
    with hub.reading() as session:
        notes = session.exec(select(AuditRow)).all()
    assert [(n.actor, n.action, n.subject) for n in notes] == [
        ("staff:1", "channel chosen", "pigeon")
    ]
