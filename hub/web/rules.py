"""Routes that cost nothing until a page links to them."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.routing import Rule


class LateRule(Rule):
    """Makes what builds its URLs when the first one is built.

    Werkzeug compiles two functions for each rule as it is added. Of the hub's routes a
    process links to a few, so most of that work is never needed.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: Callable[..., tuple[str, str]] | None = None

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            nonlocal made
            if made is None:
                made = super(LateRule, self)._compile_builder(append_unknown)
            return made(rule, **values)

        return build
