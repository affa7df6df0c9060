"""Routes are read once in a process; each application has its own all the same."""

from __future__ import annotations

from werkzeug.routing import BaseConverter, IntegerConverter, Map

from hub.web.rules import LateRule


def a_map(*rules: str, **converters: type[BaseConverter]) -> Map:
    return Map(
        [LateRule(rule, endpoint=rule) for rule in rules],
        converters={**Map.default_converters, **converters},
    )


class Shouted(BaseConverter):
    regex = "[A-Z]+"


def test_a_second_application_answers_and_links_as_the_first() -> None:
    rules = ("/", "/panel/orders", "/t/<token>/do", "/files/<path:name>", "/n/<int:n>/<int:m>")
    paths = {
        "/t/abc/do": ("/t/<token>/do", {"token": "abc"}),
        "/files/a/b.js": ("/files/<path:name>", {"name": "a/b.js"}),
        "/n/3/04": ("/n/<int:n>/<int:m>", {"n": 3, "m": 4}),
        "/panel/orders": ("/panel/orders", {}),
        "/": ("/", {}),
    }
    for _ in range(2):
        bound = a_map(*rules).bind("hub.example")
        assert {path: bound.match(path) for path in paths} == paths
        assert bound.build("/n/<int:n>/<int:m>", {"n": 3, "m": 4}) == "/n/3/4"
        assert bound.build("/t/<token>/do", {"token": "a b"}) == "/t/a%20b/do"


def test_what_reads_a_place_belongs_to_the_application_that_it_is_in() -> None:
    first, second = a_map("/own/<int:n>"), a_map("/own/<int:n>")
    for one in (first, second):
        [rule] = one.iter_rules()
        assert rule._converters["n"].map is one


def test_applications_may_mean_another_thing_by_the_same_name() -> None:
    counted = a_map("/what/<it>", default=IntegerConverter)
    shouted = a_map("/what/<it>", default=Shouted)
    for _ in range(2):
        assert counted.bind("hub.example").match("/what/7") == ("/what/<it>", {"it": 7})
        assert shouted.bind("hub.example").match("/what/AB") == ("/what/<it>", {"it": "AB"})
        counted = a_map("/what/<it>", default=IntegerConverter)
