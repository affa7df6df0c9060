"""A text that a business writes can do nothing but name what it may name.

Nothing in it is run, so each of these comes out as the letters it is made of, or without the
lines that name what there is not; none reads more, takes long, grows without end or makes markup.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from pydantic import ValidationError

from hub.core.notice_words import (
    MOST_SUBJECT,
    MOST_TEXT,
    MOST_VALUE,
    VARIABLES,
    filled,
    filled_line,
    unknown_variables,
)
from hub.core.tongue import ENGLISH
from hub.flows.notice_mail import unbroken
from hub.flows.notice_rules import RuleIn

SECRET = "s3cret-of-the-hub"
VALUES = dict.fromkeys(VARIABLES, "value") | {"order": "17", "link": "https://h.example/t/x"}

ATTRIBUTES = [
    "{order.__class__}",
    "{order.__class__.__mro__[1].__subclasses__()}",
    "{0.__class__}",
    "{order!r}",
    "{order:>1000000}",
    "{order[0]}",
    "{self}",
    "{self.__init__.__globals__}",
    "{__class__}",
    "{_VARIABLE}",
    "{values}",
    "{settings.secret}",
    "{{order}}",
    "{{{{order}}}}",
    "{{ order.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ config }}",
    "{{ request.environ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}",
    "{{ self._TemplateReference__context }}",
]
LOOPS = [
    "{% for x in range(10**9) %}x{% endfor %}",
    "{% while true %}{% endwhile %}",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{% include 'notice.html' %}",
    "{% extends 'notice.html' %}",
    "{% import 'os' as os %}",
    "{% set x = 'a' * 10**9 %}{{ x }}",
    "{{ 'x' * 10**9 }}",
    "{{ range(10**9) | list }}",
    "{% raw %}{order}{% endraw %}",
    "{# {order} #}",
]
FORMATS = [
    "%(order)s %s %1000000d",
    "%n%n%n%n",
    "${order} $order $(id) `id`",
    "#{order} <%= order %> <?php echo 1 ?>",
    "f'{order}' {order!s:*^9999999}",
    "{:{}{}}",
    "{",
    "}",
    "{}",
    "{ order }",
    "{order",
    "order}",
    "{or{order}der}",
    "{{order}",
    "{order}}" * 300,
]
MARKUP = [
    "<script>alert(1)</script>",
    "</p><img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "&lt;script&gt;{order}",
    "<svg/onload=alert(1)>",
    "<style>*{display:none}</style>",
    "]]><![CDATA[<x>",
    "<!-- {order} -->",
    '"><iframe src=//evil.example>',
]
UNICODE = [
    "\u202egnp.exe {order}",
    "\ufeff\u200b{\u200border}",
    "{ｏｒｄｅｒ}",
    "{оrder}",  # its first letter is Cyrillic
    "\x00\x1b[2J\x07{order}",
    "\ud800{order}",
    "\u2028Bcc: eve@example.com\u2029{order}",
    "a\u0300" * 1400,
]
BULK = [
    "{order}" * 5000,
    "{address}" * 400,
    "\n" * 100_000,
    "{" * 100_000,
    "{a" * 50_000,
    ("{order}\n" * 2000) + "{nothing}",
]  # fmt: skip
MORE = [
    "{order.format_map}",
    "{order|safe}{order|attr('x')}{order|e}",
    "{% filter upper %}{order}{% endfilter %}",
    "{% autoescape false %}<b>{order}</b>{% endautoescape %}",
    "{{ namespace(x=1) }}{{ joiner }}{{ dict(a=1) }}",
    "{{ (1).__class__.__base__ }}{{ ()|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ 9**9**9 }}{{ '%1000000000d' % 1 }}",
    "#set($x=$order.class)$x ${T(java.lang.Runtime)} *{order} @{order} ~{order}",
    "{{constructor.constructor('return process')()}} [[${order}]]",
    "\\N{LATIN SMALL LETTER A}\\u007border\\u007d\\x7border\\x7d",
    "{order\n}{\norder}",
    "{order}\r\nBcc: eve@example.com\r\n\r\n<b>{name}</b>",
    "=?utf-8?q?{order}=0ABcc:eve@example.com?=",
    '<a href="{link}" onclick=alert(1)>{name}</a><base href=//evil.example>',
    "<math><mi xlink:href=javascript:alert(1)>{order}</mi></math><noscript><p title='</noscript><b>'>",
    "&#60;script&#62;&#x3c;img&#x3e;&lt;b&gt;{order}",
    "{order}\u0085{name}\u001d{address}\u001e{order}",
    "".join(chr(0xE0000 + ord(one)) for one in "order pays eve"),
    "or\u00adder\u2060s\u3164{order}\ufff9\u206a\ufffe",
    "\u200f{order}\u061c\u200e" + "\u0301\u0489" * 700,
    "👩‍👩‍👧‍👦" * 300,
    "{order}" + "{name}{address}" * 3000 + "{{" * 9000,
]
HOSTILE = [*ATTRIBUTES, *LOOPS, *FORMATS, *MARKUP, *UNICODE, *BULK, *MORE]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)

    def handle_comment(self, data: str) -> None:
        self.seen.append("comment")


def as_page(subject: str, body: str) -> str:
    """The mail's page as ``hub.flows.notice_mail`` makes it, with nothing but this in it."""
    env = Environment(
        loader=PackageLoader("hub.flows", "notice_templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
    )
    given = dict.fromkeys(
        "link brand phone email website logo on_colour bar on_bar words_direction font office_font written preheader stop_link".split(),
        "",
    )
    paragraphs = [list(map(unbroken, part.split("\n"))) for part in body.split("\n\n")]
    given |= {
        "tongue": ENGLISH,
        "subject": subject,
        "body": body,
        "paragraphs": paragraphs,
        "colour": "#000000",
    }
    return env.get_template("notice.html").render(given)


WHOLE = '<span style="white-space:nowrap;">'


def tags(page: str) -> list[str]:
    parser = Tags()
    parser.feed(page.replace(WHOLE, ""))  # what keeps a time on one line
    return [tag for tag in parser.seen if tag not in ("p", "br")]  # the words' own paragraphs


PLAIN = tags(as_page("x", "x"))


def test_there_are_enough_of_them() -> None:
    assert len(set(HOSTILE)) >= 80


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_is_letters_and_no_more(text: str) -> None:
    body, subject = filled(text, VALUES), filled_line(text, VALUES)
    assert len(body) <= MOST_TEXT and len(subject) <= MOST_SUBJECT
    assert "\n" not in subject and "\u2028" not in body
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", body)
    assert not re.search(
        "[\u00ad\u2060-\u2064\u206a-\u206f\u3164\ufff9-\uffff\U000e0000-\U000e007f]", body
    )
    for word in ("subclasses", "environ", "TemplateReference", "built-in", "object at 0x"):
        assert (word in body) <= (word in text)
    assert tags(as_page(subject, body)) == PLAIN


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_value_is_one_line_of_a_length(text: str) -> None:
    """What a stranger wrote into an order: his name, his address."""
    values = {**VALUES, "name": text, "address": SECRET}
    body, subject = filled("Hello {name},\nbye", values), filled_line("For {name}", values)
    assert body.count("\n") <= 1
    assert SECRET not in body, "a value is never looked into again"
    assert len(body) <= len("Hello ,\nbye") + MOST_VALUE
    assert "\n" not in subject
    assert tags(as_page(subject, body)) == PLAIN


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_the_form_takes_it_as_letters_or_says_what_it_does_not_know(text: str) -> None:
    try:
        given = RuleIn(subject="Order", body=text)
    except ValidationError as refused:
        told = str(refused.errors()[0]["msg"])
        is_half = any("\ud800" <= one <= "\udfff" for one in text)
        is_long = len(text) > MOST_TEXT
        assert unknown_variables(text) or is_long or is_half or not text.strip(), told
    else:
        assert not unknown_variables(given.body)


@settings(deadline=None)  # a machine may be busy
@given(st.text(max_size=300), st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.text()))
def test_any_text_and_any_values_stay_within_bounds(text: str, values: dict[str, str]) -> None:
    body = filled(text, values)
    assert len(body) <= MOST_TEXT
    assert "\n" not in filled_line(text, values)
    assert tags(as_page("x", body)) == PLAIN
