"""What the pages share on which a business chooses plugins and sets them up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import abort
from flask_admin.form import BaseForm
from pydantic import SecretStr, ValidationError

from admin.forms import blame, form_for, place
from hub.core.contracts import Provider
from hub.core.errors import ConfigError, HubError
from hub.db.tables import ChoiceRow
from hub.flows.choices import KINDS, Kind, choices, choose
from hub.web.staff import me

if TYPE_CHECKING:
    from hub.app import Hub


@dataclass(frozen=True)
class Offered:
    """A provider that is installed; ``row`` ``None``: the business never set it up."""

    key: str
    title: str
    row: ChoiceRow | None


def offered(hub: Hub, kind: Kind) -> list[Offered]:
    """Those the business chose, first tried first; then the rest."""
    rows = {row.plugin: row for row in choices(hub, me().business_id, kind)}
    order = {key: n for n, key in enumerate(rows)}
    classes = sorted(hub.registry.all(KINDS[kind]), key=lambda cls: order.get(cls.key, len(order)))
    return [Offered(cls.key, cls.title, rows.get(cls.key)) for cls in classes]


def titles(hub: Hub, contract: type[Provider]) -> dict[str, str]:
    """What people call each provider, by its key."""
    return {cls.key: cls.title for cls in hub.registry.all(contract)}


def installed[P: Provider](hub: Hub, contract: type[P], key: str) -> type[P]:
    """The provider of this key; an answer of 404 when there is none."""
    try:
        return hub.registry.get(contract, key)
    except KeyError:
        abort(404)


def form_of(cls: type[Provider], row: ChoiceRow | None) -> BaseForm:
    """The provider's settings as they are stored, without its secrets."""
    return form_for(cls.Settings)(None, data=dict(row.settings) if row else None)


def save_form(hub: Hub, kind: Kind, cls: type[Provider], form: BaseForm) -> bool:
    """Whether the settings work and are stored; if not, ``form`` says why."""

    def save(values: dict[str, Any]) -> None:
        choose(hub, me().business_id, kind, cls.key, values, actor=me().actor)

    return saved(form, save)


def saved(form: BaseForm, save: Callable[[dict[str, Any]], object]) -> bool:
    """Whether ``save`` took what was typed; if not, ``form`` says why, at the field it names."""
    try:
        save(_given(form))
    except ValidationError as error:
        place(form, error)
    except ConfigError as problem:
        blame(form, problem.field, str(problem))
    except HubError as problem:
        blame(form, "", str(problem))
    else:
        return True
    return False


def _given(form: BaseForm) -> dict[str, Any]:
    """What was typed; an empty number means its default, an empty secret the one there is."""
    return {
        name: SecretStr(field.data) if field.control == "password" else field.data
        for name, field in form._fields.items()
        if not (field.control in ("number", "password") and field.data == "")
    }
