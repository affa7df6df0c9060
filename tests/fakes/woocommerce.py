"""A WooCommerce store in memory: its REST API wc/v3, its approval page, its webhooks.

It behaves as a real 10.9.1 was measured to on 2026-11-22, and holds each request and each answer
against that version's own schemas. What a real store would let pass although it is a mistake of
the caller's is kept in ``mistakes``.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from time import sleep
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from werkzeug.wrappers import Request, Response

from tests.fakes.woocommerce_rest import No, Rest
from tests.fakes.woocommerce_schemas import Wrong, answered, sample
from tests.fakes.woocommerce_state import KEY, SECRET, Call, Mood

__all__ = ["KEY", "SECRET", "Call", "Store", "many"]
PAGE = "<!DOCTYPE html><html><head><title>Bakery</title></head><body>Fresh bread</body></html>"


class Store(Rest):
    """A WSGI app, and what people do in the store as methods."""

    # What people do in the store -------------------------------------------------------------

    def place(self, *, at: datetime | None = None, **fields: Any) -> int:
        """A new order; ``fields`` as in the REST API, over the sample order."""
        number = self._next_id()
        self.now = max(self.now, at or self.now)
        row = {**sample("sample-order-wc10.9.1.json"), "id": number, "meta_data": []}
        row |= {"number": str(number), "status": "processing"}
        self.orders[number] = row
        self._dated(row, "date_created", at or self.now)
        self._dated(row, "date_paid", at or self.now)
        self._alter(row, fields, at or self.now)
        self._ring("order.created", number)
        self._ring("order.updated", number)
        return number

    def change(self, number: int, *, at: datetime | None = None, **fields: Any) -> None:
        self.now = max(self.now, at or self.now + timedelta(seconds=1))
        self._alter(self.orders[number], fields, at or self.now)
        self._ring("order.updated", number)

    def trash(self, number: int, *, at: datetime | None = None) -> None:
        """It keeps its number and is changed (OrdersTableDataStore::trash_order)."""
        self.now = max(self.now, at or self.now + timedelta(seconds=1))
        self._alter(self.orders[number], {"status": "trash"}, at or self.now)
        self._ring("order.deleted", number)

    def restore(self, number: int) -> None:
        self.now += timedelta(seconds=1)
        self._alter(self.orders[number], {"status": "processing"}, self.now)
        self._ring("order.restored", number)

    def delete(self, number: int) -> None:
        """For good."""
        del self.orders[number]

    def product(self, *, weight: str = "", number: int = 0, of: int = 0, **fields: Any) -> int:
        """A product, or with ``of`` a variation of one."""
        number = number or self._next_id()
        row = {**deepcopy(sample("sample-product.json")), "id": number, "weight": weight, **fields}
        answered("products", row)
        (self.variations.setdefault(of, {}) if of else self.products)[number] = row
        return number

    def approve(self, address: str) -> tuple[Call, str]:
        """The owner says yes: what the store posts, and where it sends him afterwards."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        body = {
            "key_id": 2,
            "user_id": query["user_id"],
            "consumer_key": self.key,
            "consumer_secret": self.secret,
            "key_permissions": query["scope"],
        }
        back = urlencode({"success": 1, "user_id": query["user_id"]})
        joint = "&" if "?" in query["return_url"] else "?"
        headers = {"content-type": "application/json;charset=utf-8"}
        call = Call(0, query["callback_url"], headers, json.dumps(body).encode())
        return call, f"{query['return_url']}{joint}{back}"

    # What a kit for order sources asks of a shop ------------------------------------------------

    def put(
        self, ref: str, changed: datetime, *, name: str = "Ana", cancelled: bool = False
    ) -> None:
        person = {"first_name": name, "last_name": "", "address_1": "1 High St", "city": "Leeds"}
        fields = {
            "status": "cancelled" if cancelled else "processing",
            "billing": {**person, "email": "ana@example.test"},
            "shipping": person,
        }
        if ref in self._refs:
            self.change(self._refs[ref], at=changed, **fields)
        else:
            self._refs[ref] = self.place(at=changed, **fields)

    def spoil(self, ref: str, changed: datetime) -> None:
        nowhere = dict.fromkeys(("address_1", "address_2", "city", "state", "postcode"), "")
        self._refs[ref] = self.place(at=changed, billing=nowhere, shipping=nowhere)

    def ref_of(self, ref: str) -> str:
        return str(self._refs[ref])

    def be(self, mood: Mood) -> None:
        self.mood = mood

    # The program ---------------------------------------------------------------------------------

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        sleep(self.slow_s)
        if self.moved_to:
            return Response(status=301, headers={"Location": self.moved_to + request.full_path})
        match self.mood:
            case "busy":
                return Response("slow down", 429, {"Retry-After": "7"})
            case "down":
                return Response("There has been a critical error on this website.", 500)
            case "babbling":
                return Response(PAGE, 200, content_type="text/html")
            case "hanging up":
                raise requests.ConnectionError("hung up")
        if request.path.startswith("/wc-auth/v1/"):
            return self._approval(request)
        try:
            document, headers = self._rest(request)
        except No as no:
            return self._said(request, no.document, no.status, {})
        except Wrong as wrong:
            said = f"Invalid parameter(s): {wrong.name}"
            no = No(400, "rest_invalid_param", said, params={wrong.name: wrong.why})
            return self._said(request, no.document, 400, {})
        except AssertionError as mistake:
            self.mistakes.append(str(mistake))
            return self._said(request, {"code": "mistake", "message": str(mistake)}, 400, {})
        if document is None:
            return Response(PAGE, 404, content_type="text/html")
        done = f"{request.method} {request.path.rstrip('/').rpartition('/')[2]}"
        if done in self.cut_off:
            self.cut_off.remove(done)
            return Response("", 502)
        status = 201 if request.method == "POST" and "batch" not in request.path else 200
        return self._said(request, document, status, headers)

    def _said(
        self, request: Request, document: Any, status: int, headers: Mapping[str, str]
    ) -> Response:
        body = json.dumps(document).encode()
        if self.mood == "half":
            body = body[: len(body) // 2]
        sent = {
            "Content-Type": "application/json; charset=UTF-8",
            "Date": f"{self.now:%a, %d %b %Y %H:%M:%S} GMT",
            "Link": f'<{request.url}>; rel="next"',  # repeats keys and signature, as the real one
            **headers,
        }
        return Response(body, status, sent)

    def _approval(self, request: Request) -> Response:
        query = request.args
        known = {"app_name", "scope", "user_id", "return_url", "callback_url"}
        if missing := known - query.keys():
            return _page(401, f"Missing parameter {sorted(missing)[0]}")
        if query["scope"] not in ("read", "write", "read_write"):
            return _page(401, f"Invalid scope {query['scope']}")
        if not query["callback_url"].startswith("https://"):
            return _page(401, "The callback_url needs to be over SSL")
        if request.path.endswith("/authorize"):
            words = urlencode(query.to_dict())
            yes = f"/wc-auth/v1/access_granted/?{words}"
            joint = "&" if "?" in query["return_url"] else "?"
            no = f"{query['return_url']}{joint}success=0&user_id={query['user_id']}"
            links = f'<a href="{html.escape(yes)}">Approve</a> <a href="{html.escape(no)}">Deny</a>'
            return Response(
                f"<h1>{html.escape(query['app_name'])}</h1>{links}", 200, content_type="text/html"
            )
        call, back = self.approve(request.url)
        if self.post(call.url, data=call.body, headers=call.headers, timeout=60).status_code != 200:
            return _page(
                401,
                "An error occurred in the request and at the time were unable to send the consumer data",
            )
        return Response(status=302, headers={"Location": back})


def _page(status: int, text: str) -> Response:
    return Response(f"<h1>Error</h1><p>{html.escape(text)}</p>", status, content_type="text/html")


def many(store: Store, count: int, start: datetime) -> Iterator[int]:
    """``count`` orders, one a second."""
    for n in range(count):
        yield store.place(at=start + timedelta(seconds=n))
