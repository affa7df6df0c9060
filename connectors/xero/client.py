"""Xero's addresses and its SDK, known to this module alone.

``xero-python`` knows the paths, parameters and bodies; three of its habits are kept out
(xero-python 15.2.0, read and run 2026-11):

- Its ``Configuration`` is a copy of one that the process shares, so a token in it can turn up
  in another business's calls. Ours never holds one: ``Sender`` adds the token to each request.
- It sends by a pool of its own, without timeouts and to any address. ``Sender`` sends by
  ``tools.http``.
- Its models refuse a whole list for one null date or new currency and read a null text as
  ``"None"``. So records are read as they came; models are used for what is written.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import batched
from typing import Any
from urllib.parse import urlencode

import requests
from xero_python.accounting import (  # type: ignore[import-untyped]
    AccountingApi,
    HistoryRecord,
    HistoryRecords,
    Invoice,
    Invoices,
)
from xero_python.api_client import ApiClient  # type: ignore[import-untyped]
from xero_python.api_client.configuration import Configuration  # type: ignore[import-untyped]

from connectors.xero.limits import Allowance
from connectors.xero.mapping import Paper, Record
from connectors.xero.replies import RECONNECT, Gone, demand, document, records
from connectors.xero.sender import Sender, send
from connectors.xero.tokens import Access
from hub import AuthError, Tools, Unavailable

API = "https://api.xero.com"
AUTHORIZE = "https://login.xero.com/identity/connect/authorize"
TOKEN = "https://identity.xero.com/connect/token"  # noqa: S105  (an address)
PAGE_SIZE = 250
"""Records a page; Xero allows 1,000, which are megabytes."""
QUOTES_A_PAGE = 100  # fixed, and without a word on how many pages there are (spec 16.1.0)
MOST_PAGES = 4  # of a search
IDS_AT_ONCE = 50  # they stand in the address, which should stay below 2,000 letters
_LIST: Mapping[Paper, str] = {"invoice": "Invoices", "quote": "Quotes"}


@dataclass(frozen=True, slots=True)
class Page:
    records: list[Record]
    is_last: bool


class Identity:
    """Signing in, and the tokens that come of it."""

    def __init__(self, tools: Tools, client_id: str, client_secret: str) -> None:
        self._http = tools.http
        self._client_id = client_id
        self._basic = b64encode(f"{client_id}:{client_secret}".encode()).decode()

    def authorize_url(self, state: str, redirect: str, scopes: str) -> str:
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect,
            "scope": scopes,
            "state": state,
        }
        return f"{AUTHORIZE}?{urlencode(asked)}"

    def tokens(self, **grant: str) -> Mapping[str, Any]:
        """The token endpoint's answer. Raises ``AuthError`` in words for what it refuses."""
        reply = send(
            self._http, "POST", TOKEN, data=grant, headers={"Authorization": f"Basic {self._basic}"}
        )
        if reply.status_code in (400, 401, 403):
            raise _no_token(reply, grant["grant_type"])
        demand(reply)
        return document(reply)


class XeroClient:
    """One organisation's books, one call after the other. ``tenant_id`` is empty for a custom
    connection, whose token is good for one organisation only."""

    def __init__(
        self, tools: Tools, access: Access, tenant_id: str, allowance: Allowance, *, writes: bool
    ) -> None:
        self._tenant_id = tenant_id
        self._sender = Sender(tools, access, allowance, writes=writes)
        configuration = Configuration()
        configuration.oauth2_token = _InNoConfiguration()
        sdk = ApiClient(configuration)
        sdk.rest_client = self._sender
        self._api = AccountingApi(sdk)

    def organisation(self) -> Record:
        found = records(self._call("get_organisations"), "Organisations")
        if not found:
            raise Unavailable("Xero gave no usable answer.")
        return found[0]

    def invoices(
        self,
        *,
        since: datetime | None,
        issued_from: date | None,
        statuses: Sequence[str],
        page: int,
    ) -> Page:
        """Sales invoices changed since (UTC), oldest change first, with their lines.

        Xero reads a time without a zone as UTC, to the second, and sends lines only where a
        page is asked for (github.com/XeroAPI/xero-node/issues/200).
        """
        where = 'Type=="ACCREC"'
        if issued_from:
            where += f" AND Date>=DateTime({issued_from:%Y,%m,%d})"
        reply = self._call(
            "get_invoices",
            where=where,
            statuses=list(statuses),
            order="UpdatedDateUTC ASC",
            page=page,
            page_size=PAGE_SIZE,
            unitdp=4,
            **_modified(since),
        )
        return _page(reply, "invoice", page)

    def quotes(self, *, since: datetime | None, issued_from: date | None, page: int) -> Page:
        """As ``invoices``, of every status: the list takes one at most."""
        issued = {"date_from": issued_from} if issued_from else {}
        reply = self._call(
            "get_quotes", order="UpdatedDateUTC ASC", page=page, **issued, **_modified(since)
        )
        return _page(reply, "quote", page)

    def paper(self, paper: Paper, ref: str) -> Record | None:
        """``None`` when the organisation has none of that id."""
        try:
            found = records(self._call(f"get_{paper}", ref), _LIST[paper])
        except Gone:
            return None
        return found[0] if found else None

    def contacts(self, ids: Sequence[str]) -> Iterator[Record]:
        """In full, archived ones too: whoever was archived may still get a delivery."""
        for some in batched(ids, IDS_AT_ONCE):
            reply = self._call(
                "get_contacts",
                i_ds=list(some),
                include_archived="true",
                page=1,
                page_size=IDS_AT_ONCE,
            )
            yield from records(reply, "Contacts")

    def contacts_like(self, text: str) -> list[Record]:
        return records(
            self._call("get_contacts", search_term=text, page=1, page_size=50), "Contacts"
        )

    def invoices_numbered(self, numbers: Sequence[str]) -> list[Record]:
        return self._found(invoice_numbers=list(numbers))

    def invoices_mentioning(self, text: str) -> list[Record]:
        """Whose number, reference or other text contains ``text``, in any case."""
        return self._found(search_term=text)

    def invoices_of(self, contact_ids: Sequence[str]) -> list[Record]:
        return self._found(contact_i_ds=list(contact_ids), order="UpdatedDateUTC DESC")

    def history(self, paper: Paper, ref: str) -> list[str]:
        """The texts of what happened to it and was noted on it."""
        found = records(self._call(f"get_{paper}_history", ref), "HistoryRecords")
        return [str(entry.get("Details") or "") for entry in found]

    def add_note(self, paper: Paper, ref: str, text: str, key: str) -> None:
        note = HistoryRecords(history_records=[HistoryRecord(details=text)])
        self._call(f"create_{paper}_history", ref, note, idempotency_key=key)

    def attachments(self, paper: Paper, ref: str) -> list[str]:
        found = records(self._call(f"get_{paper}_attachments", ref), "Attachments")
        return [str(entry.get("FileName") or "") for entry in found]

    def attach(
        self, paper: Paper, ref: str, name: str, content: bytes, *, online: bool, key: str
    ) -> None:
        """Overwrites a file of the same name. ``online`` exists for invoices only."""
        # The SDK would write True, where Xero's description says true.
        shown = {"include_online": "true"} if online and paper == "invoice" else {}
        self._call(
            f"create_{paper}_attachment_by_file_name",
            ref,
            name,
            content,
            idempotency_key=key,
            **shown,
        )

    def mark_sent(self, ref: str, key: str) -> None:
        # Left to itself the model also says that there are no attachments and no errors.
        only = Invoice(sent_to_contact=True, has_attachments=None, has_errors=None)
        change = Invoices(invoices=[only])
        self._call("update_invoice", ref, change, idempotency_key=key)

    def organisations(self) -> list[Record]:
        """The connections of whoever signed in: ``id``, ``tenantId``, ``tenantName``."""
        reply = self._sender.send("GET", f"{API}/connections")
        try:
            found = reply.json()
        except requests.RequestException:
            found = None
        if not isinstance(found, list):
            raise Unavailable("Xero gave no usable answer.")
        return [
            one
            for one in found
            if isinstance(one, dict) and one.get("tenantType") == "ORGANISATION"
        ]

    def disconnect(self, connection_id: str) -> None:
        self._sender.send("DELETE", f"{API}/connections/{connection_id}")

    def _found(self, **asked: Any) -> list[Record]:
        """Sales invoices. Those of the first pages: what fits more narrows nothing down."""
        found: list[Record] = []
        for number in range(1, MOST_PAGES + 1):
            reply = self._call("get_invoices", page=number, page_size=PAGE_SIZE, **asked)
            page = _page(reply, "invoice", number)
            found += page.records
            if page.is_last:
                break
        return [one for one in found if one.get("Type") == "ACCREC"]

    def _call(self, method: str, *args: Any, **kwargs: Any) -> requests.Response:
        """The SDK prepares; ``_preload_content`` off hands out the answer as ``Sender`` got it."""
        call = getattr(self._api, method)
        reply: requests.Response = call(self._tenant_id, *args, _preload_content=False, **kwargs)
        return reply


class _InNoConfiguration:
    """Tells the SDK that there is nothing to add to a request."""

    def get_auth_settings(self) -> None:
        return None


def _page(reply: requests.Response, paper: Paper, number: int) -> Page:
    if reply.status_code == 304:  # HTTP allows it for If-Modified-Since
        return Page([], is_last=True)
    found = records(reply, _LIST[paper])
    pages = (document(reply).get("pagination") or {}).get("pageCount")
    is_last = number >= pages if isinstance(pages, int) else len(found) < QUOTES_A_PAGE
    return Page(found, is_last)


def _modified(since: datetime | None) -> dict[str, datetime]:
    return {"if_modified_since": since.replace(tzinfo=None)} if since else {}


def _no_token(reply: requests.Response, grant_type: str) -> AuthError | Unavailable:
    """In words, by the error code of RFC 6749, 5.2; what else the answer says stays out."""
    try:
        code = document(reply).get("error")
    except Unavailable as error:
        return error
    match code:
        case "invalid_grant" if grant_type == "authorization_code":
            return AuthError("Xero does not accept this sign-in (any more). Sign in again.")
        case "invalid_grant":
            return AuthError(RECONNECT)
        case "invalid_client":
            return AuthError(
                "Xero does not know this client id and secret. Copy both again.",
                field="client_secret",
            )
        case "invalid_scope":
            return AuthError("Xero refuses one of these scopes for this app.", field="scopes")
        case "unauthorized_client":
            return AuthError("Xero does not let this app connect in this way.", field="way")
    return AuthError("Xero refused to let the hub in. Reconnect it under Connections.")
