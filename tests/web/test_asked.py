"""Somebody opens the page, calls, asks, rates: kept once, with what was told at that moment."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from sqlmodel import select
from werkzeug.test import TestResponse

from hub.app import Hub
from hub.core.rating import CHANGES
from hub.db.tables import (
    BrandDomainRow,
    BrandRow,
    EnquiryRow,
    EstimateRow,
    EventRow,
    OrderRow,
    PromiseRow,
    RatingRow,
)
from hub.flows.api_keys import make_key
from hub.flows.found import found
from hub.flows.ratings import set_rates
from hub.web.app import create_app
from tests import tracking_worlds as moments
from tests.tracking_worlds import NUMBER, Street, branded
from tests.web.test_tracking import client_of
from tests.web.test_tracking_browser import served

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) Chrome/131.0 Mobile Safari/537.36"}


def expected(street: Street) -> Street:
    """With an estimate of when the driver comes."""
    with street.hub.unit() as unit:
        comes = street.hub.now() + timedelta(minutes=15)
        spread = timedelta(minutes=5)
        unit.session.add(
            EstimateRow(
                business_id=street.business_id,
                job_id=street.job.id,
                version=1,
                p10=comes - spread,
                p50=comes,
                p90=comes + spread,
                updated_at=street.hub.now(),
            )
        )
    return street


def kept(street: Street) -> list[EnquiryRow]:
    with street.hub.reading() as session:
        return list(session.exec(select(EnquiryRow).order_by(EnquiryRow.at)))


def look(street: Street, **headers: str) -> TestResponse:
    answer = client_of(street).get(f"/t/{street.token}", headers=PHONE | headers, buffered=True)
    answer.close()
    return answer


def test_opening_the_page_is_kept_with_what_it_said() -> None:
    street = expected(moments.on_its_way())
    assert look(street).status_code == 200
    [row] = kept(street)
    with street.hub.reading() as session:
        promise = session.exec(
            select(PromiseRow).where(PromiseRow.job_id == street.job.id, PromiseRow.n > 0)
        ).one()
    assert (row.kind, row.shows, row.role) == ("view", "on_its_way", "recipient")
    assert row.order_id == street.order.id
    assert (row.opens, row.closes) == (promise.opens, promise.closes)
    assert row.p10 is not None and row.p50 is not None and row.p90 is not None
    assert row.p10 <= row.p50 <= row.p90


def test_a_page_that_renews_itself_and_who_looks_twice_is_one_look() -> None:
    street = moments.on_its_way()
    tag = look(street).headers["ETag"]
    look(street, **{"If-None-Match": tag})
    look(street, **{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"})
    look(street, **{"User-Agent": "WhatsApp/2.23"})
    client_of(street).head(f"/t/{street.token}", headers=PHONE)
    look(street)
    assert len(kept(street)) == 1
    street.day.now[0] += timedelta(minutes=11)
    look(street)
    assert len(kept(street)) == 2


def test_a_bare_page_and_a_wrong_link_are_no_look() -> None:
    street = moments.bare()
    look(street)
    client_of(street).get("/t/nothing-there", headers=PHONE)
    assert kept(street) == []


def test_call_us_tells_the_hub_first_and_calls_without_a_script() -> None:
    street = branded(moments.on_its_way())
    client, path = client_of(street), f"/t/{street.token}/contact"
    assert f'ping="{path}"' in client.get(f"/t/{street.token}").text
    ping = client.post(path, data="PING", headers={"Ping-To": "tel:1", "Content-Type": "text/ping"})
    assert (ping.status_code, ping.data) == (204, b"")
    form = client.post(path)
    assert (form.status_code, form.headers["Location"]) == (303, "tel:+35891234567")
    [row] = kept(street)
    assert (row.kind, row.channel) == ("contact_tap", "phone")
    assert client.post("/t/nothing-there/contact").status_code == 404


def asks_api(street: Street, known: str, **more: Any) -> TestResponse:
    scopes = more.pop("scopes", ["enquiries:write"])
    _, key = make_key(street.hub, street.business_id, "desk", scopes)
    headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
    return client_of(street).post(f"/api/v1/orders/{known}/enquiries", json=more, headers=headers)


def test_a_help_desk_notes_it_and_hears_what_to_tell() -> None:
    street = expected(moments.on_its_way())
    answer = asks_api(street, NUMBER, channel="chat", note="wants it before noon")
    told = answer.get_json()
    assert answer.status_code == 201, told
    assert told["state"] == "on_its_way"
    assert told["say"].startswith("Your order is on its way. ")
    assert re.search(r"\d\d:\d\d", told["say"]) and "stops before you" in told["say"]
    assert told["tracking_url"].endswith(f"/t/{street.token}")
    assert told["promise"]["opens"] < told["promise"]["closes"]
    [row] = kept(street)
    assert (row.kind, row.channel, row.note) == ("asked", "chat", "wants it before noon")
    assert row.p50 is not None and row.p50.isoformat()[:16] == told["arrival"]["p50"][:16]
    assert row.actor.startswith("api_key:")


def test_an_order_is_found_by_id_ref_or_number_and_by_no_other_business() -> None:
    street = moments.scheduled()
    assert asks_api(street, street.order.id).status_code == 201
    assert asks_api(street, "no-such").status_code == 404
    assert asks_api(street, NUMBER, source="csv").status_code == 404
    assert asks_api(street, NUMBER, source="api").status_code == 201
    unknown = asks_api(street, NUMBER, source="shopp")
    assert unknown.status_code == 422
    assert unknown.get_json()["errors"] == [
        {"pointer": "/source", "detail": "there is no such source; there are: api, csv"}
    ]
    assert asks_api(street, NUMBER, scopes=["orders:write"]).status_code == 403
    assert asks_api(street, NUMBER, channel="telex").status_code == 422


@pytest.mark.parametrize("said", [{"note": "a\0b"}, {"source": "a\0"}])
def test_what_no_database_holds_is_refused_at_its_field(said: dict[str, str]) -> None:
    street = moments.scheduled()
    assert asks_api(street, NUMBER, **said).status_code == 422
    assert kept(street) == []


def test_an_order_of_an_impossible_name_is_not_there(database_url: str) -> None:
    hub = Hub.in_memory(object(), url=database_url)
    business_id = found(hub, "Husk", zone="UTC")
    _, key = make_key(hub, business_id, "desk", ["enquiries:write"])
    answer = (
        create_app(hub)
        .test_client()
        .post("/api/v1/orders/a%00b/enquiries", json={}, headers={"Authorization": f"Bearer {key}"})
    )
    assert answer.status_code == 404


def test_a_number_is_found_with_and_without_what_a_shop_writes_before_it() -> None:
    street = moments.ordered()
    with street.hub.unit() as unit:
        unit.session.get_one(OrderRow, street.order.id).number = "#1048"
    for said in ("1048", "%231048"):
        assert asks_api(street, said).status_code == 201
    assert asks_api(street, "48").status_code == 404


def test_a_day_in_one_word_is_said_before_its_date() -> None:
    street = moments.rescheduled()
    said = asks_api(street, NUMBER).get_json()["say"]
    assert "Tomorrow, Tuesday 24 November." in said


def test_the_link_to_send_names_the_domain_of_the_orders_brand() -> None:
    street = moments.scheduled()
    with street.hub.unit() as unit:
        brand = unit.session.exec(select(BrandRow)).one()
        unit.session.add(
            BrandDomainRow(
                business_id=street.business_id,
                brand_id=brand.id,
                host="track.husk.example",
                token="t" * 32,
                proven_host="track.husk.example",
                state="proven",
            )
        )
    sent = asks_api(street, NUMBER).get_json()["tracking_url"]
    assert sent == f"https://track.husk.example/t/{street.token}"


def test_the_same_call_again_is_one_enquiry() -> None:
    street = moments.scheduled()
    _, key = make_key(street.hub, street.business_id, "desk", ["enquiries:write"])
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "call-7"}
    path = f"/api/v1/orders/{NUMBER}/enquiries"
    first, again = (client_of(street).post(path, json={}, headers=headers) for _ in range(2))
    assert first.get_json() == again.get_json()
    assert len(kept(street)) == 1


def rate(street: Street, **form: str) -> TestResponse:
    return client_of(street).post(f"/t/{street.token}/rating", data=form)


def ratings(street: Street) -> list[RatingRow]:
    with street.hub.reading() as session:
        return list(session.exec(select(RatingRow)))


def told(street: Street) -> list[dict[str, Any]]:
    with street.hub.reading() as session:
        rows = session.exec(
            select(EventRow).where(EventRow.name == "RatingGiven").order_by(EventRow.seq)
        )
        return [row.payload for row in rows]


def test_a_delivery_is_rated_without_log_in_or_script_and_once_a_link() -> None:
    street = moments.delivered()
    assert "How was it?" in client_of(street).get(f"/t/{street.token}").text
    answer = rate(street, stars="2", comment="The bread was cold.")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/t/{street.token}#rate")
    assert "Set-Cookie" not in answer.headers
    page = client_of(street).get(f"/t/{street.token}").text
    assert "2 of 5 stars" in page and "The bread was cold." in page
    rate(street, stars="2", comment="The bread was cold.")  # the same again is no news
    rate(street, stars="4", comment="")
    [row] = ratings(street)
    assert (row.stars, row.comment, row.role) == (4, "", "recipient")
    assert row.driver_id == street.day.route().driver_id and row.route_id == street.day.route().id
    assert [(one["stars"], one["changed"]) for one in told(street)] == [(2, False), (4, True)]


def test_what_was_typed_stays_when_stars_are_missing() -> None:
    street = moments.delivered()
    answer = rate(street, comment="<b>cold</b>")
    assert answer.status_code == 422
    assert "Choose one to five stars." in answer.text
    assert "&lt;b&gt;cold&lt;/b&gt;" in answer.text and "<b>cold" not in answer.text
    assert ratings(street) == []


@pytest.mark.parametrize("moment", ["scheduled", "on_its_way", "failed", "cancelled", "bare"])
def test_nothing_else_is_rated(moment: str) -> None:
    street = moments.MOMENTS[moment]()
    assert "How was it?" not in client_of(street).get(f"/t/{street.token}").text
    assert rate(street, stars="5").status_code == 404
    assert ratings(street) == []


def test_a_rating_stands_after_a_week() -> None:
    street = moments.delivered()
    street.settings(page_full_h=24 * 30)
    rate(street, stars="5")
    street.day.now[0] += CHANGES
    page = client_of(street).get(f"/t/{street.token}").text
    assert "5 of 5 stars" in page and "Change it" not in page
    answer = rate(street, stars="1")
    assert answer.status_code == 422
    assert "This rating can no longer be changed." in answer.text
    assert [row.stars for row in ratings(street)] == [5]


def test_a_business_need_not_ask() -> None:
    street = moments.delivered()
    set_rates(street.hub, street.business_id, False, actor="staff:1")
    assert "How was it?" not in client_of(street).get(f"/t/{street.token}").text
    assert rate(street, stars="5").status_code == 404


def test_programs_read_ratings_oldest_first() -> None:
    street = moments.delivered()
    rate(street, stars="3", comment="fine")
    _, key = make_key(street.hub, street.business_id, "shop", ["orders:read"])
    answer = client_of(street).get("/api/v1/ratings", headers={"Authorization": f"Bearer {key}"})
    [one] = answer.get_json()["ratings"]
    assert (one["stars"], one["comment"], one["number"]) == (3, "fine", NUMBER)
    assert one["driver"] and answer.get_json()["next"] is None


def test_a_real_browser_is_counted_when_it_opens_and_taps_but_not_when_it_loads_anew(
    browser: Browser,
) -> None:
    street = branded(moments.scheduled())
    with served(street) as url:
        context = browser.new_context(user_agent=PHONE["User-Agent"])
        page = context.new_page()
        page.goto(f"{url}/t/{street.token}")
        assert [row.kind for row in once_there(page, street, 1)] == ["view"]
        street.day.now[0] += timedelta(minutes=11)
        with page.expect_navigation():
            page.evaluate("() => location.assign(location.href)")
        page.locator("a.call").click()
        assert [row.kind for row in once_there(page, street, 2)] == ["view", "contact_tap"]
        context.close()


def once_there(page: Page, street: Street, count: int) -> list[EnquiryRow]:
    """What is kept once there is so much; it is written after the answer has left."""
    rows: list[EnquiryRow] = []
    for _ in range(600):
        page.wait_for_timeout(100)
        rows = kept(street)
        if len(rows) >= count:
            break
    return rows
