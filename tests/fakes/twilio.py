"""Twilio's Messages API as far as it matters: what it takes, what it answers, how it calls back.

Shapes from Twilio's documentation and from what twilio-python 9.13.0 reads and signs (2026-11);
the SDK itself was let loose on this fake and took it for the real one.
"""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import requests
from flask import Flask, Response, request

SID, TOKEN = "AC" + "0" * 32, "12345auth-token"
KEY, KEY_SECRET = "SK" + "1" * 32, "k3y-secret"
ERRORS = {
    "+15005550001": (400, 21211, "The 'To' number is not a valid phone number"),
    "+15005550002": (400, 21612, "The 'To' phone number is not currently reachable"),
    "+15005550003": (400, 21408, "Permission to send an SMS has not been enabled"),
    "+15005550004": (400, 21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (400, 21614, "'To' number is not a valid mobile number"),
    "+15005550010": (429, 63038, "Account exceeded the daily messages limit"),
    "+15005550011": (400, 21602, "Message body is required"),
}
"""Twilio's own magic numbers for tests, and some more of the same kind."""


@dataclass
class FakeTwilio:
    """``mood``: well | locked | busy | down | lost | broken (500 after it was stored)."""

    mood: str = "well"
    moods: list[str] = field(default_factory=list)  # for the next calls, one each
    rows: list[dict[str, Any]] = field(default_factory=list)
    callbacks: dict[str, str] = field(default_factory=dict)  # sid -> StatusCallback
    stalls_s: float = 0.0  # how long an answer is kept back when it is "lost"
    page_size: int = 50
    pause_s: int = 7
    killer: BaseException = field(default_factory=SystemExit)  # what "killed" looks like
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.app = Flask("twilio")
        self.app.testing = True  # what is raised here is what the other side meets
        account = "/2010-04-01/Accounts/<sid>"
        self.app.add_url_rule(f"{account}.json", "account", self._account)
        self.app.add_url_rule(f"{account}/Messages.json", "take", self._take, methods=["POST"])
        self.app.add_url_rule(f"{account}/Messages.json", "list", self._list)

    def be(self, mood: str) -> None:
        self.mood = mood

    def _next_mood(self) -> str:
        with self.lock:
            return self.moods.pop(0) if self.moods else self.mood

    def _account(self, sid: str) -> Any:
        return self._refusal(sid, self.mood) or {"sid": sid, "status": "active", "type": "Full"}

    def _take(self, sid: str) -> Any:
        mood = self._next_mood()
        if (no := self._refusal(sid, mood)) is not None:
            return no
        form = request.form
        if not form.get("Body"):
            return _error(400, 21602, "Message body is required")
        if len(form["Body"]) > 1600:
            return _error(400, 21617, "The concatenated message body exceeds 1600 characters")
        if form.get("To") in ERRORS:
            return _error(*ERRORS[form["To"]])
        if mood == "killed":
            raise self.killer
        row = self._row(form)
        with self.lock:
            self.rows.append(row)
            self.callbacks[row["sid"]] = form.get("StatusCallback", "")
        if mood == "lost":
            if self.stalls_s:
                time.sleep(self.stalls_s)
            else:
                raise requests.ReadTimeout("no answer came")
        if mood == "broken":
            return _error(500, 20500, "Internal Server Error")
        return row, 201

    def _row(self, form: Mapping[str, str]) -> dict[str, Any]:
        by_service = "MessagingServiceSid" in form
        n = len(self.rows)
        made = datetime.now(UTC)
        sid = "SM" + sha256(f"{n}{form['To']}{made}".encode()).hexdigest()[:32]
        return {
            "account_sid": SID,
            "api_version": "2010-04-01",
            "body": form["Body"],
            "date_created": format_datetime(made),
            "date_sent": None,
            "date_updated": format_datetime(made),
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": None if by_service else form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": "0" if by_service else "1",
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": "accepted" if by_service else "queued",
            "subresource_uris": {"media": f"/2010-04-01/Accounts/{SID}/Messages/{sid}/Media.json"},
            "to": form["To"],
            "uri": f"/2010-04-01/Accounts/{SID}/Messages/{sid}.json",
            "validity": form.get("ValidityPeriod"),
        }

    def _list(self, sid: str) -> Any:
        if (no := self._refusal(sid, self.mood)) is not None:
            return no
        to, page = request.args.get("To"), request.args.get("Page", 0, int)
        day = request.args.get("DateSent>", "")
        assert not day or datetime.fromisoformat(day)
        found = [row for row in reversed(self.rows) if to in (None, row["to"])]
        start = page * self.page_size
        more = len(found) > start + self.page_size
        query = urlencode({"To": to or "", "Page": page + 1, "PageSize": self.page_size})
        return {
            "messages": found[start : start + self.page_size],
            "page": page,
            "page_size": self.page_size,
            "first_page_uri": f"/2010-04-01/Accounts/{SID}/Messages.json",
            "next_page_uri": f"/2010-04-01/Accounts/{SID}/Messages.json?{query}" if more else None,
            "previous_page_uri": None,
            "start": start,
            "end": start + self.page_size - 1,
            "uri": request.full_path,
        }

    def _refusal(self, sid: str, mood: str) -> Any:
        if mood == "down":
            raise requests.ConnectTimeout("nobody there")
        auth = request.authorization
        known = auth and (auth.username, auth.password) in ((SID, TOKEN), (KEY, KEY_SECRET))
        if mood == "locked" or not known or sid != SID:
            return _error(401, 20003, "Authenticate")
        if mood == "busy":
            answer = _error(429, 20429, "Too Many Requests")
            answer.headers["Retry-After"] = str(self.pause_s)
            return answer
        return None

    def call_back(
        self, sid: str, status: str, token: str = TOKEN, **more: str
    ) -> tuple[str, bytes, dict[str, str]]:
        """A status callback: its URL, body and headers."""
        row = next(one for one in self.rows if one["sid"] == sid)
        told = {
            "MessageSid": sid,
            "SmsSid": sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "To": row["to"],
            "From": row["from"] or "+15017122661",
            "AccountSid": SID,
            "ApiVersion": "2010-04-01",
            **more,
        }
        return signed(self.callbacks[sid], told, token)


def signed(url: str, told: dict[str, str], token: str = TOKEN) -> tuple[str, bytes, dict[str, str]]:
    """A form post as Twilio signs it: independent of the code under test."""
    text = url
    for name in sorted(told):
        text += f"{name}{told[name]}"
    mac = base64.b64encode(hmac.new(token.encode(), text.encode(), "sha1").digest()).decode()
    headers = {
        "X-Twilio-Signature": mac,
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    }
    return url, urlencode(told).encode(), headers


def _error(status: int, code: int, message: str) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more, "status": status}
    return Response(json.dumps(body), status, content_type="application/json")
