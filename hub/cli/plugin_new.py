"""`hub plugin new`: a plugin that works and passes its kit, to be changed into one's own."""

from __future__ import annotations

import argparse
import re
from io import StringIO
from pathlib import Path
from token import NAME
from tokenize import generate_tokens

import hub
from hub.cli.plugin_kinds import KINDS, Kind
from hub.core.errors import ConfigError
from hub.settings import Settings

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hub-{slug}"
version = "0.1.0"
description = "{title} for Last Mile Hub"
readme = "README.md"
requires-python = ">=3.12"
dependencies = ["lastmile-hub"]

[project.optional-dependencies]
test = ["flask", "pytest"]

[project.entry-points."hub.plugins"]
{name} = "hub_{name}"

[tool.hatch.build.targets.wheel]
only-include = ["hub_{name}.py"]
"""
README = """\
# {title} for Last Mile Hub

    pip install -e '.[test]'
    pytest

{shown}

{steps}
"""


def new(args: argparse.Namespace, settings: Settings) -> int:
    """Raises ``ConfigError`` for a name that cannot be one, or that is taken here."""
    name = args.name.lower().replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,38}", name):
        raise ConfigError(f"{args.name!r} cannot be a module's name: use letters, digits and _.")
    kind = KINDS[args.kind]
    words = name.replace("_", " ").strip()
    title, in_code = words[:1].upper() + words[1:], words.title().replace(" ", "")
    slug = name.replace("_", "-")
    folder = Path(f"hub-{slug}")
    try:
        folder.mkdir()
    except FileExistsError:
        taken = f"There is a {folder} in this folder already. Choose another name, or remove it."
        raise ConfigError(taken) from None
    for file in sorted(_examples().glob(f"*_{kind.example}.py")):
        text = file.read_text()
        text = _renamed(text.replace(kind.example, name), kind.example.title(), title, in_code)
        (folder / file.name.replace(kind.example, name)).write_text(text)
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=name, slug=slug, title=title))
    (folder / "README.md").write_text(_readme(kind, name, title))
    print(f"{folder}/ holds a plugin that works. Try it:  cd {folder} && pytest")
    return 0


def _renamed(code: str, example: str, title: str, in_code: str) -> str:
    """``example`` as a part of a name becomes ``in_code``; where people read it, ``title``."""
    lines = code.splitlines(keepends=True)
    for token in reversed(list(generate_tokens(StringIO(code).readline))):
        if token.type == NAME and example in token.string:
            row, (begins, ends) = token.start[0] - 1, (token.start[1], token.end[1])
            mine = token.string.replace(example, "\0")
            lines[row] = lines[row][:begins] + mine + lines[row][ends:]
    return "".join(lines).replace(example, title).replace("\0", in_code)


def _readme(kind: Kind, name: str, title: str) -> str:
    steps = [f"{n}. {step}" for n, step in enumerate(kind.steps, 1)]
    text = README.format(title=title, shown=kind.shown, steps="\n".join(steps))
    return text.replace("{name}", name)


def _examples() -> Path:
    """Beside the code in a checkout, inside the package once installed."""
    package = Path(hub.__file__).parent
    installed = package / "testing" / "example"
    return installed if installed.is_dir() else package.parent / "example"
