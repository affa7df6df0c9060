"""What a form asks of whoever connects a shop or the books, by the way that was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_admin.form import BaseForm

from admin.forms import form_for
from hub.core.connecting import Connection, Way
from hub.core.contracts import Option
from hub.db.tables import ConnectionRow


def way_of(cls: type[Connection], key: str) -> Way | None:
    """The way that was chosen, else the first; ``None`` where there is only one."""
    return next((way for way in cls.ways if way.key == key), next(iter(cls.ways), None))


def asked(cls: type[Connection], way: Way | None) -> list[str]:
    """What a new connection asks for; the rest has defaults and is set once it works."""
    fields = cls.Settings.model_fields
    wanted = {name for name, info in fields.items() if info.is_required()}
    if way is not None:
        wanted = (wanted - {name for one in cls.ways for name in one.asks}) | set(way.asks)
    return [name for name in fields if name in wanted] or list(fields)


def settings_form(
    cls: type[Connection], row: ConnectionRow, choices: Mapping[str, Sequence[Option]]
) -> type[BaseForm]:
    """What this connection's way asks for and what all of them have, with what is offered."""
    way = way_of(cls, str(row.settings.get("way", "")))
    of_others = {name for one in cls.ways if one is not way for name in one.asks}
    of_others -= set(way.asks) if way else set()
    names = [name for name in cls.Settings.model_fields if name not in of_others | {"way"}]
    if row.state == "approving":  # as for a new one: the rest is set once it works
        names = asked(cls, way)
    options = {
        name: _with_what_is_set(some, str(row.settings.get(name, "")))
        for name, some in choices.items()
    }
    return form_for(cls.Settings, options, only=names)


def _with_what_is_set(offered: Sequence[Option], present: str) -> list[tuple[str, str]]:
    """What is set stays what it is until somebody chooses, also when it is offered no more."""
    found = {one.value: one.label for one in offered}
    return list(({"": "–"} | found | {present: found.get(present, present or "–")}).items())
