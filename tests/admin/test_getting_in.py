"""The first run, logging in, people and what a session may do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from hub.app import Hub
from hub.core.business import Trade
from hub.db.tables import AuditRow
from hub.flows.first_run import reached_by, start, start_code
from hub.flows.found import found
from hub.flows.log_in import Role, add_staff, businesses_of, log_in, staff_of
from hub.flows.people import people_of, reset_password
from hub.web.app import create_app

PASSWORD = "four loaves of rye bread"
FORM = {
    "name": "Aino",
    "email": "Aino@Husk.example",
    "password": PASSWORD,
    "business": "Husk",
    "zone": "Europe/Helsinki",
    "country": "FI",
    "trade": "fresh_food",
}


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub.in_memory(__import__("admin"), data_dir=tmp_path)


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    return create_app(hub).test_client()


def founded(hub: Hub) -> str:
    return start(
        hub,
        name="Aino",
        email="aino@husk.example",
        password=PASSWORD,
        business="Husk",
        zone="Europe/Helsinki",
        country="FI",
        trade=Trade.FRESH_FOOD,
    )


def logged_in(client: FlaskClient, email: str = "aino@husk.example") -> str:
    """Log in; the CSRF token of the session."""
    answer = client.post("/panel/log-in", data={"email": email, "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/panel/account").text)
    assert found
    return found[1]


def test_the_first_visitor_founds_the_business_and_is_in(client: FlaskClient) -> None:
    assert client.get("/", follow_redirects=True).request.path == "/panel/start"
    answer = client.post("/panel/start", data=FORM, follow_redirects=True)
    assert answer.status_code == 200
    assert "Husk" in answer.text
    assert "Add your depot" in answer.text


def test_a_second_first_account_is_refused(hub: Hub, client: FlaskClient) -> None:
    founded(hub)
    assert client.get("/panel/start").status_code == 302
    assert client.post("/panel/start", data=FORM).status_code == 403


def test_a_stranger_needs_the_code_to_make_the_first_account(hub: Hub, client: FlaskClient) -> None:
    afar = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.get("/panel/start", environ_base=afar).status_code == 403
    assert client.post("/panel/start", data=FORM, environ_base=afar).status_code == 403
    coded = client.post("/panel/start", data=FORM | {"code": start_code(hub)}, environ_base=afar)
    assert coded.status_code == 302


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("email", "nobody", "not an e-mail"),
        ("password", "short", "at least 12"),
        ("password", "aaaaaaaaaaaaaaa", "different characters"),
        ("zone", "Mars/Olympus", "time zone"),
        ("country", "ZZ", "country"),
        ("trade", "piracy", "what you do"),
        ("business", "  ", "called"),
    ],
)
def test_the_first_run_says_at_the_field_what_is_wrong_and_keeps_the_rest(
    hub: Hub, client: FlaskClient, field: str, value: str, told: str
) -> None:
    answer = client.post("/panel/start", data=FORM | {field: value})
    assert answer.status_code == 422
    assert told in answer.text
    assert 'value="Aino"' in answer.text
    assert PASSWORD not in answer.text


def test_a_wrong_password_and_an_unknown_person_are_told_apart_by_nobody(
    hub: Hub, client: FlaskClient
) -> None:
    founded(hub)
    wrong = client.post("/panel/log-in", data={"email": "aino@husk.example", "password": "x"})
    unknown = client.post("/panel/log-in", data={"email": "eve@husk.example", "password": "x"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("aino", "eve").count("not right") == unknown.text.count("not right")


def test_guessing_is_slowed_down_and_right_people_wait_too(hub: Hub, client: FlaskClient) -> None:
    founded(hub)
    guess = {"email": "aino@husk.example", "password": "wrong"}
    answers = [client.post("/panel/log-in", data=guess).status_code for _ in range(12)]
    assert answers[:10] == [401] * 10
    assert answers[10:] == [429] * 2
    right = client.post("/panel/log-in", data=guess | {"password": PASSWORD})
    assert right.status_code == 429


def test_the_cookie_is_out_of_reach_of_scripts_and_only_its_hash_is_kept(
    hub: Hub, client: FlaskClient
) -> None:
    founded(hub)
    answer = client.post(
        "/panel/log-in",
        data={"email": "aino@husk.example", "password": PASSWORD},
        base_url="https://localhost",
    )
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" in cookie
    token = cookie.split("=", 1)[1].split(";")[0]
    assert staff_of(hub, token) is not None
    with hub.engine.connect() as connection:
        rows = connection.exec_driver_sql("select * from log_in").all()
    assert token not in str(rows)


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_logging_in_leads_nowhere_else(hub: Hub, client: FlaskClient, target: str) -> None:
    founded(hub)
    answer = client.post(
        "/panel/log-in",
        data={"email": "aino@husk.example", "password": PASSWORD, "next": target},
    )
    assert answer.headers["Location"] == "/panel/"


def test_a_form_without_its_token_or_from_another_site_changes_nothing(
    hub: Hub, client: FlaskClient
) -> None:
    business_id = founded(hub)
    csrf = logged_in(client)
    new = {"email": "otso@husk.example", "role": "viewer"}
    assert client.post("/panel/people", data=new).status_code == 403
    assert client.post("/panel/people", data=new | {"csrf": "x"}).status_code == 403
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    answer = client.post("/panel/people", data=new | {"csrf": csrf}, headers=elsewhere)
    assert answer.status_code == 403
    assert len(people_of(hub, business_id)) == 1
    assert client.post("/panel/people", data=new | {"csrf": csrf}).status_code == 200
    assert len(people_of(hub, business_id)) == 2


def test_a_colleague_sets_a_password_by_the_link_once(hub: Hub, client: FlaskClient) -> None:
    founded(hub)
    csrf = logged_in(client)
    answer = client.post(
        "/panel/people", data={"csrf": csrf, "email": "otso@husk.example", "role": "dispatcher"}
    )
    link = re.search(r"/panel/welcome/[^<]+", answer.text)
    assert link
    other = create_app(hub).test_client()
    assert other.post(link[0], data={"password": "short"}).status_code == 422
    assert other.post(link[0], data={"password": PASSWORD}).status_code == 302
    assert other.post(link[0], data={"password": PASSWORD + "!"}).status_code == 410
    logged_in(other, "otso@husk.example")
    assert other.get("/panel/people").status_code == 403


def welcome_link(client: FlaskClient, csrf: str, email: str) -> str:
    """What the page shows to an owner who adds somebody."""
    data = {"csrf": csrf, "email": email, "role": "viewer"}
    link = re.search(r"/panel/welcome/[^<]+", client.post("/panel/people", data=data).text)
    assert link
    return link[0]


def two_businesses(hub: Hub, client: FlaskClient) -> tuple[str, str]:
    """Ours, logged in, and another with its owner Otso; the CSRF token and the other's id."""
    founded(hub)
    csrf = logged_in(client)
    other = found(hub, "Other", zone="UTC")
    add_staff(hub, other, email="otso@other.example", password=PASSWORD, role=Role.OWNER)
    return csrf, other


def test_no_business_sets_the_password_of_somebody_who_works_elsewhere(
    hub: Hub, client: FlaskClient
) -> None:
    """Adding an owner of another business made a link that opened that business."""
    csrf, _ = two_businesses(hub, client)
    link = welcome_link(client, csrf, "otso@other.example")
    stranger = create_app(hub).test_client()
    new = "nobody will guess this one"
    assert stranger.post(link, data={"password": new}).status_code == 422
    assert log_in(hub, "otso@other.example", new, address="") is None
    assert log_in(hub, "otso@other.example", PASSWORD, address="") is not None


def test_who_has_an_account_joins_a_business_by_its_link_and_own_password(
    hub: Hub, client: FlaskClient
) -> None:
    csrf, other = two_businesses(hub, client)
    link = welcome_link(client, csrf, "otso@other.example")
    token = log_in(hub, "otso@other.example", PASSWORD, address="")
    staff = staff_of(hub, token or "")
    assert staff is not None
    assert [name for _, name in businesses_of(hub, staff.staff_id)] == ["Other"]
    browser = create_app(hub).test_client()
    assert browser.post(link, data={"password": PASSWORD}).status_code == 302
    assert {name for _, name in businesses_of(hub, staff.staff_id)} == {"Husk", "Other"}
    reset = client.post(f"/panel/people/{staff.staff_id}/link", data={"csrf": csrf})
    assert "/panel/welcome/" not in reset.text
    assert browser.post(link, data={"password": PASSWORD}).status_code == 410


def test_who_took_one_invitation_has_not_taken_another(hub: Hub, client: FlaskClient) -> None:
    """Somebody who was first to invite an address got into whoever invited it later."""
    csrf, other = two_businesses(hub, client)
    link = welcome_link(client, csrf, "new@example.org")
    staff_id = add_staff(hub, other, email="new@example.org", password=None, role=Role.OWNER)
    assert create_app(hub).test_client().post(link, data={"password": PASSWORD}).status_code == 302
    assert [name for _, name in businesses_of(hub, staff_id)] == ["Husk"]
    assert log_in(hub, "new@example.org", PASSWORD, address="") is not None


@pytest.mark.parametrize(
    "path", ["/panel/reach/x/é", "/panel/start?code=é", "/static/" + 3000 * "x"]
)
def test_what_no_link_can_be_is_refused_and_no_error(hub: Hub, path: str) -> None:
    assert create_app(hub).test_client().get(path).status_code in (403, 404, 200)


def test_the_operator_sets_a_password_and_every_business_is_told(
    hub: Hub, client: FlaskClient
) -> None:
    business_id = founded(hub)
    logged_in(client)
    reset_password(hub, " Aino@husk.example", "six loaves of rye bread")
    assert client.get("/panel/").status_code == 302
    assert log_in(hub, "aino@husk.example", PASSWORD, address="") is None
    assert log_in(hub, "aino@husk.example", "six loaves of rye bread", address="")
    with hub.reading() as session:
        told = select(AuditRow).where(AuditRow.action == "staff.password")
        assert session.exec(told).one().business_id == business_id
    with pytest.raises(LookupError, match="nobody@husk.example"):
        reset_password(hub, "nobody@husk.example", "six loaves of rye bread")


def test_a_link_that_was_tampered_with_is_no_longer_good(hub: Hub, client: FlaskClient) -> None:
    founded(hub)
    link = welcome_link(client, logged_in(client), "otso@husk.example")
    broken = link.rpartition("/")[0] + "/é"
    assert create_app(hub).test_client().get(broken).status_code == 410


def test_the_last_owner_stays(hub: Hub, client: FlaskClient) -> None:
    business_id = founded(hub)
    csrf = logged_in(client)
    (owner,) = people_of(hub, business_id)
    for what, data in (("remove", {}), ("role", {"role": "viewer"})):
        client.post(f"/panel/people/{owner.staff_id}/{what}", data={"csrf": csrf} | data)
    assert [person.role for person in people_of(hub, business_id)] == [Role.OWNER]


def test_nobody_touches_the_people_of_another_business(hub: Hub, client: FlaskClient) -> None:
    founded(hub)
    csrf = logged_in(client)
    foreign = found(hub, "Other", zone="UTC")
    theirs = add_staff(hub, foreign, email="o@other.example", password=PASSWORD, role=Role.OWNER)
    for what in ("role", "remove", "link"):
        answer = client.post(
            f"/panel/people/{theirs}/{what}", data={"csrf": csrf, "role": "viewer"}
        )
        assert answer.status_code == 404
    switched = client.post("/panel/account/business", data={"csrf": csrf, "business_id": foreign})
    assert switched.status_code == 404
    assert "o@other.example" not in client.get("/panel/people").text


def test_changing_the_password_ends_every_session(hub: Hub, client: FlaskClient) -> None:
    founded(hub)
    csrf = logged_in(client)
    other = create_app(hub).test_client()
    logged_in(other)
    new = "five loaves of rye bread"
    wrong = client.post(
        "/panel/account/password", data={"csrf": csrf, "old": "no", "password": new}
    )
    assert wrong.status_code == 422
    client.post("/panel/account/password", data={"csrf": csrf, "old": PASSWORD, "password": new})
    assert other.get("/panel/").status_code == 302


def test_a_phone_that_scans_the_code_is_seen(hub: Hub, client: FlaskClient) -> None:
    business_id = founded(hub)
    logged_in(client)
    path = re.search(r"/panel/reach/[^<]+", client.get("/panel/address").text)
    assert path
    phone = create_app(hub).test_client()
    assert "safe" in phone.get(path[0], base_url="https://husk.example").text
    assert reached_by(hub, business_id) == ["https://husk.example"]
    assert phone.get(path[0][:-1] + "!").status_code == 404


def test_every_page_carries_a_strict_policy(hub: Hub, client: FlaskClient) -> None:
    founded(hub)
    logged_in(client)
    for path in ("/panel/", "/panel/people", "/panel/log-in", "/panel/nowhere"):
        answer = client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_strangers_cannot_lock_an_owner_out(hub: Hub, client: FlaskClient) -> None:
    founded(hub)
    guess = {"email": "aino@husk.example", "password": "wrong"}
    for n in range(12):
        for _ in range(2):
            client.post("/panel/log-in", data=guess, environ_base={"REMOTE_ADDR": f"203.0.113.{n}"})
    right = guess | {"password": PASSWORD}
    answer = client.post("/panel/log-in", data=right, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert answer.status_code == 302


@pytest.mark.parametrize("path", ["/panel/people?x=%00", "/panel/%00", "/static/%00x"])
def test_a_nul_is_a_bad_request_and_no_fault_of_ours(
    hub: Hub, client: FlaskClient, path: str
) -> None:
    founded(hub)
    logged_in(client)
    assert client.get(path).status_code in (400, 404)
    answer = client.post("/panel/log-in", data={"email": "a\0b", "password": "x"})
    assert answer.status_code == 400


def test_a_way_on_with_a_line_break_leads_home(hub: Hub, client: FlaskClient) -> None:
    founded(hub)
    answer = client.post(
        "/panel/log-in",
        data={
            "email": "aino@husk.example",
            "password": PASSWORD,
            "next": "/panel\r\nX-Evil: 1",
        },
    )
    assert answer.headers["Location"] == "/panel/"


def test_a_page_that_hides_where_it_is_from_logs_nobody_in(hub: Hub, client: FlaskClient) -> None:
    founded(hub)
    typed = {"email": "aino@husk.example", "password": PASSWORD}
    hidden = client.post("/panel/log-in", data=typed, headers={"Origin": "null"})
    assert hidden.status_code == 403
    ours = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/panel/log-in", data=typed, headers=ours).status_code == 302


@pytest.mark.parametrize("named", ["rule", "self", "endpoint", "append_unknown", "_external"])
def test_a_list_of_records_takes_any_query(hub: Hub, client: FlaskClient, named: str) -> None:
    """It went into the links on the page, under the name of an argument of what builds them."""
    founded(hub)
    logged_in(client)
    for name in ("changes", "drivers"):
        assert client.get(f"/panel/records/{name}/?{named}=x").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/panel/reach/x/é",
        "/panel/start?code=é",
        "/panel/welcome/{staff_id}/{business_id}/99999999999/é",
        "/panel/welcome/{staff_id}/{business_id}/" + "9" * 5000 + "/x",
        "/static/" + "x" * 3000,
        "/static/" + "x/" * 3000,
    ],
)
def test_a_link_that_somebody_made_up_is_no_fault_of_ours(
    hub: Hub, client: FlaskClient, path: str
) -> None:
    business_id = founded(hub)
    (owner,) = people_of(hub, business_id)
    made_up = path.format(staff_id=owner.staff_id, business_id=business_id)
    assert client.get(made_up).status_code in (302, 404, 410)
