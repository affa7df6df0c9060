"""How far a plugin goes, judged by what its classes say of themselves.

==========  ==============================================================================
works       it was loaded, and each class has a key, a title and every method of its contract
recovers    what goes wrong outside is found before settings are kept, and mended afterwards
explains    who sets it up is told what each setting is and where to find it, and who keeps
            it finds a page about it
==========  ==============================================================================

Each level asks for the one before. That a class keeps the promises of its contract is for a
kit of ``hub.testing`` to prove: no level stands for that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_origin

from pydantic import SecretStr

from hub.core.connecting import OrderSource
from hub.core.contracts import LooksUp, NotificationChannel, PodStore, Provider


class Level(StrEnum):
    WORKS = "works"
    RECOVERS = "recovers"
    EXPLAINS = "explains"


@dataclass(frozen=True, slots=True)
class Judged:
    """A level, and in sentences what the next one asks for; nothing at the last."""

    level: Level
    missing: tuple[str, ...] = ()


def judge(classes: Iterable[type[Provider]], *, described: bool) -> Judged:
    """The level of a plugin that provides ``classes``; the least of them decides.

    ``described``: there is a README in its package or distribution. A plugin without classes
    reacts or adds pages: the hub repeats what it missed, so only its page is asked for.
    """
    known = list(classes)
    if missing := [said for cls in known for said in _to_recover(cls)]:
        return Judged(Level.WORKS, tuple(missing))
    missing = [said for cls in known for said in _to_explain(cls)]
    if not described:
        missing.append("Put a README beside it, or name one in its pyproject.toml.")
    return Judged(Level.RECOVERS, tuple(missing)) if missing else Judged(Level.EXPLAINS)


def _to_recover(cls: type[Provider]) -> list[str]:
    said = []
    if cls.Settings.model_fields and not _defines(cls, Provider, "check"):
        said.append(f"{cls.title}: check() proves the settings before they are kept.")
    if issubclass(cls, OrderSource) and not _defines(cls, OrderSource, "one"):
        said.append(f"{cls.title}: one() takes a record again that was set aside.")
    if issubclass(cls, NotificationChannel) and cls.reaches != "nobody":
        if not (cls.repeat_is_harmless or issubclass(cls, LooksUp)):
            said.append(
                f"{cls.title}: a message that a crash interrupted can neither be sent again without"
                " harm (repeat_is_harmless) nor be looked up (LooksUp)."
            )
    if issubclass(cls, PodStore):
        if not (_defines(cls, PodStore, "put_from") and _defines(cls, PodStore, "parts")):
            said.append(f"{cls.title}: put_from() and parts() carry files larger than memory.")
        if not _defines(cls, PodStore, "kept"):
            said.append(f"{cls.title}: kept() lists files, so that what nobody knows of can go.")
    return said


def _to_explain(cls: type[Provider]) -> list[str]:
    said = []
    for name, field in cls.Settings.model_fields.items():
        if not field.title:
            said.append(f"{cls.title}: the setting {name} has no title.")
        typed = field.is_required() and get_origin(field.annotation) is not Literal
        if (typed or field.annotation is SecretStr) and not field.description:
            said.append(
                f"{cls.title}: the setting {name} has no description of what to type or where"
                " to find it, as in “Shop, Settings, API”."
            )
    return said


def _defines(cls: type[Provider], base: type[Provider], method: str) -> bool:
    return getattr(cls, method) is not getattr(base, method)
