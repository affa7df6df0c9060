"""A link opens one page, weighs little, tells no stranger anything and sets no cookie."""

from __future__ import annotations

import gzip
import random
import re
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlmodel import func, select
from werkzeug.test import TestResponse

from hub.core.visibility import NEVER
from hub.db.tables import BrandRow, BusinessRow, LineRow, ThrottleRow
from hub.web.app import create_app
from hub.web.tracking import GUESSES, tracking
from tests import tracking_worlds as moments
from tests.driving_worlds import a_morning
from tests.tracking_worlds import MOMENTS, OWN_WORDS, Street, branded

LIGHTEST = 20_000
OUR_SITE = '<a href="https://husk.example/" rel="noreferrer noopener"'


def app_of(street: Street) -> Flask:
    app = create_app(street.hub)
    if "tracking" not in app.blueprints:
        app.register_blueprint(tracking(street.hub))
    return app


def client_of(street: Street) -> FlaskClient:
    return app_of(street).test_client()


def opened(street: Street, path: str = "") -> TestResponse:
    return client_of(street).get(f"/t/{street.token}{path}")


@pytest.mark.parametrize("moment", sorted(MOMENTS))
def test_every_state_is_a_light_page_without_cookie_index_or_stranger(moment: str) -> None:
    answer = opened(branded(MOMENTS[moment]()))
    assert answer.status_code == (410 if moment == "gone" else 200)
    assert len(gzip.compress(answer.data)) <= LIGHTEST
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    loaded = answer.text.replace(OUR_SITE, "<a")
    assert not re.search(r"(src|href)=\"https?:", loaded)
    assert " style=" not in answer.text


def test_a_page_with_the_most_it_can_show_stays_light(helsinki, tmp_path) -> None:
    street = branded(moments.on_its_way())
    (street.hub.settings.data_dir / "map").symlink_to(helsinki / "map")
    noisy = Image.effect_noise((300, 300), 90).convert("RGB")
    out = BytesIO()
    noisy.save(out, "WEBP", quality=95)
    street.change(BrandRow, logo=out.getvalue())
    letters = random.Random(7)

    def said(most: int) -> str:
        return "".join(letters.choice("ابتثجحخدذرزسشصضطظعغفقكلمنهوي ") for _ in range(most))

    street.change(BrandRow, texts={name: said(300) for name in ("greeting", "thanks", "help")})
    street.change(BusinessRow, language="ar")
    with street.hub.unit() as unit:
        row = unit.session.exec(select(LineRow).where(LineRow.order_id == street.order.id)).first()
        for n in range(10, 50):
            line = {**row.model_dump(exclude={"id"}), "n": n, "title": said(120)}
            unit.session.add(LineRow(**line))
    page = opened(street)
    assert "© OpenStreetMap contributors" in page.text
    assert len(re.findall('src="data:image/webp;base64,', page.text)) == 1
    assert len(re.findall('src="/', page.text)) == 0
    assert len(gzip.compress(page.data)) <= LIGHTEST


def test_a_logo_comes_with_the_page() -> None:
    assert 'src="data:image/webp;base64,' in opened(branded(moments.scheduled())).text


def test_what_a_stranger_tries_is_404_whatever_it_is() -> None:
    street = branded(moments.delivered())
    client = client_of(street)
    token = street.token
    with_epoch = street.hub.keys.link_token(street.order.id, 2)
    answers = [
        client.get(f"/t/{path}")
        for path in ("nothing", "A" * 22, with_epoch, token[:-1], token.swapcase())
    ]
    assert {answer.status_code for answer in answers} == {404}
    bodies = {re.sub(r'nonce="[^"]+"', "", answer.text) for answer in answers}
    assert len(bodies) == 1
    assert "Husk" not in bodies.pop()
    for path in ("/photo/9", "/photo/0", "/logo/x"):
        assert client.get(f"/t/{token}{path}").status_code == 404


def test_guessing_is_stopped_but_a_true_link_still_opens() -> None:
    street = moments.scheduled()
    client = client_of(street)
    tries = [client.get(f"/t/guess-{n}").status_code for n in range(GUESSES + 1)]
    assert tries == [404] * GUESSES + [429]
    assert client.get(f"/t/{street.token}").status_code == 200


def test_whatever_goes_wrong_is_said_in_the_language_of_whoever_reads_it() -> None:
    street = moments.scheduled()
    client = client_of(street)
    german = {"Accept-Language": "de-AT,de;q=0.9", "Accept": "text/html"}
    guesses = [client.get(f"/u/guess-{n}", headers=german) for n in range(GUESSES + 1)]
    assert guesses[-1].status_code == 429
    assert "Zu viele Versuche" in guesses[-1].text
    wrong = [
        client.put(f"/t/{street.token}", headers=german),
        client.get(f"/t/{street.token}/nothing", headers=german),
        client.post(f"/t/{street.token}/rating", data={"comment": "x" * 20_000}, headers=german),
    ]
    assert [one.status_code for one in wrong] == [405, 404, 413]
    for answer in (guesses[-1], *wrong):
        assert '<html lang="de"' in answer.text
        assert not re.search("Too many|There is no|did not work|Wait a", answer.text)
    assert "Das hat nicht geklappt" in wrong[-1].text


def test_opening_a_true_link_is_never_counted() -> None:
    street = moments.scheduled()
    opened(street)
    with street.hub.reading() as session:
        assert session.exec(select(func.count()).select_from(ThrottleRow)).one() == 0


def test_a_live_page_reloads_without_javascript_and_a_finished_one_does_not() -> None:
    again = '<noscript><meta http-equiv="refresh" content="60"></noscript>'
    assert again in opened(moments.on_its_way()).text
    assert again not in opened(moments.delivered()).text


def test_who_cannot_see_the_map_is_told_of_it_in_their_language() -> None:
    street = moments.scheduled()
    street.change(BusinessRow, language="ar")
    assert 'aria-label="خريطة: عنوانك"' in opened(street).text


def test_being_late_is_said_before_the_times() -> None:
    text = opened(moments.late()).text
    said = text.index("Sorry, we are running late</h1>")
    struck = text.index("<s>")
    assert said < struck < text.index('<p class="big">')


def test_a_page_names_nobody_else_and_no_contact() -> None:
    street = branded(moments.on_its_way())
    text = opened(street).text
    assert "Anna" in text
    for hidden in ("Virtanen", "anna@example.fi", "+358401234567", "C 12"):
        assert hidden not in text
    for n in (1, 3, 4, 5):
        assert f"Yrjönkatu {n}" not in text


@pytest.mark.parametrize(
    ("moment", "which"),
    [
        *((moment, "greeting") for moment in ("scheduled", "on_its_way", "at_the_door")),
        ("delivered", "thanks"),
        *((moment, "help") for moment in ("failed", "late", "kept", "rescheduled")),
    ],
)
def test_the_businesss_own_words_stand_where_they_belong(moment: str, which: str) -> None:
    text = opened(branded(MOMENTS[moment]())).text
    assert [name for name, words in OWN_WORDS.items() if words in text] == [which]


def test_the_shops_website_is_a_link_that_tells_it_nothing() -> None:
    assert OUR_SITE in opened(branded(moments.scheduled())).text
    assert OUR_SITE in opened(branded(moments.bare())).text
    street = branded(moments.scheduled())
    street.change(BrandRow, website="javascript:alert(1)")
    assert "javascript:" not in opened(street).text


def test_own_words_are_text_and_short_whatever_lies_in_the_database() -> None:
    street = moments.scheduled()
    street.change(BrandRow, texts={"greeting": "<img src=x>" + "y" * 400})
    text = opened(street).text
    assert "<img src=x" not in text
    assert "y" * 289 in text
    assert "y" * 290 not in text


def test_markup_in_an_order_stays_text() -> None:
    street = moments.scheduled()
    street.change(BrandRow, name="<script>alert(1)</script>", phone='"><b>')
    text = opened(street).text
    assert "<script>alert" not in text
    assert "<b>" not in text


def test_a_photo_is_shown_small_and_without_what_the_camera_added() -> None:
    street = moments.delivered()
    assert b"tells who made it" in moments.PHOTO
    answer = opened(street, "/photo/1")
    assert answer.mimetype == "image/webp"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert b"tells who made it" not in answer.data
    assert max(Image.open(BytesIO(answer.data)).size) <= 1280


def test_the_photo_is_offered_only_where_the_business_shows_it() -> None:
    street = moments.delivered()
    assert "/photo/1" in opened(street).text
    street.sees(photo=NEVER)
    assert "/photo/1" not in opened(street).text
    assert opened(street, "/photo/1").status_code == 404


def test_the_proof_is_a_pdf_while_the_full_page_is_there() -> None:
    street = branded(moments.delivered())
    answer = opened(street, "/proof.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF")
    street.clock(60 * 60)
    assert opened(street, "/proof.pdf").status_code == 404
    assert opened(moments.arriving(), "/proof.pdf").status_code == 404


def test_the_bare_page_keeps_nothing_but_the_outcome() -> None:
    text = opened(branded(moments.bare())).text
    assert "Delivered 08:14" in text
    for gone in ("Anna", "Sourdough", "/photo/", "proof.pdf", "Yrjönkatu"):
        assert gone not in text


def test_a_stale_link_says_so_in_the_businesss_name() -> None:
    answer = opened(branded(moments.gone()))
    assert answer.status_code == 410
    assert "This link has expired" in answer.text
    assert "Call Husk Bakery" in answer.text


def test_no_log_has_a_token_whatever_is_asked_for_or_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    street = branded(moments.delivered())
    client, token = client_of(street), street.token
    with caplog.at_level("DEBUG"):
        for path in ("", "/photo/1", "/photo/7", "/logo", "/proof.pdf", "/nothing"):
            client.get(f"/t/{token}{path}")
        with street.hub.engine.execution_options(hub_write=True).begin() as connection:
            connection.exec_driver_sql("ALTER TABLE brand RENAME TO elsewhere")
        assert client.get(f"/t/{token}").status_code == 500
    assert "request failed" in caplog.text
    assert token not in caplog.text


def test_a_true_link_opens_nothing_of_another_order_or_business() -> None:
    street = moments.delivered()
    other = Street(a_morning(3))
    assert client_of(other).get(f"/t/{street.token}").status_code == 404
    forged = street.hub.keys.link_token(street.job.id, 1)  # of an id that is no order's
    assert client_of(street).get(f"/t/{forged}").status_code == 404
