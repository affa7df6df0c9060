"""A driver's day on a phone, in a real browser: with signal, without, and after a restart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Playwright, Route, expect
from sqlmodel import select

from hub.app import Hub
from hub.core.business import BusinessSettings
from hub.core.orders import IncomingOrder, Kind
from hub.core.values import Address, Contact, Line, Point, Role, TimeWindow
from hub.db.tables import (
    ActRow,
    BusinessRow,
    DepotRow,
    DeviceRow,
    DriverRow,
    EventRow,
    JobRow,
    PlaceRow,
    PromiseRow,
    ProofFileRow,
    ProofRow,
    RouteRow,
    ShiftRow,
)
from hub.flows.connections import connection_id
from hub.flows.dispatch import hand_over, publish, remove_job
from hub.flows.drive import pairing_code
from hub.flows.found import found
from hub.flows.order_rows import window_document
from hub.flows.plan import plan_day
from hub.flows.prove import verify
from hub.flows.sync import store_all
from tests.driving_worlds import Plugin
from tests.phone_worlds import (
    DONE,
    SHOTS,
    Screen,
    a_phone,
    a_phone_that_restarts,
    a_photo,
    a_zone_at_noon,
    driver_app,
    served,
)

HOUR = timedelta(hours=1)
PEOPLE = [
    ("Anna Frick", "Yrjönkatu 27", 60.1679, 24.9400, "2 sourdough", Kind.DELIVER),
    ("Jonas Beck", "Fredrikinkatu 40", 60.1655, 24.9360, "6 rolls", Kind.DELIVER),
    ("Café Aamu", "Uudenmaankatu 11", 60.1640, 24.9420, "Empty crates", Kind.COLLECT),
    ("Maija Virtanen", "Albertinkatu 19", 60.1622, 24.9342, "Oven check", Kind.SERVE),
]


@dataclass
class Day:
    hub: Hub
    business_id: str
    driver_id: str
    url: str
    zone: ZoneInfo

    def code(self) -> str:
        return pairing_code(self.hub, self.business_id, self.driver_id)

    def rows(self, table: Any) -> list[Any]:
        with self.hub.reading() as session:
            return list(session.exec(select(table).where(table.business_id == self.business_id)))

    def closed(self) -> list[tuple[str, str]]:
        """(name, outcome) for each announcement that a job was closed."""
        names = {job.id: job.order_id for job in self.rows(JobRow)}
        told = [row for row in self.rows(EventRow) if row.name == "JobClosed"]
        assert all(row.payload["job_id"] in names for row in told)
        return sorted((row.payload["job_id"], row.payload["outcome"]) for row in told)


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    """Four stops of every kind, published for this very day, and a served hub."""
    hub = Hub.in_memory(Plugin(), data_dir=tmp_path / "hub", url=f"sqlite:///{tmp_path}/hub.db")
    zone = a_zone_at_noon(hub.now())
    business_id = found(hub, "Husk Bakery", zone=str(zone), country="FI")
    today = hub.now().astimezone(zone).date()
    settings = BusinessSettings(demands=["photo", "signature", "name", "lines"])
    with hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, business_id)
        business.settings = settings.model_dump(mode="json")
        depot = DepotRow(
            business_id=business_id, name="Bakery", address="Kalevankatu 4", lat=60.168, lon=24.938
        )
        unit.session.add(depot)
        unit.session.flush()
        hours = {str(n): ["00:00", "23:59"] for n in range(7)}
        driver = DriverRow(
            business_id=business_id, name="Mara Ilves", depot_id=depot.id, works=hours
        )
        unit.session.add(driver)
    orders = [_order(n, *person, day=today) for n, person in enumerate(PEOPLE, 1042)]
    store_all(hub, business_id, connection_id(hub, business_id, "api"), orders)
    with hub.unit() as unit:
        place = unit.session.exec(
            select(PlaceRow).where(PlaceRow.business_id == business_id).order_by(PlaceRow.id)
        ).first()
        assert place is not None
        place.access_note = "Side door in the yard, ring twice. Code 41A."
    plan_day(hub, business_id, today, strategy="nearest")
    with hub.reading() as session:
        route = session.exec(select(RouteRow)).one()
    publish(hub, business_id, route.id, actor="staff:1", expected_version=route.version)
    with served(driver_app(hub)) as url:
        yield Day(hub, business_id, driver.id, url, zone)


def _order(
    n: int, name: str, street: str, lat: float, lon: float, goods: str, kind: Kind, day: date
) -> IncomingOrder:
    lines = (Line(goods, quantity=2), Line("Paper bag")) if kind is Kind.DELIVER else (Line(goods),)
    return IncomingOrder(
        ref=str(n),
        number=f"HB-{n}",
        updated_at=datetime.combine(day, time(), UTC) - timedelta(days=1),
        address=Address((street,), city="Helsinki", postcode="00120", country="FI"),
        point=Point(lat, lon),
        kind=kind,
        contacts=(Contact(Role.RECIPIENT, name, phone="+358401234567"),),
        lines=lines,
        instructions="Leave with the neighbour on the left if nobody opens." if n == 1043 else "",
    )


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return a_photo(tmp_path / "door.jpg")


def test_two_jobs_closed_in_a_cellar_arrive_once_with_their_proof(
    day: Day, browser: Browser, picture: Path
) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.press("Start shift")
    phone.sees("4 of 4 stops left")
    phone.state("Online")
    phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    phone.offline(True)
    phone.page.reload()
    phone.sees("4 of 4 stops left")
    for left, name in ((3, "Ana"), (2, "Ben")):
        phone.press("Arrived")
        phone.page.locator("main .next").get_by_role("link", name=DONE).click()
        phone.prove(picture, name)
        phone.page.locator(".finish button").click()
        phone.sees(f"{left} of 4 stops left")
    phone.state("Offline · 8 to send")
    assert day.closed() == []

    phone.offline(False)
    phone.state("Online")
    assert [outcome for _, outcome in day.closed()] == ["succeeded", "succeeded"]
    files = day.rows(ProofFileRow)
    assert sorted(row.kind for row in files) == ["photo", "photo", "signature", "signature"]
    assert all(row.proof_id for row in files)
    assert verify(day.hub, day.business_id) == []
    for proof in day.rows(ProofRow):
        assert (proof.lat, proof.accuracy_m, proof.no_position) == (60.1704, 12, "")
        assert [line["delivered"] for line in proof.lines] == [
            line["ordered"] for line in proof.lines
        ]
    phone.page.reload()
    phone.sees("2 of 4 stops left")
    assert phone.problems == []
    phone.context.close()


def test_a_phone_restarted_with_unsent_items_loses_nothing(
    day: Day, playwright: Playwright, tmp_path: Path, picture: Path
) -> None:
    phone = Screen(a_phone_that_restarts(playwright, tmp_path / "profile"), day.url, day.code)
    phone.pair()
    phone.start_shift()
    phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.offline(True)
    phone.press("Arrived")
    phone.page.locator("main .next").get_by_role("link", name=DONE).click()
    phone.prove(picture, "Ana")
    phone.page.locator(".finish button").click()
    phone.sees("3 of 4 stops left")
    assert day.closed() == []
    phone.context.close()  # a browser that ends has its network back for a moment, and may send

    again = Screen(a_phone_that_restarts(playwright, tmp_path / "profile"), day.url, day.code)
    again.open()
    again.sees("3 of 4 stops left")
    again.state("Online")
    assert [outcome for _, outcome in day.closed()] == ["succeeded"]
    assert len(day.rows(ProofFileRow)) == 2
    assert verify(day.hub, day.business_id) == []
    again.context.close()


def test_what_was_begun_at_the_door_survives_a_reload(
    day: Day, browser: Browser, picture: Path
) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.press("Start shift")
    phone.page.locator("main .next").get_by_role("link", name=DONE).click()
    expect(phone.page.locator(".finish button")).to_be_disabled()
    phone.prove(picture, "Ana")
    phone.page.reload()
    expect(phone.page.locator(".finish button")).to_be_enabled()
    expect(phone.page.locator("#name")).to_have_value("Ana")
    phone.context.close()


NO_ANSWER = """
navigator.geolocation.watchPosition = () => 1;
navigator.geolocation.getCurrentPosition = () => {};
"""
SLOW_FIX = """
navigator.geolocation.watchPosition = () => 1;
navigator.geolocation.getCurrentPosition = (got) => setTimeout(() => got(
  {timestamp: Date.now(), coords: {latitude: 60.2, longitude: 24.9, accuracy: 7}}), 1500);
"""


def test_a_tap_is_not_lost_when_the_screen_would_be_drawn_anew_under_the_finger(
    day: Day, browser: Browser
) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.page.get_by_role("button", name="Start shift").hover()
    phone.page.mouse.down()
    phone.page.evaluate("box.changed.onmessage()")
    phone.page.mouse.up()
    phone.sees("4 of 4 stops left")
    phone.context.close()


def test_an_answer_asked_for_before_a_tap_does_not_take_the_tap_back(
    day: Day, browser: Browser
) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.start_shift()
    asked: list[Route] = []
    phone.page.route("**/driver/api/route", lambda route: asked.append(route))
    phone.page.evaluate("window.dispatchEvent(new Event('online'))")
    while not asked:
        phone.page.wait_for_timeout(20)
    old = asked[0].fetch(headers={**asked[0].request.headers, "if-none-match": ""})
    phone.press("All loaded")
    phone.sees("4 of 4 stops left")
    expect(phone.page.get_by_role("button", name="All loaded")).to_have_count(0)
    was_asked = len(asked)
    asked[0].fulfill(response=old)  # from before the tap; the next is still under way
    while len(asked) == was_asked:
        phone.page.wait_for_timeout(20)
    phone.page.wait_for_timeout(200)
    assert phone.page.get_by_role("button", name="All loaded").count() == 0
    phone.context.close()


@pytest.mark.parametrize(
    ("gps", "place"),
    [
        pytest.param(NO_ANSWER, (None, "No GPS signal in time."), id="silent"),
        pytest.param(SLOW_FIX, (60.2, ""), id="slow", marks=pytest.mark.soak),
    ],
)
def test_a_close_is_not_lost_by_a_reload_while_the_place_is_looked_for(
    day: Day,
    browser: Browser,
    picture: Path,
    gps: str,
    place: tuple[float | None, str],
) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.context.add_init_script(gps)
    phone.pair()
    phone.start_shift()
    phone.page.locator("main .next").get_by_role("link", name=DONE).click()
    phone.prove(picture, "Ana")
    phone.page.locator(".finish button").click()
    phone.sees("Saved.")
    phone.page.reload()
    phone.sees("3 of 4 stops left")
    phone.state("Online")
    assert [outcome for _, outcome in day.closed()] == ["succeeded"]
    [proof] = day.rows(ProofRow)
    assert (proof.lat, proof.no_position) == place
    assert len(day.rows(ProofFileRow)) == 2
    assert phone.problems == []
    phone.context.close()


def test_another_stop_can_come_next_and_the_one_stood_at_waits(day: Day, browser: Browser) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.start_shift()
    phone.press("Arrived")
    phone.press("Not today…")
    phone.sees("do another stop first")
    phone.press("Do another stop first")
    last = phone.page.locator(".stops li").last
    name = last.locator("strong").inner_text()
    phone.offline(True)
    last.get_by_role("button", name="Do this one next").click()
    heading = phone.page.locator("main .next h2")
    expect(heading).to_contain_text(name)
    phone.sees("4 of 4 stops left")
    assert phone.page.get_by_text("Arrived", exact=True).count() == 1  # only the button
    phone.offline(False)
    phone.state("Online")
    states = sorted(job.state for job in day.rows(JobRow))
    assert states == ["dispatched", "dispatched", "dispatched", "en_route"]
    expect(heading).to_contain_text(name)
    assert day.closed() == []
    phone.context.close()


def test_an_arrival_by_mistake_is_taken_back_without_signal(day: Day, browser: Browser) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.start_shift()
    phone.press("All loaded")
    phone.press("Arrived")
    phone.state("Online")
    phone.offline(True)
    phone.is_fine("d-arrived")
    phone.press("Not there yet")
    expect(phone.page.get_by_role("button", name="Arrived", exact=True)).to_have_count(1)
    expect(phone.page.locator("main .next .pill")).to_have_count(0)
    phone.page.locator("#state").click()
    phone.sees("Not there yet")
    phone.press("Back", "header")
    phone.offline(False)
    phone.state("Online")
    assert {job.state for job in day.rows(JobRow)} == {"loaded"}
    assert [row.name for row in day.rows(EventRow)].count("DriverLeft") == 1
    assert phone.problems == []
    phone.context.close()


def test_a_shift_ends_early_once_its_driver_was_asked_and_told_what_stays_open(
    day: Day, browser: Browser
) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.start_shift()
    phone.is_fine("e-list-with-early-end")
    phone.press("End shift early")
    phone.sees("4 stops stay open.")
    phone.sees("The dispatcher is told")
    phone.is_fine("f-end-early")
    assert [shift.ended_at for shift in day.rows(ShiftRow)] == [None]
    phone.press("Go on driving")
    phone.sees("4 of 4 stops left")
    phone.press("End shift early")
    phone.press("End shift now")
    phone.sees("The shift has ended")
    phone.sees("4 stops stayed open")
    expect(phone.page.locator("#sharing")).to_have_count(0)
    phone.state("Online")
    phone.is_fine("g-ended-early")
    [shift] = day.rows(ShiftRow)
    assert shift.ended_at is not None
    phone.context.close()


LOST_THEN_FOUND = """
let tell, fail;
navigator.geolocation.watchPosition = (got, lost) => { tell = got; fail = lost; return 1; };
navigator.geolocation.getCurrentPosition = () => {};
navigator.geolocation.clearWatch = () => {};
const look = () => box.changed.onmessage();
window.loses = () => { fail({code: 3}); look(); };
window.finds = () => tell({timestamp: Date.now(),
  coords: {latitude: 60.2, longitude: 24.9, accuracy: 7, speed: null, heading: null}});
"""


@pytest.mark.parametrize("goes_by", ["a position", "the end of the shift"])
def test_a_warning_of_no_gps_goes_by_itself(day: Day, browser: Browser, goes_by: str) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.context.add_init_script(LOST_THEN_FOUND)
    phone.pair()
    phone.start_shift()
    phone.page.evaluate("loses()")
    warning = phone.page.get_by_text("check the location setting")
    expect(warning).to_be_visible()
    if goes_by == "a position":
        phone.page.evaluate("finds()")
        assert warning.count() == 0  # at once
    else:
        phone.press("End shift early")
        phone.press("End shift now")
        phone.sees("The shift has ended")
        phone.state("Online")
        expect(warning).to_have_count(0)
    phone.context.close()


def test_who_comes_early_reads_which_promise_he_waits_for(day: Day, browser: Browser) -> None:
    today = day.hub.now().astimezone(day.zone).date()
    midnight = datetime.combine(today + timedelta(days=1), time(), day.zone)
    opens, closes = midnight + 12 * HOUR, midnight + 12.5 * HOUR
    with day.hub.unit() as unit:
        for promise in unit.session.exec(select(PromiseRow)):
            promise.opens, promise.closes = opens, closes
        for job in unit.session.exec(select(JobRow)):
            job.windows = window_document([TimeWindow(opens - HOUR, closes + HOUR)])
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.start_shift()
    phone.sees("Between 11:00 and 13:30 · promised 12:00–12:30 · about 12:00")
    phone.sees("Wait until 12:00: the customer was told 12:00–12:30.")
    phone.is_fine("h-wait")
    phone.press("Arrived")
    phone.sees("Wait until 12:00: the customer was told 12:00–12:30.")
    phone.context.close()


def test_the_phone_of_who_drove_says_that_the_route_was_handed_over(
    day: Day, browser: Browser
) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.start_shift()
    [route], [depot] = day.rows(RouteRow), day.rows(DepotRow)
    with day.hub.unit() as unit:
        otso = DriverRow(business_id=day.business_id, name="Otso Salo", depot_id=depot.id)
        unit.session.add(otso)
    about = {"actor": "staff:1", "expected_version": route.version, "force": True}
    hand_over(day.hub, day.business_id, route.id, otso.id, **about)
    phone.page.reload()
    phone.sees("The dispatcher handed your route to Otso Salo.")
    phone.is_fine("i-handed-over")
    phone.context.close()


def test_a_message_and_the_bar_below_cover_nothing_and_times_have_24_hours(
    day: Day, browser: Browser
) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    assert not re.search(r"[AP]M\b", phone.page.locator("main").inner_text())
    phone.press("Start shift")
    phone.page.locator("main .next").get_by_role("link", name="Could not").click()
    bar = phone.page.locator(".finish")
    phone.page.get_by_text("Add more").click()
    note = phone.page.locator("#note")
    note.focus()
    phone.page.wait_for_timeout(300)
    assert _box(note)["bottom"] <= _box(bar)["y"]
    phone.page.evaluate(
        "import(document.querySelector('script[type=module]').src.replace('app.js', 'dom.js'))"
        ".then((dom) => dom.toast('Saved.'))"
    )
    toast = _box(phone.page.locator("#toast"))
    assert toast["bottom"] <= _box(bar)["y"] or toast["y"] >= _box(bar)["bottom"]
    assert toast["y"] > _box(phone.page.locator("main h1"))["bottom"]
    if SHOTS:
        phone.page.screenshot(path=f"{SHOTS}/toast.png")
    phone.context.close()


def _box(part: Locator) -> dict[str, float]:
    box = part.bounding_box()
    assert box is not None
    return {"y": box["y"], "bottom": box["y"] + box["height"]}


def test_a_changed_route_must_be_seen_and_a_refused_act_stays_until_dismissed(
    day: Day, browser: Browser
) -> None:
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.start_shift()
    [route] = day.rows(RouteRow)
    assert route.acknowledged == route.version
    last = phone.page.locator(".stops li").last
    gone = last.locator("strong").inner_text()
    [job] = [job for job in day.rows(JobRow) if _name(day, job) == gone]
    actor = "staff:1"
    remove_job(
        day.hub, day.business_id, route.id, job.id, actor=actor, expected_version=route.version
    )
    phone.page.reload()
    phone.sees(f"Removed: {gone}")
    phone.press("I have seen it")
    expect(phone.page.get_by_text("Your route has changed")).to_have_count(0)
    phone.state("Online")
    [route] = day.rows(RouteRow)
    assert route.acknowledged == route.version

    with day.hub.unit() as unit:  # the business wants more, and the phone has not heard
        business = unit.session.get_one(BusinessRow, day.business_id)
        business.settings = {**business.settings, "failure_demands": ["photo"]}
    phone.page.locator("main .next").get_by_role("link", name="Could not").click()
    phone.page.get_by_label("Nobody there").check()
    phone.page.locator(".finish button").click()
    phone.state("Online · 1 refused")
    phone.page.locator("#state").click()
    phone.sees("Proof is missing: photo.")
    phone.is_fine("c-refused")
    phone.press("Dismiss")
    phone.state("Online")
    assert day.closed() == []
    phone.context.close()


def _name(day: Day, job: JobRow) -> str:
    from hub.db.tables import ContactRow

    [contact] = [row for row in day.rows(ContactRow) if row.order_id == job.order_id]
    return str(contact.name)


def test_a_revoked_phone_keeps_what_was_not_sent_and_sends_it_once_paired_again(
    day: Day, browser: Browser, tmp_path: Path
) -> None:
    """Of a hub that lives by a clock of its own, as the demo does, the page stamps by that."""
    day.hub.settings = replace(day.hub.settings, clock_file=tmp_path / "clock")
    day.hub.now = lambda: datetime.now(UTC) + timedelta(minutes=20)
    phone = Screen(a_phone(browser), day.url, day.code)
    phone.pair()
    phone.start_shift()
    [began] = [act for act in day.rows(ActRow) if act.kind == "start_shift"]
    assert began.occurred_at > datetime.now(UTC) + timedelta(minutes=18)
    with day.hub.unit() as unit:
        for device in unit.session.exec(select(DeviceRow)):
            device.revoked_at = day.hub.now()
    phone.press("Arrived")
    phone.sees("This phone is no longer paired. 1 item not sent")
    phone.page.locator("#state").click()
    with phone.page.expect_download() as saved:
        phone.press("Save to a file")
    assert '"kind":"arrive"' in saved.value.path().read_text()
    phone.page.goto(f"{day.url}/driver/pair#WRONGCODE2")  # a QR code that was used already
    phone.sees("This code is unknown, used or too old.")
    phone.page.locator("#code").fill("WRONGCODE3")
    phone.press("Pair this phone")
    phone.sees("This code is unknown, used or too old.")
    phone.page.locator("#code").fill(day.code().lower())
    phone.press("Pair this phone")
    phone.state("Online")
    assert [job.state for job in day.rows(JobRow)].count("arrived") == 1
    phone.context.close()


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_axe_and_the_policy_find_nothing_on_any_screen(
    day: Day, browser: Browser, picture: Path, scheme: str
) -> None:
    phone = Screen(a_phone(browser, scheme), day.url, day.code, f"{scheme}-")
    phone.open()
    phone.is_fine("1-pair")
    phone.pair()
    phone.is_fine("2-before-the-shift")
    phone.start_shift()
    phone.is_fine("3-list")
    phone.press("All loaded")
    phone.press("Arrived")
    phone.sees("Arrived")
    phone.page.locator(".stops a").first.click()
    phone.is_fine("4-stop")
    phone.page.goto(f"{day.url}/driver/#/")
    phone.page.locator("main .next").get_by_role("link", name=DONE).click()
    phone.is_fine("5-close-empty")
    phone.prove(picture, "Ana Frick")
    phone.is_fine("6-close-ready")
    phone.page.locator(".finish button").click()
    phone.page.locator("main .next").get_by_role("link", name="Could not").click()
    phone.is_fine("7-failed")
    phone.press("Back", "header")
    phone.press("Not today…")
    phone.sees("This ends the")
    phone.is_fine("8-not-today")
    phone.page.goto(f"{day.url}/driver/#/")
    phone.state("Online")
    phone.offline(True)
    phone.press("Arrived")
    phone.page.locator("#state").click()
    phone.sees("to send")
    phone.is_fine("9-outbox")
    phone.page.goto(f"{day.url}/driver/#/")
    phone.is_fine("a-list-offline")
    if SHOTS:
        phone.page.set_viewport_size({"width": 1280, "height": 900})
        phone.is_fine("b-wide")
    phone.context.close()
