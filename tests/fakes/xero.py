"""Xero, as far as the hub talks to it: sign-in, several organisations, invoices, history, files.

Every request and every answer is held against Xero's OpenAPI files. What is wrong is answered
with 400, as there, and kept in ``wrong`` for the test to see. Also a program:
``serve(FakeXero(now=...))``.
"""

from __future__ import annotations

import json
import re
import time
from base64 import b64decode, b64encode
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hmac import digest
from html import escape
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import NAMESPACE_URL, uuid4, uuid5

from werkzeug import Request, Response
from werkzeug.test import Client

from tests.fakes.xero_contract import API, Contract

MONDAY = datetime(2024, 3, 4, 6, 0, tzinfo=UTC)
REDIRECT = "https://hub.example/oauth/back"
ORIGINS = ("https://login.xero.com", "https://identity.xero.com", "https://api.xero.com")
GRACE, UNUSED_FOR, LIFE = timedelta(minutes=30), timedelta(days=60), timedelta(minutes=30)
SCOPES = {  # any of these lets one in; history and quotes are taken to go with invoices
    "Invoices": {"accounting.invoices", "accounting.transactions"},
    "Quotes": {"accounting.invoices", "accounting.transactions"},
    "Attachments": {"accounting.attachments"},
    "Contacts": {"accounting.contacts.read", "accounting.contacts"},
    "Organisation": {"accounting.settings.read", "accounting.settings"},
}
GRANULAR = {
    "offline_access", "openid", "profile", "email", "accounting.invoices",
    "accounting.attachments", "accounting.contacts.read", "accounting.settings.read",
}  # fmt: skip


def uuid(text: str) -> str:
    return str(uuid5(NAMESPACE_URL, text))


def ms(at: datetime) -> str:
    return f"/Date({round(at.timestamp() * 1000)}+0000)/"


def midnight(at: datetime) -> str:
    return ms(at.replace(hour=0, minute=0, second=0, microsecond=0))


@dataclass
class Organisation:
    name: str
    tenant_id: str
    invoices: dict[str, dict[str, Any]] = field(default_factory=dict)
    quotes: dict[str, dict[str, Any]] = field(default_factory=dict)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed: dict[str, datetime] = field(default_factory=dict)
    history: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[str, dict[str, tuple[bytes, bool]]] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)  # in a period that is closed
    calls: deque[datetime] = field(default_factory=deque)

    @property
    def connection_id(self) -> str:
        return uuid(f"connection {self.tenant_id}")

    def papers(self, part: str) -> dict[str, dict[str, Any]]:
        return self.invoices if part == "Invoices" else self.quotes


@dataclass
class Grant:
    tenants: list[str]
    scopes: set[str]
    ends: datetime
    custom: bool = False


@dataclass
class Refresh:
    grant: Grant
    made: datetime
    used: datetime | None = None


@dataclass(frozen=True)
class Call:
    """What came in, for a test to look at."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int


class Refusal(Exception):
    def __init__(self, status: int, body: dict[str, Any], **headers: str) -> None:
        super().__init__(status)
        self.response = _json(body, status)
        for name, value in headers.items():
            self.response.headers[name.replace("_", "-")] = value


class FakeXero:
    page_size = 4
    client_id, secret = "APPID1234567890", "xero-5ecret"
    webhook_key = "wEbh00kKey=="

    def __init__(self, now: Callable[[], datetime] | None = None, *, page_size: int = 4) -> None:
        self.page_size = page_size
        self.contract = Contract()
        self.clock = MONDAY
        self._now = now
        self.home = Organisation("Bakery", uuid("tenant 1"))
        self.organisations = {self.home.tenant_id: self.home}
        self.grants: dict[str, Grant] = {}
        self.refreshes: dict[str, Refresh] = {}
        self.codes: dict[str, Grant] = {}
        self.disconnected: set[str] = set()
        self.custom_apps: set[str] = set()
        self.known_keys: dict[str, tuple[str, Response]] = {}
        self.calls: list[Call] = []
        self.running: Counter[str] = Counter()  # calls under way, by tenant
        self._lock = Lock()
        self.wrong: list[str] = []
        self.per_minute, self.per_day = 60, 5_000
        self.mood, self.slow_s = "well", 0.0
        self.problem, self.pause_s = "minute", 7
        self.lost_answers = 0
        self.app_scopes = GRANULAR
        self.redirect = REDIRECT  # the address given to Xero for this app

    # -- what a test does to it ---------------------------------------------------------------

    def now(self) -> datetime:
        return self._now() if self._now else self.clock

    def wait(self, **span: float) -> None:
        self.clock += timedelta(**span)

    def be(self, mood: str) -> None:
        """well, locked, busy, down, babbling, half (cut off), expired (tokens end early)."""
        if mood == "expired":
            for grant in self.grants.values():
                grant.ends = self.now()
            return
        self.mood = mood

    def organisation(self, name: str) -> Organisation:
        made = Organisation(name, uuid(f"tenant {name}"))
        self.organisations[made.tenant_id] = made
        return made

    def put(
        self,
        ref: str,
        changed: datetime,
        *,
        name: str = "Ana",
        cancelled: bool = False,
        to: Organisation | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Add or change a sales invoice; ``fields`` by Xero's names."""
        books = to or self.home
        contact = fields.pop("Contact", None) or self.contact(f"of {ref}", name, to=books)
        invoice = {
            "Type": "ACCREC",
            "InvoiceID": uuid(ref),
            "InvoiceNumber": f"INV-{ref}",
            "Reference": "",
            "Status": "VOIDED" if cancelled else "AUTHORISED",
            "Contact": {"ContactID": contact["ContactID"], "Name": contact["Name"]},
            "Date": midnight(changed),
            "DueDate": midnight(changed + timedelta(days=1)),
            "LineAmountTypes": "Inclusive",
            "LineItems": [line("Sourdough", 2, 6.5, "BREAD")],
            "CurrencyCode": "NZD",
            "SubTotal": 13.0,
            "TotalTax": 0.0,
            "Total": 13.0,
            "AmountDue": 0.0 if cancelled else 13.0,
            "AmountPaid": 0.0,
            "HasAttachments": False,
            **fields,
        }
        books.invoices[invoice["InvoiceID"]] = invoice
        self._touch(books, invoice["InvoiceID"], changed)
        return invoice

    def quote(
        self, ref: str, changed: datetime, *, to: Organisation | None = None, **fields: Any
    ) -> dict[str, Any]:
        books = to or self.home
        contact = self.contact(f"of {ref}", fields.pop("name", "Ana"), to=books)
        quote = {
            "QuoteID": uuid(ref),
            "QuoteNumber": f"QU-{ref}",
            "Status": "ACCEPTED",
            "Contact": {"ContactID": contact["ContactID"], "Name": contact["Name"]},
            "Date": midnight(changed),
            "ExpiryDate": midnight(changed + timedelta(days=2)),
            "LineItems": [line("Cake", 1, 30.0, "CAKE")],
            "CurrencyCode": "NZD",
            "Total": 30.0,
            "LineAmountTypes": "INCLUSIVE",
            **fields,
        }
        books.quotes[quote["QuoteID"]] = quote
        self._touch(books, quote["QuoteID"], changed)
        return quote

    def contact(
        self, ref: str, name: str = "Ana", *, to: Organisation | None = None, **fields: Any
    ) -> dict[str, Any]:
        contact = {
            "ContactID": uuid(f"contact {ref}"),
            "ContactStatus": "ACTIVE",
            "Name": name,
            "EmailAddress": "ana@example.com",
            "Addresses": [
                {
                    "AddressType": "STREET",
                    "AddressLine1": "1 High St",
                    "City": "Wellington",
                    "PostalCode": "6011",
                    "Country": "New Zealand",
                },
                {"AddressType": "POBOX", "City": "", "Region": "", "PostalCode": "", "Country": ""},
            ],
            "Phones": [phone("MOBILE", "555 0101", "21", "64"), phone("FAX", "1", "", "")],
            "ContactGroups": [],
            "ContactPersons": [],
            "UpdatedDateUTC": ms(MONDAY),
            **fields,
        }
        (to or self.home).contacts[contact["ContactID"]] = contact
        return contact

    def spoil(self, ref: str, changed: datetime) -> None:
        nowhere = self.contact(f"of {ref}", "Nobody", Addresses=[])
        self.put(ref, changed, Contact=nowhere)

    def ref_of(self, ref: str) -> str:
        return uuid(ref)

    def tokens(self, *tenants: str, scopes: Iterable[str] = GRANULAR) -> dict[str, str]:
        """What somebody who signed in holds, as the hub keeps it."""
        made = self._issue(list(tenants) or [self.home.tenant_id], set(scopes))
        ends = self.now() + LIFE
        return {
            "access_token": made["access_token"],
            "refresh_token": made["refresh_token"],
            "expires_at": ends.isoformat(),
        }

    def consent(self, url: str, *tenants: str, allow: bool = True) -> dict[str, str]:
        """Sign in at ``url`` and decide; what comes back in the query of the redirect."""
        at = urlsplit(url)
        client = Client(self)
        page = client.get(f"{at.path}?{at.query}", base_url=f"{at.scheme}://{at.netloc}")
        assert page.status_code == 200, page.get_data(as_text=True)
        chosen = list(tenants) or [self.home.tenant_id]
        form = {"decision": "allow" if allow else "cancel", "tenant": chosen}
        back = client.post(f"{at.path}?{at.query}", data=form)
        assert back.status_code == 302
        return {k: v[0] for k, v in parse_qs(urlsplit(back.headers["Location"]).query).items()}

    def webhook(
        self,
        *refs: str,
        tenant_id: str = "",
        category: str = "INVOICE",
        key: str = "",
        at: datetime | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a call; repeat it, or send two in the wrong order, as Xero may."""
        tenant = tenant_id or self.home.tenant_id
        events = [
            {
                "resourceUrl": f"https://api.xero.com{API}/Invoices/{uuid(ref)}",
                "resourceId": uuid(ref),
                "tenantId": tenant,
                "tenantType": "ORGANISATION",
                "eventCategory": category,
                "eventType": "UPDATE",
                "eventDateUtc": (at or self.now()).strftime("%Y-%m-%dT%H:%M:%S.000"),
            }
            for ref in refs
        ]
        call = {"events": events, "firstEventSequence": 1, "lastEventSequence": max(1, len(events))}
        call["entropy"] = uuid4().hex.upper()
        self.contract.hold_webhook(call)
        body = json.dumps(call).encode()
        signature = b64encode(digest((key or self.webhook_key).encode(), body, "sha256")).decode()
        return {"x-xero-signature": signature, "content-type": "application/json"}, body

    def notes(self, ref: str) -> list[str]:
        found = [h for o in self.organisations.values() for h in o.history.get(uuid(ref), ())]
        return [entry["Details"] for entry in found if entry["Changes"] == "Note"]

    def files(self, ref: str) -> dict[str, tuple[bytes, bool]]:
        return {
            n: f for o in self.organisations.values() for n, f in o.files.get(uuid(ref), {}).items()
        }

    def forget_keys(self) -> None:
        """Xero keeps idempotency keys for a while only."""
        self.known_keys.clear()

    def use_up(self, *, minute: int = 0, day: int = 0) -> None:
        """So many calls were made of this minute, or of this day but not of this minute."""
        self.home.calls.extend([self.now() - timedelta(hours=2)] * day)
        self.home.calls.extend([self.now()] * minute)

    def asked(self, part: str, method: str = "GET") -> list[Call]:
        return [c for c in self.calls if c.path.startswith(f"{API}/{part}") and c.method == method]

    # -- what it answers ----------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        request.get_data()  # a form that is read first leaves nothing to look at
        response = self._answer(request)
        self.calls.append(_call(request, response))
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if self.mood == "down":
            return Response("oops", 503)
        if self.mood == "babbling":
            return Response("<html>Xero is taking a break</html>", 200, mimetype="text/html")
        try:
            response = self._under_way(request)
        except Refusal as refusal:
            response = refusal.response
        if self.lost_answers and request.method in ("PUT", "POST"):
            self.lost_answers -= 1
            return Response("Gateway timeout", 504)
        if self.mood == "half":
            whole = response.get_data()
            cut = Response(whole[: len(whole) // 2], response.status_code, response.headers)
            cut.headers["Content-Length"] = str(len(whole))
            return cut
        return response

    def _under_way(self, request: Request) -> Response:
        tenant = request.headers.get("xero-tenant-id", "")
        with self._lock:
            self.running[tenant] += 1
        try:
            if self.slow_s:
                time.sleep(self.slow_s)
            with self._lock:
                return self._route(request)
        finally:
            with self._lock:
                self.running[tenant] -= 1

    def _route(self, request: Request) -> Response:
        match request.path:
            case "/identity/connect/authorize":
                return self._authorize(request)
            case "/connect/token":
                return self._token(request)
        if self.mood == "busy":
            self._pause(self.problem, self.pause_s)
        grant = self._granted(request)
        if request.path.startswith("/connections"):
            return self._connections(request, grant)
        if not request.path.startswith(API):
            raise Refusal(404, {"Message": "no such address"})
        books = self._books(request, grant)
        self._count(books)
        try:
            tenant_id = books.tenant_id if grant.custom else ""
            if wrong := self.contract.complaint(request, tenant_id):
                raise self._invalid(f"{request.method} {request.path}: {wrong}")
            response = self._in_books(request, books, grant)
        except Refusal as refusal:
            response = refusal.response
        self.contract.hold(request, response)
        return self._with_limits(response, books)

    def _granted(self, request: Request) -> Grant:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        grant = self.grants.get(token)
        if grant is None or self.mood == "locked":
            raise Refusal(401, _problem("Unauthorized", 401, "TokenInvalidSignature"))
        if grant.ends <= self.now():
            raise Refusal(401, _problem("Unauthorized", 401, "TokenExpired: token expired"))
        return grant

    def _books(self, request: Request, grant: Grant) -> Organisation:
        tenant = request.headers.get("xero-tenant-id", "")
        if grant.custom and not tenant:
            tenant = grant.tenants[0]
        if tenant not in grant.tenants or tenant in self.disconnected:
            raise Refusal(403, _problem("Forbidden", 403, "AuthenticationUnsuccessful"))
        return self.organisations[tenant]

    def _count(self, books: Organisation) -> None:
        now = self.now()
        while books.calls and books.calls[0] <= now - timedelta(days=1):
            books.calls.popleft()
        minute = [at for at in books.calls if at > now - timedelta(minutes=1)]
        if len(books.calls) >= self.per_day:
            self._pause("day", round((books.calls[0] + timedelta(days=1) - now).total_seconds()))
        if len(minute) >= self.per_minute:
            self._pause("minute", round((minute[0] + timedelta(minutes=1) - now).total_seconds()))
        if self.running[books.tenant_id] > 5:
            self._pause("concurrent", 1)
        books.calls.append(now)

    def _pause(self, problem: str, seconds: int) -> None:
        raise Refusal(
            429, {"Message": "slow down"}, Retry_After=str(seconds), X_Rate_Limit_Problem=problem
        )

    def _with_limits(self, response: Response, books: Organisation) -> Response:
        minute = [at for at in books.calls if at > self.now() - timedelta(minutes=1)]
        response.headers["X-MinLimit-Remaining"] = str(self.per_minute - len(minute))
        response.headers["X-DayLimit-Remaining"] = str(self.per_day - len(books.calls))
        response.headers["X-AppMinLimit-Remaining"] = "9999"
        return response

    def _invalid(self, message: str) -> Refusal:
        self.wrong.append(message)
        return _validation(message)

    # -- signing in ---------------------------------------------------------------------------

    def _authorize(self, request: Request) -> Response:
        asked = request.args
        scopes = set(asked.get("scope", "").split())
        if asked.get("client_id") != self.client_id or asked.get("redirect_uri") != self.redirect:
            return Response("unauthorized_client", 400)
        if asked.get("response_type") != "code" or not scopes <= self.app_scopes:
            return Response("invalid_scope", 400)
        if request.method == "GET":
            return Response(self._consent_page(), mimetype="text/html")
        if request.form["decision"] != "allow":
            back = {"error": "access_denied", "state": asked["state"]}
        else:
            code = uuid4().hex
            tenants = request.form.getlist("tenant")
            self.disconnected -= set(tenants)
            self.codes[code] = Grant(tenants, scopes, self.now() + timedelta(minutes=5))
            back = {"code": code, "state": asked["state"], "scope": asked["scope"]}
        return Response("", 302, {"Location": f"{self.redirect}?{urlencode(back)}"})

    def _consent_page(self) -> str:
        options = "".join(
            f'<option value="{one.tenant_id}"{" selected" if one is self.home else ""}>'
            f"{escape(one.name)}</option>"
            for one in self.organisations.values()
        )
        return (
            "<!doctype html><title>Xero</title><form method=post><label>Organisation"
            f" <select name=tenant multiple>{options}</select></label>"
            "<button name=decision value=allow>Allow access</button>"
            "<button name=decision value=cancel>Cancel</button></form>"
        )

    def _token(self, request: Request) -> Response:
        if self.mood == "busy":
            self._pause(self.problem, self.pause_s)
        basic = request.headers.get("Authorization", "").removeprefix("Basic ")
        client_id, _, secret = b64decode(basic).decode().partition(":")
        if (client_id, secret) != (self.client_id, self.secret):
            raise Refusal(400, {"error": "invalid_client"})
        form = request.form
        match form.get("grant_type"):
            case "client_credentials":
                if client_id not in self.custom_apps:
                    raise Refusal(400, {"error": "unauthorized_client"})
                made = self._issue([self.home.tenant_id], set(self.app_scopes), custom=True)
                return _json(made)
            case "authorization_code":
                grant = self.codes.pop(form.get("code", ""), None)
                if (
                    grant is None
                    or grant.ends < self.now()
                    or form["redirect_uri"] != self.redirect
                ):
                    raise Refusal(400, {"error": "invalid_grant"})
                return _json(self._issue(grant.tenants, grant.scopes))
            case "refresh_token":
                return _json(self._refreshed(form.get("refresh_token", "")))
        raise Refusal(400, {"error": "unsupported_grant_type"})

    def _refreshed(self, token: str) -> dict[str, Any]:
        held = self.refreshes.get(token)
        now = self.now()
        if held is None or self.mood == "locked" or now > held.made + UNUSED_FOR:
            raise Refusal(400, {"error": "invalid_grant"})
        if held.used and now > held.used + GRACE:
            raise Refusal(400, {"error": "invalid_grant"})
        held.used = held.used or now
        return self._issue(held.grant.tenants, held.grant.scopes)

    def _issue(
        self, tenants: list[str], scopes: set[str], *, custom: bool = False
    ) -> dict[str, Any]:
        access, now = f"access-{uuid4().hex}", self.now()
        grant = Grant(tenants, scopes, now + LIFE, custom)
        self.grants[access] = grant
        made: dict[str, Any] = {
            "access_token": access,
            "expires_in": round(LIFE.total_seconds()),
            "token_type": "Bearer",
            "scope": " ".join(sorted(scopes)),
        }
        if not custom and "offline_access" in scopes:
            made["refresh_token"] = f"refresh-{uuid4().hex}"
            self.refreshes[made["refresh_token"]] = Refresh(grant, now)
        return made

    def _connections(self, request: Request, grant: Grant) -> Response:
        if wrong := self.contract.complaint(request):
            raise self._invalid(f"{request.method} {request.path}: {wrong}")
        reached = [self.organisations[t] for t in grant.tenants if t not in self.disconnected]
        if request.method == "DELETE":
            gone = next((o for o in reached if request.path.endswith(o.connection_id)), None)
            if gone is None:
                return Response("", 404)
            self.disconnected.add(gone.tenant_id)
            return Response("", 204)
        response = _json(
            [
                {
                    "id": one.connection_id,
                    "tenantId": one.tenant_id,
                    "tenantType": "ORGANISATION",
                    "tenantName": one.name,
                    "createdDateUtc": "2019-12-07T18:46:19.5165400",
                    "updatedDateUtc": "2019-12-07T18:46:19.5187840",
                }
                for one in reached
            ]
        )
        self.contract.hold(request, response)
        return response

    # -- the books ----------------------------------------------------------------------------

    def _in_books(self, request: Request, books: Organisation, grant: Grant) -> Response:
        part, *rest = request.path.removeprefix(f"{API}/").split("/")
        area = "Attachments" if "Attachments" in rest else part
        if not grant.scopes & SCOPES[area]:
            raise Refusal(401, _problem("Unauthorized", 401, "AuthorizationUnsuccessful"))
        if request.method != "GET":
            return self._once(request, lambda: self._write(request, books, part, rest))
        match part, rest:
            case "Organisation", []:
                return _json({"Organisations": [self._organisation(books)]})
            case "Contacts", []:
                return _json(self._contacts(request, books))
            case (("Invoices" | "Quotes"), []):
                return _json(self._list(request, books, part))
            case _, [ref]:
                return _json({part: [self._shown(books, self._existing(books, part, ref), True)]})
            case _, [ref, "History"]:
                self._existing(books, part, ref)
                return _json({"HistoryRecords": books.history.get(ref, [])})
            case _, [ref, "Attachments"]:
                self._existing(books, part, ref)
                return _json({"Attachments": self._attachments(books, part, ref)})
        raise Refusal(404, {"Message": "no such address"})

    def _existing(self, books: Organisation, part: str, ref: str) -> dict[str, Any]:
        found = books.papers(part).get(ref)
        if found is None:
            raise Refusal(404, _problem("Not found", 404, "The resource cannot be found"))
        return found

    def _organisation(self, books: Organisation) -> dict[str, Any]:
        return {
            "OrganisationID": books.tenant_id,
            "Name": books.name,
            "CountryCode": "NZ",
            "BaseCurrency": "NZD",
            "Timezone": "NEWZEALANDSTANDARDTIME",
        }

    def _list(self, request: Request, books: Organisation, part: str) -> dict[str, Any]:
        args = request.args
        found = [p for p in books.papers(part).values() if self._fits(request, books, part, p)]
        order = args.get("order", "UpdatedDateUTC ASC")
        if order not in ("UpdatedDateUTC ASC", "UpdatedDateUTC DESC"):
            raise self._invalid(f"unknown order {order}")
        id_name = "InvoiceID" if part == "Invoices" else "QuoteID"
        found.sort(
            key=lambda p: (books.changed[p[id_name]], p[id_name]), reverse=order.endswith("DESC")
        )
        if part == "Quotes":
            start = (int(args.get("page", 1)) - 1) * 100
            return {"Quotes": [self._shown(books, p, True) for p in found[start : start + 100]]}
        return _paged(
            "Invoices", [self._shown(books, p, "page" in args) for p in found], args, self.page_size
        )

    def _fits(
        self, request: Request, books: Organisation, part: str, paper: dict[str, Any]
    ) -> bool:
        args = request.args
        id_name = "InvoiceID" if part == "Invoices" else "QuoteID"
        since = request.headers.get("If-Modified-Since")
        if since and books.changed[paper[id_name]] <= datetime.fromisoformat(since + "+00:00"):
            return False  # it may mean "at or after"; the harder reading is played
        issued = datetime.fromtimestamp(int(paper["Date"][6:19]) / 1000, UTC)
        if "DateFrom" in args and issued.date().isoformat() < args["DateFrom"]:
            return False
        tests = {
            "IDs": paper[id_name],
            "InvoiceNumbers": paper.get("InvoiceNumber"),
            "ContactIDs": paper["Contact"]["ContactID"],
            "Statuses": paper["Status"],
        }
        if any(n in args and value not in args[n].split(",") for n, value in tests.items()):
            return False
        text = f"{paper.get('InvoiceNumber')} {paper.get('Reference')}".lower()
        if args.get("searchTerm", "").lower() not in text:
            return False
        return all(self._where(clause, paper, issued) for clause in _clauses(args.get("where", "")))

    def _where(self, clause: str, paper: dict[str, Any], issued: datetime) -> bool:
        if match := re.fullmatch(r'Type=="(\w+)"', clause):
            return bool(paper["Type"] == match[1])
        if match := re.fullmatch(r"Date>=DateTime\((\d{4}),(\d\d?),(\d\d?)\)", clause):
            return issued >= datetime(*map(int, match.groups()), tzinfo=UTC)  # type: ignore[arg-type]
        raise self._invalid(f"You are not filtering Invoices efficiently: {clause}")

    def _contacts(self, request: Request, books: Organisation) -> dict[str, Any]:
        args, found = request.args, list(books.contacts.values())
        if "IDs" in args:
            wanted = args["IDs"].split(",")
            if len(request.url) > 2_500:
                raise self._invalid("the address is too long")
            found = [c for c in found if c["ContactID"] in wanted]
        if args.get("includeArchived") != "true":
            found = [c for c in found if c["ContactStatus"] == "ACTIVE"]
        if term := args.get("searchTerm", "").lower():
            found = [c for c in found if term in f"{c['Name']} {c['EmailAddress']}".lower()]
        return _paged("Contacts", found, args, 100)

    def _shown(
        self, books: Organisation, paper: dict[str, Any], with_lines: bool
    ) -> dict[str, Any]:
        """As Xero sends it: with no more of the contact than its name."""
        who = {**paper["Contact"], "Addresses": [], "Phones": [], "ContactGroups": []}
        shown = {**paper, "Contact": who}
        if not with_lines:
            shown["LineItems"] = []
        return shown

    def _attachments(self, books: Organisation, part: str, ref: str) -> list[dict[str, Any]]:
        return [
            {
                "AttachmentID": uuid(f"{ref} {name}"),
                "FileName": name,
                "Url": f"https://api.xero.com{API}/{part}/{ref}/Attachments/{name}",
                "MimeType": "application/pdf",
                "ContentLength": len(content),
                "IncludeOnline": online,
            }
            for name, (content, online) in books.files.get(ref, {}).items()
        ]

    def _once(self, request: Request, write: Callable[[], Response]) -> Response:
        """A key seen before gets its first answer again, and an error for another body."""
        key = request.headers.get("Idempotency-Key", "")
        if not 0 < len(key) <= 128:
            raise self._invalid("a write without an idempotency key")
        same = f"{request.method} {request.full_path} {hash(request.get_data())}"
        known = self.known_keys.get(key)
        if known is not None:
            if known[0] != same:
                raise self._invalid("this idempotency key belongs to another request")
            return known[1]
        response = write()
        self.known_keys[key] = (same, response)
        return response

    def _write(self, request: Request, books: Organisation, part: str, rest: list[str]) -> Response:
        ref = rest[0]
        paper = self._existing(books, part, ref)
        if ref in books.locked:
            raise _validation("The document date cannot be before the period lock date")
        match request.method, rest[1:]:
            case "PUT", ["History"]:
                return self._note(request, books, ref)
            case "PUT", ["Attachments", name]:
                return self._attach(request, books, part, ref, name)
            case "POST", []:
                changes = request.get_json()["Invoices"]
                if changes != [{"SentToContact": True}]:
                    raise self._invalid(f"touches more than the mark Sent: {changes}")
                if paper["Status"] not in ("AUTHORISED", "PAID"):
                    raise _validation("Only approved invoices can be marked as sent")
                paper["SentToContact"] = True
                self._touch(books, ref, self.now())
                return _json({"Invoices": [self._shown(books, paper, True)]})
        raise self._invalid(f"{request.method} {request.path} is not for the hub")

    def _note(self, request: Request, books: Organisation, ref: str) -> Response:
        [given] = request.get_json()["HistoryRecords"]
        if set(given) != {"Details"} or not 0 < len(given["Details"]) <= 250:
            raise self._invalid(f"a note has at most 250 letters: {given}")
        self._happened(books, ref, "Note", given["Details"])
        return _json({"HistoryRecords": [{"Details": given["Details"], "DateUTC": ms(self.now())}]})

    def _attach(
        self, request: Request, books: Organisation, part: str, ref: str, name: str
    ) -> Response:
        content, there = request.get_data(), books.files.setdefault(ref, {})
        if not content or len(content) > 10 * 1024**2:
            raise self._invalid("a file has at most 10 MB")
        if re.search(r'[<>:"/\\|?*\[\]{}]', name):
            raise self._invalid(f"a file cannot be called {name}")
        if name not in there and len(there) >= 10:
            raise self._invalid("a document has at most 10 attachments")
        there[name] = (content, request.args.get("IncludeOnline") == "true")
        books.papers(part)[ref]["HasAttachments"] = True
        self._happened(books, ref, "Attached a file", f"Attached the file {name}")
        self._touch(books, ref, self.now())
        shown = [a for a in self._attachments(books, part, ref) if a["FileName"] == name]
        return _json({"Attachments": shown})

    def _happened(self, books: Organisation, ref: str, change: str, details: str) -> None:
        books.history.setdefault(ref, []).append(
            {
                "Changes": change,
                "DateUTC": ms(self.now()),
                "User": "System Generated",
                "Details": details,
            }
        )

    def _touch(self, books: Organisation, ref: str, at: datetime) -> None:
        paper = books.invoices.get(ref) or books.quotes[ref]
        paper["UpdatedDateUTC"] = ms(at)
        books.changed[ref] = at


def line(title: str, quantity: float, price: float, code: str = "") -> dict[str, Any]:
    made = {"Description": title, "Quantity": quantity, "UnitAmount": price}
    made["LineAmount"] = quantity * price
    return {**made, "ItemCode": code} if code else made


def phone(kind: str, number: str, area: str = "", country: str = "") -> dict[str, str]:
    return {
        "PhoneType": kind,
        "PhoneNumber": number,
        "PhoneAreaCode": area,
        "PhoneCountryCode": country,
    }


def _clauses(where: str) -> list[str]:
    return [clause.strip() for clause in where.split(" AND ") if clause.strip()]


def _paged(name: str, found: list[Any], args: Any, most: int) -> dict[str, Any]:
    if "page" not in args:
        return {name: found}
    page, size = int(args["page"]), min(int(args.get("pageSize", 100)), most)
    return {
        "pagination": {
            "page": page,
            "pageSize": size,
            "pageCount": max(1, -(-len(found) // size)),
            "itemCount": len(found),
        },
        name: found[(page - 1) * size : page * size],
    }


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")


def _problem(title: str, status: int, detail: str) -> dict[str, Any]:
    return {"Type": None, "Title": title, "Status": status, "Detail": detail}


def _validation(message: str) -> Refusal:
    return Refusal(
        400,
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": [{"ValidationErrors": [{"Message": message}]}],
        },
    )


def _call(request: Request, response: Response) -> Call:
    return Call(
        request.method,
        request.path,
        dict(request.args),
        {name.lower(): value for name, value in request.headers.items()},
        request.get_data(),
        response.status_code,
    )
