"""The form in which a business describes its gateway; docs/notices.md has rows of six."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from notifiers.texting import Currency, MostParts, Price

DEEPEST = 8
_KNOWN = "{to} {to_noplus} {from} {text} {ref} {callback} {ttl_s} {ttl_ms} {unicode}"


class GatewaySettings(BaseModel):
    method: Literal["POST", "GET"] = Field(default="POST", title="Method")
    url: str = Field(
        title="Address",
        description="e.g. https://gateway.example/sms/json",
        pattern=r"^https?://[^\s]+$",
        max_length=500,
    )
    check_url: str = Field(
        default="",
        title="Address that tries the log-in",
        description="Read before this form is saved, e.g. your balance. Empty: nothing is tried.",
        pattern=r"^(https?://[^\s]+)?$",
        max_length=500,
    )
    auth: Literal["none", "basic", "bearer", "header"] = Field(
        default="basic",
        title="It knows you by",
        json_schema_extra={
            "labels": {
                "none": "What stands in the message's fields",
                "basic": "User and password",
                "bearer": "A bearer token",
                "header": "A header of its own",
            }
        },
    )
    user: str = Field(default="", title="User name", max_length=200)
    password: SecretStr = Field(
        default=SecretStr(""), title="Password or key", description="As the gateway gave it"
    )
    header: str = Field(
        default="Authorization",
        title="Name of that header",
        pattern=r"^[A-Za-z0-9-]{1,60}$",
    )
    header_prefix: str = Field(
        default="", title="Before the key in it", description="e.g. AccessKey", max_length=40
    )
    kind: Literal["form", "json", "query"] = Field(default="form", title="A message is sent as")
    fields: str = Field(
        title="Fields of a message",
        description="JSON. Put in: " + _KNOWN + " and {password}",
        max_length=2000,
        json_schema_extra={"control": "area"},
    )
    sender: str = Field(default="", title="Sender", max_length=20)
    ok_path: str = Field(
        default="",
        title="Where its answer says yes",
        description="e.g. messages.0.status. Empty: any answer of 200 to 299 is one.",
        max_length=200,
    )
    ok_value: str = Field(default="", title="The word for yes", max_length=60)
    id_path: str = Field(
        title="Where its answer names the message",
        description="e.g. messages.0.message-id, from the gateway's page on sending",
        max_length=200,
    )
    error_path: str = Field(default="", title="Where its answer has an error code", max_length=200)
    gone_codes: str = Field(default="", title="Codes: never reached", max_length=500)
    stop_codes: str = Field(default="", title="Codes: wants no more", max_length=500)
    busy_codes: str = Field(default="", title="Codes: try again soon", max_length=500)
    full_codes: str = Field(default="", title="Codes: nothing goes for now", max_length=500)
    setup_codes: str = Field(default="", title="Codes: the account is wrong", max_length=500)
    drops_repeats: bool = Field(
        default=False,
        title="It drops a second message with the same reference",
        description="Only if the gateway says so: then {ref} must be among the fields.",
    )
    receipt_kind: Literal["json", "form", "query"] = Field(
        default="json", title="It calls back with"
    )
    receipt_key: str = Field(
        default="",
        title="Where a call names your reference",
        description="Empty: the address it was given says it.",
        max_length=200,
    )
    receipt_id: str = Field(default="", title="Where a call names its id", max_length=200)
    receipt_state: str = Field(default="status", title="Where a call has the state", max_length=200)
    sent_words: str = Field(default="sent, accepted, buffered", title="States: sent")
    delivered_words: str = Field(default="delivered", title="States: delivered")
    failed_words: str = Field(
        default="failed, undelivered, rejected, expired", title="States: not delivered"
    )
    reply_from: str = Field(
        default="from", title="Where an answer names its sender", max_length=200
    )
    reply_text: str = Field(default="text", title="Where an answer has its words", max_length=200)
    signature_header: str = Field(
        default="",
        title="Header with a signature of calls",
        description="HMAC-SHA256 of the body, as hex or base64. Empty: it signs nothing, and only"
        " its address, which nobody can guess, proves a call.",
        pattern=r"^[A-Za-z0-9-]{0,60}$",
    )
    signature_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Secret of that signature",
        description="As the gateway shows it",
        json_schema_extra={"ring": "webhooks"},
    )
    keeps_accents: bool = Field(default=False, title="Keep accents")
    most_parts: MostParts = 3
    price: Price = Decimal(0)
    currency: Currency = "EUR"

    @field_validator("fields")
    @classmethod
    def _template(cls, text: str) -> str:
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"This is no JSON: {error}.") from None
        if not isinstance(parsed, dict):
            raise ValueError('This must be one object: {"to": "{to}", "text": "{text}"}.')
        if _depth(parsed) > DEEPEST:
            raise ValueError(f"Fields lie in fields {DEEPEST} times at most.")
        if "{text}" not in text or not re.search(r"\{to(_noplus)?\}", text):
            raise ValueError("{to} (or {to_noplus}) and {text} must be in it.")
        return text

    @model_validator(mode="after")
    def _fits(self) -> GatewaySettings:
        if self.kind != "json" and not all(_is_plain(v) for v in json.loads(self.fields).values()):
            raise ValueError("A form and a query have no fields within fields.")
        if self.drops_repeats and "{ref}" not in self.fields:
            raise ValueError("To drop repeats it must be told {ref}.")
        if self.method == "GET" and self.kind != "query":
            raise ValueError("With GET a message is sent as a query.")
        if self.signature_header and not self.signature_secret.get_secret_value():
            raise ValueError("A signature needs its secret.")
        return self


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)
