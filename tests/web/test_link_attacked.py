"""What strangers, holders of other links and odd browsers send to a link's addresses."""

from __future__ import annotations

import pytest
from sqlmodel import select

from hub.core.values import Role
from hub.db.tables import BrandRow, EnquiryRow, ThrottleRow, WishRow
from tests import tracking_worlds as moments
from tests.flows.test_links import ANNA, BUYER, given, links
from tests.tracking_worlds import Street, branded
from tests.web.test_self_service import allow, client_of, rows


@pytest.fixture
def gift() -> Street:
    return allow(given(branded(moments.scheduled()), ANNA, BUYER))


FORMS = (
    ("do", {"do": "door", "note": "x" * 301}),
    ("do", {"do": "leave", "how": "safe_place", "where": ""}),
    ("do", {"do": "follow", "what": "nothing"}),
    ("do", {"do": "nothing"}),
    ("do", {}),
    ("do", {"do": "door", "note": "Ring"}),
    ("times", {"time": "today"}),
    ("cancel", {}),
)


@pytest.mark.parametrize(("path", "form"), FORMS)
def test_whatever_a_buyer_s_link_sends_is_answered_with_their_page_and_changes_nothing(
    gift: Street, path: str, form: dict[str, str]
) -> None:
    token = links(gift)[Role.BUYER]
    answer = client_of(gift).post(f"/t/{token}/{path}", data=form)
    assert answer.status_code == 200
    assert "What you can do" not in answer.text
    assert rows(gift, WishRow) == []


def test_no_part_of_a_link_is_kept_to_count_what_it_sends() -> None:
    street = moments.delivered()
    client = client_of(street)
    client.post(f"/t/{street.token}/rating", data={"stars": "5"})
    kept = [row.key for row in rows(street, ThrottleRow)]
    assert kept
    assert not any(street.token[:8] in key for key in kept)


def test_a_phone_typed_in_two_lines_is_called_all_the_same() -> None:
    street = branded(moments.on_its_way())
    with street.hub.unit() as unit:
        for brand in unit.session.exec(select(BrandRow)):
            brand.phone = "+358 9 1234\r\n567"
    answer = client_of(street).post(f"/t/{street.token}/contact")
    assert (answer.status_code, answer.headers["Location"]) == (303, "tel:+35891234567")


@pytest.mark.parametrize("moment", ["bare", "gone"])
def test_who_has_an_old_link_is_no_call_any_more(moment: str) -> None:
    street = branded(getattr(moments, moment)())
    assert client_of(street).post(f"/t/{street.token}/contact").status_code == 404
    assert rows(street, EnquiryRow) == []


def test_nothing_behind_a_link_is_kept_on_the_way() -> None:
    street = branded(moments.delivered())
    client = client_of(street)
    for answer in (
        client.post(f"/t/{street.token}/contact"),
        client.post(f"/t/{street.token}/rating", data={"stars": "5"}),
        client.post(f"/t/{street.token}/push", json={}),
    ):
        assert answer.headers["Cache-Control"] == "no-store"
