"""What every kit shares: reasons for what cannot apply, borrowed tools, and the looks of a form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, get_args

import pytest
from pydantic import BaseModel, SecretStr

from hub import BadSignature, Connection, HubError, Provider, Tools
from hub.testing.leaving_out import leave_out
from hub.testing.lending import lent

MONDAY = datetime(2024, 3, 4, 6, 0, tzinfo=UTC)  # in the past, so a cursor made from now() shows
SECRET_WORDS = ("secret", "password", "token", "api_key")


class ProviderConformance:
    exempt: ClassVar[Mapping[str, str]] = {}
    """Tests that cannot apply, each with the reason a reader deserves: they are left out.

    ``"test_it[well]"`` is one case of a test. Where the kit can tell, it finds out what is
    exempt though the plugin can do it.
    """

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        leave_out(cls, {*cls.exempt, *cls.unfit()})

    @classmethod
    def unfit(cls) -> Iterable[str]:
        """Tests that cannot apply by what the class says of the plugin otherwise."""
        return ()

    @pytest.fixture
    def tools(self, tmp_path: Any) -> Tools:
        return lent(tmp_path, now=MONDAY)


class PresentableConformance(ProviderConformance, ABC):
    """How a provider shows itself to people; part of the kits for what is no connection."""

    @abstractmethod
    def presented(self, tools: Tools) -> Provider: ...

    def test_key_and_title_are_presentable(self, tools: Tools) -> None:
        demand_presentable(self.presented(tools))

    def test_settings_make_a_form_people_can_fill_in(self, tools: Tools) -> None:
        provider = self.presented(tools)
        fields = type(provider).Settings.model_fields
        untitled = [name for name, info in fields.items() if not info.title and name != "way"]
        assert not untitled, f"Give these settings a `title`, it stands in the form: {untitled}."
        open_secrets = [
            name
            for name, info in fields.items()
            if any(word in name for word in SECRET_WORDS) and not _is_secret_type(info.annotation)
        ]
        assert not open_secrets, (
            f"{open_secrets} sound secret and are plain texts, which are kept and shown openly."
            " Make them `SecretStr`."
        )
        shown = f"{provider.settings!r} {provider!r}"
        leaked = [name for name, secret in secrets_of(provider.settings) if secret in shown]
        assert not leaked, f"The repr shows the secret of {leaked}. Make it a `SecretStr`."


def demand_identity(one: Connection, another: Connection, secret: str) -> None:
    """``another`` is to the same shop or books as ``one``."""
    told = one.identity()
    assert len(told) <= 300, f"`identity` has {len(told)} characters; the hub keeps 300."
    assert told == another.identity(), (
        f"Two connections to one shop say {told!r} and {another.identity()!r}: make `identity` of"
        " what stays the same there, so that the hub connects it once."
    )
    assert secret not in told, "`identity` holds the secret, and is kept and shown openly."


def demand_presentable(provider: Provider) -> None:
    key, title = provider.key, provider.title
    assert key.isidentifier(), f"key {key!r} names you in the database: letters, digits, _ only."
    assert key == key.lower(), f"key {key!r} has capitals. Write it small: {key.lower()!r}."
    assert title == title.strip() != "", f"title {title!r} stands in menus. Give it words."


def expect[E: Exception](error: type[E], act: Callable[[], Any], which: str) -> E:
    """The ``error`` that ``act`` raises; ``which`` names in words what it is raised for."""
    try:
        act()
    except error as caught:
        if isinstance(caught, HubError) and not isinstance(caught, BadSignature):
            demand_sentence(str(caught), f"{error.__name__} for {which}")
        return caught
    except Exception as other:
        raise AssertionError(
            f"{which} raised {type(other).__name__} ({other}). Raise {error.__name__}: by the type"
            " of an error the hub knows what to do next."
        ) from other
    raise AssertionError(f"Nobody hears of {which}. Raise {error.__name__}.")


def the_only[T](found: Iterable[T], what: str) -> T:
    those = list(found)
    assert len(those) == 1, f"There should be one {what}, and there are {len(those)}: {those}."
    return those[0]


def demand_sentence(text: str, who: str) -> None:
    """``text`` is shown to a person who must act on it."""
    assert len(text.split()) >= 3, (
        f"{who} says {text!r}, which helps nobody. Say in a sentence who, what, and what to do."
    )


def secrets_of(settings: Any) -> Iterator[tuple[str, str]]:
    """Names and values of what is secret in ``settings`` and filled in."""
    for name in type(settings).model_fields if isinstance(settings, BaseModel) else ():
        value = getattr(settings, name)
        if isinstance(value, SecretStr) and value.get_secret_value():
            yield name, value.get_secret_value()


def is_secret(schema: Mapping[str, Any]) -> bool:
    return any(one.get("format") == "password" for one in (schema, *schema.get("anyOf", ())))


def _is_secret_type(annotation: Any) -> bool:
    return SecretStr in (annotation, *get_args(annotation))
