"""The documentation names what there is, with its present signature."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.core import errors, events, hookspecs
from hub.core.jobs import NextStep, Outcome, Reason, State, diagram
from hub.core.webhook_types import ABOUT
from hub.flows.webhook_send import send_test
from hub.testing import WsgiAdapter
from tests.webhook_worlds import ERP, a_world

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
HOOKS = [name for name in vars(hookspecs) if name.startswith("hub_")]
ERRORS = [
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.HubError)
]


def text(name: str) -> str:
    return (DOCS / name).read_text()


@pytest.mark.parametrize("name", sorted(events.ALL))
def test_every_event_is_described_with_its_fields(name: str) -> None:
    base = {field.name for field in fields(events.Event)}
    own = [field.name for field in fields(events.ALL[name]) if field.name not in base]
    assert f"`{name}({', '.join(own)})`" in text("events.md")


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_described_with_its_signature(name: str) -> None:
    arguments = ", ".join(inspect.signature(getattr(hookspecs, name)).parameters)
    assert f"`{name}({arguments})`" in text("plugins.md")


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_a_plugin_may_raise_is_explained(name: str) -> None:
    assert f"`{name}`" in text("plugins.md")


@pytest.mark.parametrize("word", [*State, *Outcome, *Reason, *NextStep])
def test_every_word_for_a_job_is_explained(word: str) -> None:
    assert f"`{word}`" in text("jobs.md")


def test_the_diagram_of_states_is_the_table_the_code_runs_by() -> None:
    assert f"```mermaid\n{diagram()}\n```" in text("jobs.md")


@pytest.mark.parametrize("type_", sorted(ABOUT))
def test_every_type_of_webhook_is_explained_in_the_words_of_the_panel(type_: str) -> None:
    assert f"| `{type_}` | {ABOUT[type_]} |" in text("webhooks.md")


def test_the_receiver_of_the_documentation_takes_ours_and_refuses_a_forged_one() -> None:
    world = a_world()
    world.listen()
    code = re.findall(r"```python\n(.*?)```", text("webhooks.md"), re.DOTALL)[0]
    code = re.sub(r'SECRET = "[^"]+"', f'SECRET = "{world.secret}"', code)
    names: dict[str, Any] = {"__name__": "receiver"}
    exec(compile(code, "webhooks.md", "exec"), names)  # our own documentation
    world.hub.tools.http.mount(ERP, WsgiAdapter(names["app"]))
    for _ in range(2):
        _, answer = send_test(world.hub, world.business_id, world.endpoint_id)
        assert answer.status == 204
    assert len(names["seen"]) == 2
    assert names["app"].test_client().post("/webhooks", data=b"{}").status_code == 401


def test_every_operator_setting_is_described_and_none_that_is_gone() -> None:
    read = set()
    for path in (ROOT / "hub").rglob("*.py"):
        read |= set(re.findall(r'"(HUB_[A-Z_]+)"', path.read_text()))
    described = set(re.findall(r"`(HUB_[A-Z_]+)", text("settings.md")))
    assert described == read


def test_the_public_names_are_complete_and_each_is_there() -> None:
    assert sorted(set(hub.__all__)) == sorted(hub.__all__)
    assert all(hasattr(hub, name) for name in hub.__all__)
    assert set(ERRORS) <= set(hub.__all__)


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_every_python_block_runs(page: str) -> None:
    for block in re.findall(r"```python\n(.*?)```", text(page), re.DOTALL):
        exec(compile(block, page, "exec"), {"__name__": "docs"})  # our own documentation


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in DOCS.glob("*.md"))])
def test_every_link_leads_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target
