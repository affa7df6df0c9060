"""Forms from pydantic models: the model is the whole description and the only judge.

A field shows strings, and pydantic reads strings; nothing is converted in between, so
that what was typed comes back as it was typed, with the reason beside it.
"""

from __future__ import annotations

import types
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from flask_admin.form import BaseForm
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from wtforms import Field

from hub.flows.fleet import DAYS

Options = Sequence[tuple[str, str]]
NO_URL = "This is no web address. Write it whole: https://shop.example."
SENTENCES = {
    "missing": "Please fill this in.",
    "string_too_short": "Please fill this in.",
    "string_too_long": "At most {max_length} characters.",
    "too_long": "At most {max_length}.",
    "too_short": "Choose at least {min_length}.",
    "greater_than": "More than {gt:g}.",
    "greater_than_equal": "At least {ge:g}.",
    "less_than": "Less than {lt:g}.",
    "less_than_equal": "At most {le:g}.",
    "int_parsing": "This must be a whole number.",
    "int_from_float": "This must be a whole number.",
    "int_type": "This must be a whole number.",
    "float_parsing": "This must be a number.",
    "float_type": "This must be a number.",
    "finite_number": "This must be a number.",
    "literal_error": "Choose one of the list.",
    "enum": "Choose one of the list.",
    "string_pattern_mismatch": "This does not look right.",
    "url_parsing": NO_URL,
    "url_scheme": NO_URL,
    "url_syntax_violation": NO_URL,
    "url_too_long": NO_URL,
    "url_type": NO_URL,
}
NO_EMAIL = "value is not a valid email address"  # pydantic goes on in a programmer's words


class Control(Field):
    """One field: what it holds as text, and which control shows it."""

    def __init__(
        self,
        *args: Any,
        control: str = "text",
        options: Options = (),
        limits: Mapping[str, Any] | None = None,
        is_required: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.control, self.options, self.is_required = control, options, is_required
        self.limits = limits or {}

    def process_data(self, value: Any) -> None:
        self.data = _shown(self.control, value)

    def process_formdata(self, valuelist: list[Any]) -> None:
        if self.control == "checks":
            self.data = list(valuelist)
        elif self.control == "check":
            self.data = bool(valuelist)
        elif valuelist:
            self.data = valuelist[0]

    def is_kept(self) -> bool:
        """Whether leaving it empty keeps a stored secret."""
        return self.control == "password" and not self.data


class Week(Control):
    """Seven days, each with a time to begin and a time to end; empty is free."""

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors, self.raw_data = [], None
        if formdata:
            self.data = {
                str(day): [formdata.get(f"{self.name}-{day}-{end}", "") for end in ("from", "to")]
                for day in range(len(DAYS))
            }
        else:
            self.data = data if isinstance(data, dict) else {}

    def days(self) -> list[tuple[int, str, str, str]]:
        """Number, name, from and to, Monday first."""
        given = [list(self.data.get(str(n)) or ("", "")) for n in range(len(DAYS))]
        return [(n, DAYS[n], begins, ends) for n, (begins, ends) in enumerate(given)]


class Lines(Control):
    """A small table: a line for each that there is, and some to fill in; empty ones are dropped.

    ``columns``: name, title, kind of control and options of each.
    """

    SPARE = 2

    def __init__(self, *args: Any, columns: Sequence[Column] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = columns

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors, self.raw_data = [], None
        if not formdata:
            self.data = list(data or [])
            return
        numbers = sorted(
            {
                int(key.split("-")[1])
                for key in formdata
                if key.startswith(f"{self.name}-") and key.split("-")[1].isdecimal()
            }
        )
        lines = [
            {
                column.name: formdata.get(f"{self.name}-{n}-{column.name}", "")
                for column in self.columns
            }
            for n in numbers
        ]
        typed = [column.name for column in self.columns if not column.options]
        self.data = [line for line in lines if any(line[name].strip() for name in typed)]

    def lines(self) -> list[dict[str, str]]:
        """What stands there, then lines to fill in."""
        return [*self.data, *({} for _ in range(self.SPARE))]


class Column(NamedTuple):
    """``options``: what one chooses from; empty where one types."""

    name: str
    title: str
    type: str
    inputmode: str
    example: str
    default: str
    options: Options


def form_for(
    model: type[BaseModel],
    options: Mapping[str, Options] | None = None,
    only: Collection[str] | None = None,
) -> type[BaseForm]:
    """A form with one control per field; titles and descriptions become labels and hints.

    ``only`` names the fields that are asked for; ``None`` is all of them.
    """
    fields = {
        name: _control(name, info, (options or {}).get(name, ()))
        for name, info in model.model_fields.items()
        if only is None or name in only
    }
    return type(f"{model.__name__}Form", (BaseForm,), fields)


def read[M: BaseModel](
    form: BaseForm, model: type[M], kept: Mapping[str, Any] | None = None
) -> M | None:
    """The validated model; ``None`` with the complaints placed on the fields.

    ``kept``: values of what the form does not ask for.
    """
    given = {
        name: field.data
        for name, field in form._fields.items()
        if not field.is_kept() and not _is_left_out(field.data, model.model_fields.get(name))
    }
    try:
        typed = {k: v for k, v in given.items() if v is not None}
        return model.model_validate({**(kept or {}), **typed})
    except ValidationError as error:
        place(form, error)
    return None


def _is_left_out(typed: Any, info: FieldInfo | None) -> bool:
    """Whether an empty box means that there is no such number."""
    if info is None or typed != "":
        return False
    kind = _bare(info.annotation)
    return kind is not info.annotation and kind in (int, float)


def place(form: BaseForm, error: ValidationError) -> None:
    """Put pydantic's complaints where a person can see them."""
    for name, sentence in sentences(error).items():
        blame(form, name, sentence)


def blame(form: BaseForm, name: str, sentence: str) -> None:
    """Say at the field ``name`` what is wrong; above the form when there is no such field."""
    field = form._fields.get(name)
    if field is None:
        form.form_errors = [*form.form_errors, sentence]
    else:
        field.errors = [*field.errors, sentence]


def sentences(error: ValidationError) -> dict[str, str]:
    """By field, the first thing that is wrong with it, for a person."""
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        name = ".".join(str(part) for part in problem["loc"] if isinstance(part, str))
        name = name or problem.get("ctx", {}).get("field", "")
        found.setdefault(_outer(name), _line(problem) + sentence(problem))
    return found


def _line(problem: Any) -> str:
    """Which line of a small table is wrong, if it is one."""
    where = problem["loc"]
    return f"Line {where[1] + 1}: " if len(where) > 2 and isinstance(where[1], int) else ""


def _outer(name: str) -> str:
    """``works.0`` is shown at ``works``."""
    return name.split(".", 1)[0] if name and not name.startswith(("texts.", "texts_in.")) else name


def sentence(problem: Any) -> str:
    """One of pydantic's complaints, for a person."""
    known = SENTENCES.get(problem["type"])
    if known is not None:
        return known.format(**problem.get("ctx", {}))
    said = str(problem["msg"]).removeprefix("Value error, ")
    if said.startswith(NO_EMAIL):
        return "This is not an e-mail address. Write it as orders@example.com."
    return said


def _control(name: str, info: FieldInfo, options: Options) -> Any:
    kind = _bare(info.annotation)
    extra = info.json_schema_extra
    asked = str(extra.get("control", "")) if isinstance(extra, dict) else ""
    control = asked or ("select" if options else _kind(kind))
    if control in ("select", "checks") and not options and not asked:
        options = _options(kind, info)
    required = info.is_required() and control not in ("check", "checks", "password")
    cls = {"week": Week, "lines": Lines}.get(control, Control)
    more = {"columns": _columns(get_args(kind)[0])} if control == "lines" else {}
    return cls(
        **more,
        label=info.title or name.replace("_", " ").capitalize(),
        description=info.description or "",
        default=None if info.is_required() else info.get_default(call_default_factory=True),
        control=control,
        options=options,
        limits=_limits(kind, info),
        is_required=required,
    )


def _kind(kind: Any) -> str:
    if kind is bool:
        return "check"
    if kind in (int, float):
        return "number"
    if kind is SecretStr:
        return "password"
    if get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, StrEnum)):
        return "select"
    if get_origin(kind) is list and get_origin(get_args(kind)[0]) is Literal:
        return "checks"
    if get_origin(kind) is dict:
        return "week"
    if get_origin(kind) is list and _is_model(get_args(kind)[0]):
        return "lines"
    return "text"


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _columns(model: type[BaseModel]) -> list[Column]:
    found = []
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        options = _options(info.annotation, info) if _kind(info.annotation) == "select" else ()
        mode = f"{extra.get('inputmode', '')}"
        kind, example = f"{extra.get('type', 'text')}", f"{extra.get('example', '')}"
        title = info.title or name
        found.append(Column(name, title, kind, mode, example, f"{info.default}", options))
    return found


def _options(kind: Any, info: FieldInfo) -> Options:
    """The values of a closed set, by the field's ``labels`` where it has some."""
    if get_origin(kind) is list:
        kind = get_args(kind)[0]
    values = [str(value) for value in get_args(kind) or [one.value for one in kind]]
    extra = info.json_schema_extra
    labels = extra.get("labels", {}) if isinstance(extra, dict) else {}
    return [(value, labels.get(value) or _title(value)) for value in values]


def _title(value: str) -> str:
    words = value.replace("_", " ")
    return words[:1].upper() + words[1:]


def _limits(kind: Any, info: FieldInfo) -> dict[str, Any]:
    """What a number field tells the browser; a bound it must not reach is left to pydantic."""
    if kind not in (int, float):
        return {}
    limits: dict[str, Any] = {"step": "1" if kind is int else "any"}
    for rule in info.metadata:
        match rule:
            case Ge(ge=least):
                limits["min"] = least
            case Gt(gt=_) if kind is int:
                limits["min"] = 1
            case Le(le=most):
                limits["max"] = most
            case Lt(lt=_):
                continue
    return limits


def _bare(annotation: Any) -> Any:
    """``X | None`` → ``X``."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(one for one in get_args(annotation) if one is not type(None))
    return annotation


def _shown(control: str, value: Any) -> Any:
    match control:
        case "check":
            return bool(value)
        case "checks":
            return [str(one) for one in value or ()]
        case "password":
            return ""  # a stored secret is never sent back
    if value is None:
        return ""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(str(one) for one in value)
    return str(value)
