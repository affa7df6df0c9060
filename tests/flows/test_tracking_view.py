"""What is read for a link: this order of this business, and nothing beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from hub.core.notice_words import USUAL
from hub.core.notices import Trigger
from hub.core.orders import IncomingOrder
from hub.core.tracking_page import Life, Shows
from hub.core.values import Address, Contact, Line, Point, Role
from hub.core.visibility import ALWAYS, NEVER
from hub.db.tables import (
    BusinessRow,
    ContactRow,
    EstimateRow,
    JobRow,
    LinkRow,
    PromiseRow,
    ShiftRow,
)
from hub.flows.brands import Brands
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.notice_mail import about_order, composed
from hub.flows.promises import last_expected
from hub.flows.sync import store_all
from hub.flows.tracking_view import Tracked, brand_of, document, photo, tracked
from hub.keys import hashed
from tests import tracking_worlds as moments
from tests.driving_worlds import SIX
from tests.tracking_worlds import Street


def seen(street: Street) -> Tracked:
    page = tracked(street.hub, street.token)
    assert page is not None
    return page


@pytest.mark.parametrize(
    ("moment", "shows"),
    [
        ("ordered", Shows.ORDERED),
        ("scheduled", Shows.SCHEDULED),
        ("on_its_way", Shows.ON_ITS_WAY),
        ("arriving", Shows.ARRIVING),
        ("at_the_door", Shows.AT_THE_DOOR),
        ("delivered", Shows.DONE),
        ("failed", Shows.FAILED),
        ("rescheduled", Shows.RESCHEDULED),
        ("moved", Shows.RESCHEDULED),
        ("late", Shows.ON_ITS_WAY),
        ("cancelled", Shows.CANCELLED),
    ],
)
def test_the_day_moves_the_page_from_state_to_state(moment: str, shows: Shows) -> None:
    assert seen(moments.MOMENTS[moment]()).shows is shows


def test_a_draft_promises_nothing() -> None:
    page = seen(moments.ordered())
    assert page.card is not None
    assert page.card.big == ""
    assert page.pin is None


def test_the_stops_before_are_counted_and_become_fewer() -> None:
    street = moments.on_its_way()
    page = seen(street)
    assert page.card is not None
    assert "2 stops before you." in page.card.lines
    street.tell("head_for", street.job_at(5), 5)  # out of turn
    page = seen(street)
    assert page.card is not None
    assert "3 stops before you." in page.card.lines
    street.tell("head_for", street.job_at(2), 6)
    street.close(street.job_at(2), 8)
    page = seen(street)
    assert page.card is not None
    assert "1 stop before you." in page.card.lines


def test_a_round_that_is_behind_makes_the_page_say_so() -> None:
    page = seen(moments.late())
    assert page.card is not None
    assert page.card.tone == "late"
    assert page.card.struck


def test_a_late_time_shown_before_the_driver_leaves_is_kept_as_told() -> None:
    """Four looks at "we are running late, 12:00 – 12:35" left no trace."""
    street = moments.scheduled()
    street.clock(75)
    page = [seen(street) for _ in range(2)][-1]
    with street.hub.reading() as session:
        told = last_expected(session, street.business_id, street.job.id)
    assert page.shows is Shows.SCHEDULED
    assert page.card is not None and page.card.struck
    assert told is not None
    zone = ZoneInfo(page.zone)
    assert page.card.big == " – ".join(
        f"{at.astimezone(zone):%H:%M}" for at in (told.opens, told.closes)
    )


def test_who_was_not_reached_on_a_round_is_told_so_and_no_time_however_late_it_is() -> None:
    """The page went on to say "on its way" with a time that rolled along, to the next day."""
    street = moments.late()
    seen(street)
    told = promises(street)
    street.tell("end_shift", None, 60)
    for hours in (1, 5, 20, 40):
        street.clock(60 + 60 * hours)
        page = seen(street)
        assert page.card is not None
        assert (page.shows, page.driver, page.position) == (Shows.RESCHEDULED, "", None)
        assert page.card.headline == "We are looking for a new time"
        assert (page.card.big, page.card.day) == ("", "")
        assert page.card.lines == (
            "Sorry, the driver did not get to you on this round.",
            "You will see the time here as soon as it is planned.",
        )
        assert page.card.struck, "what was promised no longer holds"
    assert promises(street) == told


def test_a_round_that_nobody_ended_is_over_six_hours_after_its_planned_end() -> None:
    street = moments.on_its_way()
    with street.hub.reading() as session:
        ends_at = session.exec(select(ShiftRow.ends_at)).one()
    for after, shows in ((-1, Shows.ON_ITS_WAY), (0, Shows.RESCHEDULED)):
        street.day.now[0] = ends_at + timedelta(hours=6, minutes=after)
        assert seen(street).shows is shows


def promises(street: Street) -> list[tuple[int, datetime]]:
    with street.hub.reading() as session:
        rows = session.exec(
            select(PromiseRow.n, PromiseRow.closes)
            .where(PromiseRow.job_id == street.job.id)
            .order_by(PromiseRow.n)
        )
        return list(rows)


def test_the_stored_estimate_is_believed_over_the_plan() -> None:
    street = moments.on_its_way()
    p50 = street.hub.now() + timedelta(hours=2)
    with street.hub.unit() as unit:
        unit.session.add(
            EstimateRow(
                business_id=street.business_id,
                job_id=street.job.id,
                p10=p50 - timedelta(minutes=5),
                p50=p50,
                p90=p50 + timedelta(minutes=10),
                updated_at=street.hub.now(),
            )
        )
    page = seen(street)
    assert page.card is not None
    assert page.card.tone == "late"
    assert page.card.big == "09:55 – 10:15"


def test_people_appear_by_first_name_and_the_driver_only_on_the_way() -> None:
    street = moments.scheduled()
    assert (seen(street).recipient, seen(street).driver) == ("Anna", "")
    assert seen(moments.on_its_way()).driver == "Mara"
    delivered = seen(moments.delivered())
    assert (delivered.recipient, delivered.driver, delivered.address) == ("", "", "")
    assert delivered.handover is not None
    assert delivered.handover.received_by == "Anna"


def test_a_flat_is_not_shown_to_whoever_has_the_link() -> None:
    assert seen(moments.scheduled()).address == "Yrjönkatu 2, Helsinki"


def test_items_are_shown_only_where_the_business_shows_them() -> None:
    street = moments.scheduled()
    assert [item.title for item in seen(street).items] == ["Sourdough loaf", "Rye bread"]
    street.sees(items=NEVER)
    assert seen(street).items == ()


def test_what_was_counted_at_the_door_is_shown() -> None:
    street = moments.at_the_door()
    lines = [{"n": 0, "title": "Sourdough loaf", "ordered": 2, "delivered": 1}]
    street.close(street.job, 14, outcome="partial", reason="missing_items", lines=lines)
    page = seen(street)
    assert page.card is not None
    assert page.card.headline == "Partly delivered"
    assert [item.delivered for item in page.items] == [1, None]


def test_the_photo_is_there_only_while_the_settings_and_the_page_show_it() -> None:
    street = moments.delivered()
    assert photo(street.hub, street.token, 1) == moments.PHOTO
    assert photo(street.hub, street.token, 2) is None
    assert photo(street.hub, street.token, 0) is None
    street.sees(photo=NEVER)
    assert photo(street.hub, street.token, 1) is None
    street.sees(photo=ALWAYS)
    street.clock(60 * 60)
    assert photo(street.hub, street.token, 1) is None
    assert document(street.hub, street.token) is None


def test_the_time_of_a_hand_over_is_its_proofs_own() -> None:
    street = moments.delivered()
    before = seen(street).outcome
    with street.hub.unit() as unit:
        job = unit.session.get_one(JobRow, street.job.id)
        assert job.closed_occurred_at is not None
        job.closed_occurred_at -= timedelta(hours=2)
    assert seen(street).outcome == before


def test_a_photo_still_on_its_way_up_is_no_error() -> None:
    street = moments.at_the_door()
    street.sees(photo=ALWAYS)
    street.close(street.job, 14, name="Anna")
    handover = seen(street).handover
    assert handover is not None
    assert handover.photos == 0


def test_after_two_days_only_the_outcome_is_left_and_after_thirty_nothing() -> None:
    page = seen(moments.bare())
    assert page.life is Life.BARE
    assert page.outcome == "Delivered 08:14, Monday 23 November 2026"
    assert (page.number, page.items, page.handover, page.card) == ("", (), None, None)
    assert seen(moments.gone()).life is Life.GONE


def test_a_revoked_link_is_as_unknown_as_one_that_never_was() -> None:
    street = moments.scheduled()
    old, order_id = street.token, street.order.id
    with street.hub.unit() as unit:
        link = unit.session.exec(select(LinkRow).where(LinkRow.order_id == order_id)).one()
        link.epoch += 1
        link.token_hash = hashed(street.hub.keys.link_token(link.order_id, link.epoch))
    assert tracked(street.hub, old) is None
    assert brand_of(street.hub, old) is None
    assert tracked(street.hub, "A" * 22) is None
    assert tracked(street.hub, street.token) is not None


def test_the_page_of_a_pair_shows_the_recipients_leg() -> None:
    street = moments.scheduled()
    job_id = street.job.id
    with street.hub.unit() as unit:
        job = unit.session.get_one(JobRow, job_id)
        unit.session.add(
            JobRow(
                business_id=street.business_id,
                order_id=job.order_id,
                leg=2,
                kind="deliver",
                place_id=job.place_id,
                created_at=street.hub.now(),
            )
        )
        job.kind = "collect"
    page = seen(street)
    assert page.shows is Shows.ORDERED  # the delivering leg is not planned yet
    assert page.card is not None
    assert page.card.headline == "We have your order"


def test_no_row_of_another_business_reaches_a_page() -> None:
    """Business B's rows are hung onto A's order and job; A's page must not pick them up."""
    street = moments.delivered()
    other = found(street.hub, "Rival", zone="Asia/Tokyo")
    rival = IncomingOrder(
        ref="4",
        number="RIVAL-4",
        updated_at=SIX,
        address=Address(("Rivalgatan 1",), city="Espoo"),
        point=Point(60.2, 24.6),
        contacts=(Contact(Role.RECIPIENT, "Rosa Rival"),),
        lines=(Line("Rival cake"),),
    )
    store_all(street.hub, other, connection_id(street.hub, other, "api"), [rival])
    order_id = street.order.id
    with street.hub.unit() as unit:
        job = unit.session.exec(select(JobRow).where(JobRow.business_id == other)).one()
        job.attempt, job.order_id = 7, order_id
    page = seen(street)
    assert page.number == "2"
    assert page.shows is Shows.DONE
    assert page.brand.business_id == street.business_id
    assert "Rival" not in repr(page)


def test_the_page_speaks_the_language_of_who_is_at_the_door_else_the_businesss() -> None:
    street = moments.on_its_way()
    assert seen(street).tongue.code == "en"
    street.change(BusinessRow, language="ar")
    page = seen(street)
    assert page.card is not None
    assert (page.tongue.direction, page.card.headline) == ("rtl", "طلبك في الطريق")
    street.change(ContactRow, language="de-CH")
    page = seen(street)
    assert page.card is not None
    assert page.card.headline == "Ihre Bestellung ist unterwegs"
    assert "Noch 2 Halte vor Ihnen." in page.card.lines
    assert page.promised == (
        ("08:05 – 08:45", "genannt am Montag, 23. November um\N{NO-BREAK SPACE}06:00"),
    )


def test_a_promise_that_was_followed_by_another_stays_on_the_page_with_when_it_was_told() -> None:
    page = seen(moments.moved())
    at_six = "told on Monday 23 November at\N{NO-BREAK SPACE}06:00"
    assert page.promised == (("08:05 – 08:45", at_six), ("14:05 – 14:45", at_six))


def test_a_notice_left_as_it_came_is_translated_and_a_businesss_own_words_are_its_own() -> None:
    street = moments.delivered()
    order, job = street.order, street.job
    with street.hub.reading() as session:
        business = session.get_one(BusinessRow, street.business_id)
        brands = Brands(session, street.business_id)
        brand = brands.usual
        about = about_order(street.hub, session, brands, order, job)
    usual = USUAL[Trigger.DELIVERED]
    about = replace(about, name="Anna", language="de")
    mail = composed(street.hub, business, brand, usual.subject, usual.body, about)
    assert mail.subject == "Bestellung 2: geliefert"
    assert mail.text.startswith("Guten Tag Anna,")
    assert "Montag, 23. November, 08:14" in mail.text and "Stand ansehen" in mail.text
    assert '<html lang="de" dir="ltr">' in mail.html
    own = composed(street.hub, business, brand, "Done!", "Bread is at {address}.", about)
    assert own.subject == "Done!" and own.text.startswith("Bread is at Yrjönkatu 2")
    arabic = replace(about, language="ar")
    assert 'dir="rtl"' in composed(street.hub, business, brand, "x", "y", arabic).html
