"""An account at ShipStation, with both its interfaces, that behaves and misbehaves like one.

``python -m tests.fakes.shipstation`` serves it on a port.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask, Response, jsonify, request

from tests.fakes import shipstation_spec as spec
from tests.fakes.shipstation_rows import Row
from tests.fakes.shipstation_v1 import V1Pages
from tests.fakes.shipstation_v2 import V2Pages, problem

MANY = 1 << 30


class FakeShipStation:
    """``rows`` are its orders by id. What was written is in ``rows``, ``fulfillments``,
    ``hooks``; ``asked`` lists the calls. ``clock`` is when it says things changed."""

    page_size = 100
    secret = "v2Key0fTheBakery+5ecretABCDEFGHIJKLMNOPQRSTU"
    v1_key = "0123456789abcdef0123456789abcdef"
    v1_secret = "fedcba9876543210fedcba9876543210"

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.ids: dict[str, int] = {}
        self.tags: dict[str, int] = {}
        self.fulfillments: list[dict[str, Any]] = []
        self.hooks: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.stores = {2481946: "Bakery Online"}
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.plan_has_v2 = True
        self.email_verified = True
        self.per_minute = {"V1": 40, "V2": 200}
        self.seconds: Callable[[], float] = time.monotonic  # by which its minutes pass
        self.refuse_fulfillment = ""
        self.before_call: Callable[[], None] | None = None
        self._mood, self._times, self.slow_s = "well", MANY, 0.0
        self._window: dict[str, tuple[float, int]] = {}
        self._key_id, self._key = f"key-{uuid4()}", a_key(0)
        self.app = Flask("shipstation")
        self.app.testing = True  # what its files do not allow fails the test, not the call
        self.app.add_url_rule("/jwks", view_func=self._jwks)
        self.app.register_error_handler(404, lambda _: (jsonify(Message="no such page"), 404))
        V1Pages(self).add_to(self.app)
        V2Pages(self).add_to(self.app)
        self.app.before_request(self._before)
        self.app.after_request(self._after)

    # -- what the people there do

    def put(
        self, ref: str, changed: datetime, *, name: str = "Ana", cancelled: bool = False
    ) -> None:
        row = self.order(ref)
        row.changed, row.name = changed, name
        row.status = "cancelled" if cancelled else "awaiting_shipment"

    def place(self, number: str, changed: datetime, **values: Any) -> Row:
        row = self.order(number)
        row.changed = changed
        return self.change(row, changed, **values)

    def change(self, row: Row, changed: datetime | None = None, **values: Any) -> Row:
        for name, value in values.items():
            setattr(row, name, value)
        for tag in row.tags:
            self.tag_id(tag)
        row.changed = changed or self.clock()
        return row

    def order(self, number: str) -> Row:
        order_id = self.ids.setdefault(number, 394477001 + len(self.ids))
        return self.rows.setdefault(order_id, Row(order_id, number, self.clock()))

    def spoil(self, ref: str, changed: datetime) -> None:
        self.place(ref, changed, street=" ")  # the file forbids an empty text

    def ref_of(self, ref: str) -> str:
        return f"se-{self.ids[ref]}"

    def release(self, row: Row, today: date) -> None:
        """What happens by itself on the day a hold ends: nothing is modified."""
        if row.hold_until and row.hold_until <= today and row.status == "on_hold":
            row.status = "awaiting_shipment"

    def tag_id(self, tag: str) -> int:
        return self.tags.setdefault(tag, 8000 + len(self.tags))

    def fulfil(self, row: Row, tracking: str, carrier: str, at: str) -> dict[str, Any]:
        done = {
            "fulfillment_id": f"se-{16731019 + len(self.fulfillments)}",
            "id": 16731019 + len(self.fulfillments),
            "row": row,
            "tracking": tracking,
            "carrier": carrier,
            "ship_date": at,
            "voided": False,
        }
        self.fulfillments.append(done)
        self.change(row, status="shipped")
        return done

    # -- how it feels

    def be(self, mood: str, times: int = MANY) -> None:
        """``Shop``'s moods, and: half (does what is asked, the answer breaks off), slow."""
        self._mood, self._times = mood, times

    def _before(self) -> Any:
        self.asked.append(f"{request.method} {request.path}")
        if self.before_call:
            self.before_call()
        if request.path == "/jwks":
            return None
        name = "V2" if request.path.startswith("/v2") else "V1"
        mood = self._feel()
        if mood == "slow":
            time.sleep(self.slow_s)
        if mood == "down":
            return "oops", 503
        if mood == "babbling":
            return "<html>Scheduled maintenance</html>"
        if (pause := 7 if mood == "busy" else self._used_up(name)) > 0:
            return self._too_many(name, pause)
        if mood == "locked" or not self._knows_caller(name):
            return self._unwelcome(name)
        if name == "V2" and not self.plan_has_v2:
            return problem("subscription_inactive", "The plan lacks API access.", 403)
        api, host = (spec.v2(), spec.V2_HOST) if name == "V2" else (spec.v1(), spec.V1_HOST)
        if why := spec.wrong(api, request, host):
            if name == "V2":
                return problem("invalid_field_value", why, 400)
            return jsonify(Message="The request is invalid.", ExceptionMessage=why), 400
        return None

    def _feel(self) -> str:
        mood = self._mood if self._times > 0 else "well"
        self._times -= 1
        self._now_feels = mood
        return mood

    def _after(self, reply: Response) -> Response:
        if request.path == "/jwks" or not reply.is_json:
            return reply
        name = "V2" if request.path.startswith("/v2") else "V1"
        if name == "V2" and reply.status_code < 500 and reply.status_code not in (401, 403, 429):
            spec.hold(spec.v2(), request, spec.V2_HOST, reply.status_code, self._new_in(reply))
        elif name == "V1":
            if reply.status_code == 200:
                spec.hold_v1(self._new_in(reply))
            began, count = self._window.get(name, (time.monotonic(), 0))
            reply.headers["X-Rate-Limit-Limit"] = str(self.per_minute[name])
            reply.headers["X-Rate-Limit-Remaining"] = str(max(0, self.per_minute[name] - count))
            reply.headers.setdefault(
                "X-Rate-Limit-Reset", str(max(1, round(began + 60 - time.monotonic())))
            )
        if self._now_feels == "half":
            whole = reply.get_data()
            reply.set_data(whole[: len(whole) // 2])
        return reply

    def _new_in(self, reply: Response) -> Any:
        """The answer without those of its orders that were held against the file before."""
        body = reply.get_json()
        for name in ("shipments", "orders"):
            if isinstance(body, dict) and isinstance(body.get(name), list):
                seen = self.__dict__.setdefault("_held", set())
                fresh = []
                for order in body[name]:
                    shape = _shape(order)
                    if shape not in seen:
                        seen.add(shape)
                        fresh.append(order)
                body = {**body, name: fresh}
        return body

    def _knows_caller(self, name: str) -> bool:
        if name == "V2":
            return request.headers.get("API-Key") == self.secret
        who = request.authorization
        return bool(who) and (who.username, who.password) == (self.v1_key, self.v1_secret)

    def _unwelcome(self, name: str) -> Any:
        if name == "V2":
            return problem("unauthorized", "Invalid API key.", 401)
        return Response("401 Unauthorized", 401, content_type="text/plain")

    def _too_many(self, name: str, pause: float) -> Any:
        if name == "V2":
            reply, status = problem("rate_limit_exceeded", "Too many requests.", 429)
            return reply, status, {"Retry-After": str(pause)}
        return jsonify(message="Too Many Requests"), 429, {"X-Rate-Limit-Reset": str(pause)}

    def _used_up(self, name: str) -> float:
        began, count = self._window.get(name, (0.0, 0))
        now = self.seconds()
        if now - began >= 60:
            began, count = now, 0
        self._window[name] = (began, count + 1)
        return 0 if count < self.per_minute[name] else max(1, round(began + 60 - now))

    # -- what it sends by itself

    def _jwks(self) -> Any:
        numbers = self._key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "kid": self._key_id,
            "use": "sig",
            "alg": "RS256",
            "n": _b64(numbers.n),
            "e": _b64(numbers.e),
        }
        return jsonify(keys=[key, {"kty": "EC", "kid": "another"}])

    def rotate_key(self) -> None:
        self._key_id, self._key = f"key-{uuid4()}", a_key(1)

    def calls(self, event: str, at: datetime) -> list[tuple[str, dict[str, str], bytes]]:
        """(address, headers, body) of the webhooks that ``event`` makes it send."""
        sent = []
        for hook in self.hooks:
            if hook["event"] != event:
                continue
            if event.endswith("_v2"):
                where = f"{spec.V2_HOST}/v2/shipments?import_batch_id={uuid4()}"
                body = json.dumps({"resource_url": where, "resource_type": event.upper()}).encode()
                own = {h["key"].lower(): h["value"] for h in hook["headers"]}
                sent.append((hook["url"], {**self.signed(body, at), **own}, body))
            else:
                where = f"{spec.V1_HOST}/orders?importBatch={uuid4()}"
                body = json.dumps({"resource_url": where, "resource_type": event}).encode()
                sent.append((hook["url"], {"content-type": "application/json"}, body))
        return sent

    def signed(self, body: bytes, at: datetime) -> dict[str, str]:
        stamp = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        signature = self._key.sign(stamp.encode() + b"." + body, PKCS1v15(), SHA256())
        return {
            "content-type": "application/json",
            "x-shipengine-rsa-sha256-key-id": self._key_id,
            "x-shipengine-rsa-sha256-signature": b64encode(signature).decode(),
            "x-shipengine-timestamp": stamp,
        }


@cache
def a_key(n: int) -> RSAPrivateKey:
    """Each takes as long to make as a test does to run."""
    return generate_private_key(65537, 2048)


def twice_and_backwards(sent: list[Any]) -> list[Any]:
    """Webhooks as they may arrive: each twice, the last one first."""
    return [call for call in reversed(sent) for _ in range(2)]


def _b64(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode().rstrip("=")


def _shape(value: Any) -> Any:
    """Which names there are and of what type: orders alike in that need one look."""
    if isinstance(value, dict):
        return tuple((name, _shape(one)) for name, one in value.items())
    if isinstance(value, list):
        return tuple(map(_shape, value))
    return "" if value == "" else type(value).__name__


def an_account(orders: int, begin: datetime) -> FakeShipStation:
    """With so many orders, one a second."""
    fake = FakeShipStation()
    for n in range(orders):
        fake.place(f"{100000 + n}", begin + timedelta(seconds=n))
    return fake


if __name__ == "__main__":
    an_account(100, datetime.now(UTC) - timedelta(hours=1)).app.run(port=8765)
