"""Six gateways for texts in the shapes of their own APIs, and how the generic channel is set to each.

What each is called with, how it says yes and how it calls back: Vonage (vonage-sms 1.2.0),
ClickSend (clicksend-client 6.0.2), MessageBird (messagebird 2.2.0), Plivo (plivo 4.63), Sinch
(its API's pages), and one of our own that signs its calls (2026-11).
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from flask import Flask, request

PASSWORD = "gat3way-s3cret"
Answer = tuple[Any, int] | tuple[Any, int, dict[str, str]]


@dataclass(frozen=True)
class Shape:
    """``read``: of a call, to whom, what and the reference. ``says``: its answer to a code."""

    origin: str
    path: str
    settings: dict[str, Any]
    read: Callable[[], tuple[str, str, str]]
    yes: Callable[[str], Answer]
    no: Callable[[str], Answer]
    codes: dict[str, str]  # what befell -> the gateway's code


def _vonage(status: str, id_: str = "") -> Answer:
    return {"message-count": "1", "messages": [{"status": status, "message-id": id_}]}, 200


def _clicksend(status: str, id_: str = "") -> Answer:
    one = {"status": status, "message_id": id_, "message_parts": 1, "message_price": "0.05"}
    return {"http_code": 200, "response_code": "SUCCESS", "data": {"messages": [one]}}, 200


def _json(*path: str | int) -> Any:
    told: Any = request.get_json()
    for step in path:
        told = told[step]
    return told


SHAPES: dict[str, Shape] = {
    "vonage": Shape(
        "https://rest.nexmo.com",
        "/sms/json",
        {
            "auth": "none",
            "kind": "form",
            "fields": json.dumps(
                {
                    "api_key": "husk",
                    "api_secret": "{password}",
                    "to": "{to_noplus}",
                    "from": "{from}",
                    "text": "{text}",
                    "type": "unicode",
                    "client-ref": "{ref}",
                    "callback": "{callback}",
                    "ttl": "{ttl_ms}",
                }
            ),
            "ok_path": "messages.0.status",
            "ok_value": "0",
            "id_path": "messages.0.message-id",
            "error_path": "messages.0.status",
            "busy_codes": "1, 5, 10",
            "stop_codes": "7",
            "gone_codes": "6",
            "setup_codes": "2, 4, 8",
            "full_codes": "9",
            "receipt_kind": "form",
            "receipt_key": "client-ref",
            "receipt_id": "messageId",
            "receipt_state": "status",
        },
        lambda: (request.form["to"], request.form["text"], request.form["client-ref"]),
        lambda id_: _vonage("0", id_),
        lambda code: _vonage(code),
        {"locked": "4", "busy": "1", "gone": "6", "stop": "7", "full": "9"},
    ),
    "clicksend": Shape(
        "https://rest.clicksend.com",
        "/v3/sms/send",
        {
            "user": "husk",
            "kind": "json",
            "fields": json.dumps(
                {
                    "messages": [
                        {
                            "to": "{to}",
                            "from": "{from}",
                            "body": "{text}",
                            "source": "hub",
                            "custom_string": "{ref}",
                        }
                    ]
                }
            ),
            "ok_path": "data.messages.0.status",
            "ok_value": "SUCCESS",
            "id_path": "data.messages.0.message_id",
            "error_path": "data.messages.0.status",
            "gone_codes": "INVALID_RECIPIENT",
            "stop_codes": "OPTED_OUT",
            "full_codes": "INSUFFICIENT_CREDIT",
            "busy_codes": "THROTTLED",
            "receipt_kind": "form",
            "receipt_key": "custom_string",
            "receipt_id": "message_id",
            "receipt_state": "status_code",
            "delivered_words": "201",
            "failed_words": "301",
            "sent_words": "200",
        },
        lambda: (
            _json("messages", 0, "to"),
            _json("messages", 0, "body"),
            _json("messages", 0, "custom_string"),
        ),
        lambda id_: _clicksend("SUCCESS", id_),
        lambda code: _clicksend(code),
        {
            "gone": "INVALID_RECIPIENT",
            "stop": "OPTED_OUT",
            "full": "INSUFFICIENT_CREDIT",
            "busy": "THROTTLED",
        },
    ),
    "messagebird": Shape(
        "https://rest.messagebird.com",
        "/messages",
        {
            "auth": "header",
            "header_prefix": "AccessKey",
            "kind": "json",
            "fields": json.dumps(
                {
                    "recipients": ["{to_noplus}"],
                    "originator": "{from}",
                    "body": "{text}",
                    "reference": "{ref}",
                    "reportUrl": "{callback}",
                    "validity": "{ttl_s}",
                    "datacoding": "auto",
                }
            ),
            "id_path": "id",
            "error_path": "errors.0.code",
            "gone_codes": "10",
            "setup_codes": "2",
            "full_codes": "25",
            "receipt_kind": "query",
            "receipt_key": "reference",
            "receipt_id": "id",
        },
        lambda: (_json("recipients", 0), _json("body"), _json("reference")),
        lambda id_: ({"id": id_, "recipients": {"totalCount": 1}}, 201),
        lambda code: ({"errors": [{"code": int(code), "description": "no"}]}, 422),
        {"gone": "10", "full": "25"},
    ),
    "plivo": Shape(
        "https://api.plivo.com",
        "/v1/Account/MA1/Message/",
        {
            "user": "MA1",
            "kind": "json",
            "fields": json.dumps(
                {
                    "src": "{from}",
                    "dst": "{to_noplus}",
                    "text": "{text}",
                    "url": "{callback}",
                    "method": "POST",
                    "message_expiry": "{ttl_s}",
                }
            ),
            "id_path": "message_uuid.0",
            "receipt_kind": "form",
            "receipt_id": "MessageUUID",
            "receipt_state": "Status",
        },
        lambda: (_json("dst"), _json("text"), _json("url").rpartition("n=")[2]),
        lambda id_: ({"message": "message(s) queued", "message_uuid": [id_]}, 202),
        lambda code: ({"error": "no"}, int(code)),
        {"refused": "400"},
    ),
    "sinch": Shape(
        "https://eu.sms.api.sinch.com",
        "/xms/v1/plan1/batches",
        {
            "auth": "bearer",
            "kind": "json",
            "fields": json.dumps(
                {
                    "to": ["{to}"],
                    "from": "{from}",
                    "body": "{text}",
                    "delivery_report": "per_recipient",
                    "callback_url": "{callback}",
                    "client_reference": "{ref}",
                }
            ),
            "id_path": "id",
            "error_path": "code",
            "receipt_key": "client_reference",
            "receipt_id": "batch_id",
            "sent_words": "Queued, Dispatched",
            "delivered_words": "Delivered",
            "failed_words": "Aborted, Cancelled, Rejected, Deleted, Failed, Expired",
        },
        lambda: (_json("to", 0), _json("body"), _json("client_reference")),
        lambda id_: ({"id": id_, "type": "mt_text"}, 201),
        lambda code: ({"code": code, "text": "no"}, 400),
        {"refused": "syntax_invalid_parameter_format"},
    ),
    "pigeon": Shape(
        "https://pigeon.example",
        "/v1/texts",
        {
            "auth": "bearer",
            "kind": "json",
            "check_url": "https://pigeon.example/v1/me",
            "fields": json.dumps(
                {"to": "{to}", "from": "{from}", "text": "{text}", "key": "{ref}"}
            ),
            "id_path": "id",
            "error_path": "error",
            "gone_codes": "no_such_number",
            "stop_codes": "opted_out",
            "drops_repeats": True,
            "receipt_key": "key",
            "receipt_id": "id",
            "signature_header": "X-Pigeon-Signature",
            "signature_secret": "pigeon-signs",
        },
        lambda: (_json("to"), _json("text"), _json("key")),
        lambda id_: ({"id": id_}, 201),
        lambda code: ({"error": code}, 422),
        {"gone": "no_such_number", "stop": "opted_out"},
    ),
}


@dataclass
class FakeGateway:
    """One of ``SHAPES``. ``mood``: well | locked | busy | down | lost | broken; ``befalls``: which
    of the shape's codes the next call gets.
    """

    shape: Shape
    mood: str = "well"
    befalls: str = ""
    has: list[tuple[str, str, str]] = field(default_factory=list)  # to, text, reference

    def __post_init__(self) -> None:
        self.app = Flask("gateway")
        self.app.testing = True
        self.app.add_url_rule(self.shape.path, "take", self._take, methods=["POST", "GET"])
        self.app.add_url_rule("/v1/me", "me", lambda: self._refusal() or {"name": "Husk"})

    def be(self, mood: str) -> None:
        self.mood = mood

    def settings(self, **more: Any) -> dict[str, Any]:
        return {
            "url": f"{self.shape.origin}{self.shape.path}",
            "password": PASSWORD,
            "sender": "Husk",
            **self.shape.settings,
            **more,
        }

    def _take(self) -> Any:
        if (no := self._refusal()) is not None:
            return no
        to, text, ref = self.shape.read()
        if self.befalls:
            return self.shape.no(self.shape.codes[self.befalls])
        if to.endswith("5550000"):
            return self.shape.no(self.shape.codes["gone"])
        if not (self.shape.settings.get("drops_repeats") and ref in [one[2] for one in self.has]):
            self.has.append((to, text, ref))
        if self.mood == "lost":
            raise requests.ReadTimeout("no answer came")
        if self.mood == "broken":
            return {"error": "oops"}, 500
        return self.shape.yes(f"g-{ref}")

    def _refusal(self) -> Any:
        if self.mood == "down":
            raise requests.ConnectTimeout("nobody there")
        if self.mood == "locked" or not self._knows():
            if "locked" in self.shape.codes:
                return self.shape.no(self.shape.codes["locked"])
            return {"error": "who are you"}, 401
        if self.mood == "busy":
            return {"error": "slow"}, 429, {"Retry-After": "7"}
        return None

    def _knows(self) -> bool:
        given = request.headers.get("Authorization", "")
        match self.shape.settings.get("auth", "basic"):
            case "basic":
                pair = f"{self.shape.settings['user']}:{PASSWORD}".encode()
                return given == f"Basic {base64.b64encode(pair).decode()}"
            case "bearer":
                return given == f"Bearer {PASSWORD}"
            case "header":
                return given == f"AccessKey {PASSWORD}"
        return request.values.get("api_secret") == PASSWORD

    def signs(self, body: bytes) -> dict[str, str]:
        return {"x-pigeon-signature": hmac.new(b"pigeon-signs", body, "sha256").hexdigest()}
