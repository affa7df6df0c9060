"""What a plugin may use is exported by `hub`, and what is exported is there for plugins."""

from __future__ import annotations

import ast
import inspect
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

import hub
from hub.core import connecting, contracts, errors, events
from hub.core.contracts import Provider
from hub.registry import HOOKS

ROOT = Path(__file__).parents[1]
OURS = [*ROOT.glob("connectors/**/*.py"), *ROOT.glob("notifiers/**/*.py")]
EXAMPLES = sorted(ROOT.glob("example/*.py"))
PAGES = sorted(ROOT.glob("docs/*.md"))
ABILITIES = [
    cls
    for module in (connecting, contracts)
    for cls in vars(module).values()
    if isinstance(cls, type)
    and cls.__module__.startswith(module.__name__)
    and (issubclass(cls, Provider) or inspect.isabstract(cls) or cls is contracts.Subscriber)
    and cls is not contracts.NoSettings
]


def blocks(page: Path) -> Iterator[str]:
    """Python that a page shows."""
    yield from re.findall(r"```python[^\n]*\n(.*?)```", page.read_text(), re.DOTALL)


def taken(source: str) -> tuple[set[str], set[str]]:
    """Names that ``source`` takes from ``hub``, and modules deeper than that."""
    names, deeper = set(), set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ImportFrom(module="hub"):
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module)) if module.startswith("hub."):
                deeper.add(module)
            case ast.Import():
                deeper |= {one.name for one in node.names if one.name.startswith("hub.")}
            case ast.Attribute(value=ast.Name(id="hub"), attr=name):
                names.add(name)
    return names, deeper


@pytest.mark.parametrize("path", [*EXAMPLES, *PAGES], ids=lambda path: path.name)
def test_examples_and_pages_use_what_is_exported_and_nothing_deeper(path: Path) -> None:
    sources = [path.read_text()] if path.suffix == ".py" else list(blocks(path))
    for source in sources:
        names, deeper = taken(source)
        assert names - {"testing"} <= set(hub.__all__)
        assert deeper <= {"hub.testing"}


def named_in(hint: object) -> Iterator[type]:
    """The hub's own classes within a type."""
    if isinstance(hint, type) and hint.__module__.startswith("hub."):
        yield hint
    for part in (*typing.get_args(hint), *(hint if isinstance(hint, list) else ())):
        yield from named_in(part)


def asked_for(cls: type) -> set[type]:
    """What the signatures and fields of ``cls`` name."""
    lent = {"Http": object}  # the session of ``tools.http``: lent, never made by a plugin
    if not cls.__module__.startswith("hub."):
        return set()
    own = [value for name, value in vars(cls).items() if not name.startswith("_")]
    found = {one for f in own if inspect.isfunction(f) for one in hints(f, lent)}
    return found | (hints(cls, lent) if "__annotations__" in vars(cls) else set())


def hints(thing: object, known: dict[str, type]) -> set[type]:
    found = typing.get_type_hints(thing, localns=known)  # type: ignore[arg-type]
    return {one for hint in found.values() for one in named_in(hint)}


EXPORTED = {getattr(hub, name) for name in hub.__all__ if isinstance(getattr(hub, name), type)}


def test_every_type_that_a_contract_names_is_exported() -> None:
    assert {
        (one, cls) for cls in EXPORTED for one in asked_for(cls) if one not in EXPORTED
    } == set()


def test_nothing_is_exported_that_no_plugin_needs() -> None:
    used = {name for path in [*OURS, *EXAMPLES] for name in taken(path.read_text())[0]}
    used |= {
        name for path in ROOT.glob("hub/plugins/**/*.py") for name in taken(path.read_text())[0]
    }
    used |= {one.__name__ for cls in EXPORTED for one in asked_for(cls)}
    used |= set(re.findall(r"\w+", " ".join(re.findall(r"`[^`\n]+`", pages()))))
    used |= {cls.__name__ for cls in (*HOOKS, *events.ALL.values(), errors.HubError)}
    used |= {base.__name__ for cls in EXPORTED for base in cls.__mro__}
    aliases = {"LoadDirection", "Stage", "Reaches"}  # names of closed sets, for annotations
    assert set(hub.__all__) - used - aliases == set()


def pages() -> str:
    return "\n".join(page.read_text() for page in PAGES)


@pytest.mark.parametrize("cls", ABILITIES, ids=lambda cls: cls.__name__)
def test_every_contract_shows_an_example_or_says_where_one_is(cls: type) -> None:
    said = vars(cls).get("__doc__") or ""
    assert re.search(r"::\n|hub plugin new NAME --kind [a-z-]+|docs/\w+\.md", said), said
    for kind in re.findall(r"--kind ([a-z-]+)", said):
        assert f"--kind {kind}`" in pages()
    for page in re.findall(r"docs/\w+\.md", said):
        assert (ROOT / page).exists()
