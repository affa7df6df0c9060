"""A mail wears its brand, and reads as its reader's language is written."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.branding import FONTS
from hub.core.business import Trade
from hub.core.notice_words import About, suggested_texts
from hub.db.tables import BrandDomainRow, BrandRow, BusinessRow, NoticeRuleRow
from hub.flows.found import found
from hub.flows.notice_mail import Mail, composed
from hub.flows.notice_samples import preview
from tests.driving_worlds import SIX, Plugin

ABOUT = About(
    order="1042",
    brand="Husk Bakery",
    link="https://hub.example/t/abc",
    phone="+358 9 123 4567",
    name="Alex",
)
BODY = "Hello {name},\n\nwe have your order {order}.\n\nQuestions? {phone}"


@pytest.fixture
def hub() -> Hub:
    hub = Hub.in_memory(Plugin(), now=lambda: SIX)
    hub.settings = replace(hub.settings, public_url="https://hub.example", domain="hub.example")
    found(hub, "Husk Bakery", zone="Europe/Helsinki")
    return hub


def mail(hub: Hub, language: str = "en", **looks: str) -> Mail:
    with hub.unit() as unit:
        business = unit.session.exec(select(BusinessRow)).one()
        brand = unit.session.exec(select(BrandRow)).one()
        for name, value in looks.items():
            setattr(brand, name, value)
    about = replace(ABOUT, language=language)
    return composed(
        hub, business, brand, "Your order {order}", BODY, about, stop_link="https://x/u/1"
    )


def bar_of(html: str) -> str:
    found = re.search(r'<td class="brand"[^>]*>', html)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("key", FONTS)
def test_a_mail_is_set_in_the_brands_letters_and_outlook_has_some_to_fall_back_on(
    hub: Hub, key: str
) -> None:
    html = mail(hub, font=key).html
    styles = re.findall(r'style="([^"]*)"', html)
    set_in = [one for one in styles if "font-family:" in one]
    assert len(set_in) == 2
    first = FONTS[key].split(",")[0].strip('"')
    assert all(f"font-family:{first}" in one.replace("'", "") for one in set_in)
    assert all(one.rstrip(";").split(";")[0:] and one.count("'") % 2 == 0 for one in set_in)
    outlook = re.search(r"<!--\[if mso\]>.*?font-family: ([^!]*) !important", html, re.S)
    assert outlook is not None
    assert outlook[1].split(",")[0].strip("'") in (
        "Arial",
        "Candara",
        "Georgia",
        "Arial Narrow",
        "Consolas",
    )


def test_the_bar_has_its_own_colour_and_text_that_can_be_read_on_it(hub: Hub) -> None:
    html = mail(hub, colour="#8a3b12", header_colour="#ffdd00").html
    assert "background:#ffdd00" in bar_of(html) and "color:#000000" in bar_of(html)
    assert 'background:#8a3b12;"><a' in html
    assert "background:#8a3b12" in bar_of(mail(hub, header_colour="").html)


def test_an_arabic_mail_is_written_from_the_right_whatever_a_mail_program_drops(hub: Hub) -> None:
    found = mail(hub, "ar", phone="+358 9 123 4567", website="https://husk.example")
    assert '<html lang="ar" dir="rtl">' in found.html
    body = found.html.split("</head>")[1]
    assert re.search(r'<table [^>]*lang="ar" dir="rtl"', body)  # many drop <html> and <body>
    links = re.findall(r"<a [^>]*>[^<]*</a>", body)
    latin = [one for one in links if re.search(r">[^<]*[+@:.]", one)]
    assert len(latin) == 3
    assert all('dir="ltr"' in one for one in latin)
    assert "\u200e+358 9 123 4567\u200e" in found.text
    assert "text-align:left" not in body
    assert "\u200e" not in mail(hub, "de", phone="+358 9 123 4567").text


def test_own_words_keep_the_direction_of_the_language_they_are_in(hub: Hub) -> None:
    usual = next(iter(suggested_texts(Trade.PARCELS, short=False).values())).body
    with hub.reading() as session:
        business = session.exec(select(BusinessRow)).one()
        brand = session.exec(select(BrandRow)).one()
    about = replace(ABOUT, language="ar")
    for body, direction in ((usual, "rtl"), (BODY, "auto")):
        html = composed(hub, business, brand, "Your order {order}", body, about).html
        paragraphs = re.findall(r'<p dir="(\w+)"', html)
        assert set(paragraphs) == {direction}
    assert "23 نوفمبر 2026، 06:00" in html


def test_a_sample_leads_where_the_brands_pages_stand(hub: Hub) -> None:
    with hub.unit() as unit:
        brand = unit.session.exec(select(BrandRow)).one()
        rule = unit.session.exec(select(NoticeRuleRow)).first()
        assert rule is not None
        unit.session.add(
            BrandDomainRow(
                business_id=brand.business_id,
                brand_id=brand.id,
                host="track.husk.example",
                token="t" * 32,
                proven_host="track.husk.example",
                state="proven",
            )
        )
    _, words, html = preview(hub, brand.business_id, rule.id)
    assert "https://track.husk.example/t/example" in html
    assert "https://hub.example" not in words + html


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_no_mail_says_that_an_order_comes_which_may_be_cancelled(hub: Hub, language: str) -> None:
    """Below the news that it was cancelled stood that it is on its way."""
    html = mail(hub, language).html
    for said in ("on its way", "zu Ihnen kommt", "في طريقه إليك"):
        assert said not in html
