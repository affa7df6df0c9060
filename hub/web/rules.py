"""Routes that cost nothing until a page links to them, and are read once in a process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.routing import BaseConverter, Rule
from werkzeug.routing.rules import RulePart

Place = tuple[str, str, tuple[Any, ...], Mapping[str, Any]]
"""A place in a rule that takes a value: its name, its converter's name, and what that is given."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What Werkzeug made of a rule's text."""

    parts: list[RulePart]
    trace: list[tuple[bool, str]]
    places: list[Place]
    converters: list[type[BaseConverter]]


_read: dict[str, _Read] = {}


class LateRule(Rule):
    """Makes what builds its URLs when the first one is built, and reads the same text once.

    Werkzeug compiles two functions for each rule as it is added. Of the hub's routes a
    process links to a few, so most of that work is never needed. And a process that makes
    several applications, as tests do, gives each of them the same rules.

    Both are Werkzeug's own business (``_parse_rule``, ``_compile_builder``), for which it has no
    public way: ``compile`` does all of it at once. Without the first a second application costs
    14 ms more, without the second each costs 90 (CPU, 280 rules, Werkzeug 3.1.9). Should another
    version do it otherwise, ``tests/web/test_rules.py`` fails, and this can go.
    """

    def get_converter(
        self, name: str, converter: str, args: tuple[Any, ...], given: Mapping[str, Any]
    ) -> BaseConverter:
        if self._places is not None:
            self._places.append((name, converter, args, given))
        return super().get_converter(name, converter, args, given)

    def _parse_rule(self, rule: str) -> Iterable[RulePart]:
        known = _read.get(rule)
        if known is not None and self._converts(known):
            self._trace += known.trace
            return known.parts
        before, self._places = len(self._trace), []
        parts = list(super()._parse_rule(rule))
        places, self._places = self._places, None
        converters = [type(self._converters[name]) for name, *_ in places]
        _read[rule] = _Read(parts, self._trace[before:], places, converters)
        return parts

    _places: list[Place] | None = None

    def _converts(self, known: _Read) -> bool:
        """Make converters of this map's own; ``False`` if it has others by the same names."""
        made = [self.get_converter(*place) for place in known.places]
        if [type(one) for one in made] != known.converters:
            return False
        for (name, *_), one in zip(known.places, made, strict=True):
            self._converters[name] = one
            self.arguments.add(name)
        return True

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: Callable[..., tuple[str, str]] | None = None

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            nonlocal made
            if made is None:
                made = super(LateRule, self)._compile_builder(append_unknown)
            return made(rule, **values)

        return build
