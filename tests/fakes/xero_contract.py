"""Holds what is sent to Xero, and what a fake of it answers, against Xero's own description."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_schema_validator import OAS31Validator
from werkzeug import Request, Response
from werkzeug.datastructures import Headers, ImmutableMultiDict

HOST = "https://api.xero.com"
API = "/api.xro/2.0"
PARTS = {"Invoices", "Quotes", "Contacts", "Organisation"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CONSTANT = re.compile(r"[A-Z][A-Za-z_]*")
LENGTHS = (10, 12, 18, 20, 30, 50, 100, 150, 255, 500, 3000, 4000)  # every maxLength there is
NAIVE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def data() -> Path:
    """The folder of vendors' descriptions; skips the test where there is none."""
    root = os.environ.get("HUB_TEST_DATA", "")
    if not (Path(root) / "xero").is_dir():
        pytest.skip("Xero's OpenAPI files are not here: set HUB_TEST_DATA")
    return Path(root) / "xero"


@cache
def _accounting(folder: Path) -> OpenAPI:
    spec = loaded(folder / "xero_accounting.patched.yaml")
    spec["paths"] = {p: v for p, v in spec["paths"].items() if p.split("/")[1] in PARTS}
    # Described as a date-time, which has a zone; documented and sent as UTC without one.
    spec["components"]["parameters"]["ifModifiedSince"]["schema"] = {
        "type": "string",
        "pattern": f"^{NAIVE.pattern}$",
    }
    return _opened(spec)


@cache
def _identity(folder: Path) -> OpenAPI:
    spec = loaded(folder / "xero-identity.yaml")
    for name, schema in spec["components"]["schemas"]["Connection"]["properties"].items():
        if name.endswith("DateUtc"):
            del schema["format"]  # its own example has no zone, which a date-time has
    return _opened(spec)


@cache
def _webhook(folder: Path) -> OAS31Validator:
    spec = loaded(folder / "xero-webhooks.yaml")
    return OAS31Validator(spec["components"]["schemas"]["WebhookEvent"])


def loaded(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _opened(spec: dict[str, Any]) -> OpenAPI:
    for path in spec["paths"].values():  # tokens and scopes are looked at by the fake itself
        for operation in path.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    return OpenAPI.from_dict(spec, config=Config(spec_validator_cls=None))


class Contract:
    def __init__(self) -> None:
        self._folder = data()
        self._held: set[tuple[str, Hashable]] = set()

    def complaint(self, request: Request, tenant_id: str = "") -> str:
        """What Xero would not understand of ``request``; empty: nothing. ``tenant_id``: whose
        token it is, for one of a custom connection, which need not say so."""
        asked = _Asked(request)
        if tenant_id:
            asked.parameters.header.setdefault("xero-tenant-id", tenant_id)
        spec = self._of(asked)
        try:
            spec.validate_request(asked)
        except OpenAPIError as error:
            return f"{error} {error.__cause__ or ''}".strip()
        return self._unknown(spec, asked)

    def hold(self, request: Request, response: Response) -> None:
        """Raise ``OpenAPIError`` when Xero would not answer like this.

        Of records that a description cannot tell apart one is looked at: ten thousand
        invoices are held to it in a second, not in half a minute.
        """
        asked = _Asked(request)
        described = (200, 204) if asked.method == "get" else (200, 204, 400)
        if response.status_code in described:
            answer = _Answer(response.status_code, self._news(response.get_data()))
            self._of(asked).validate_response(asked, answer)

    def _news(self, body: bytes) -> bytes:
        document = json.loads(body) if body else None
        if not isinstance(document, dict):
            return body
        for name, records in document.items():
            if isinstance(records, list):
                shapes = {(name, _shape(record)): record for record in records}
                document[name] = [r for shape, r in shapes.items() if shape not in self._held]
                self._held |= shapes.keys()
        return json.dumps(document).encode()

    def hold_webhook(self, call: dict[str, Any]) -> None:
        _webhook(self._folder).validate(call)

    def _of(self, asked: _Asked) -> OpenAPI:
        in_books = asked.path.startswith(API)
        return _accounting(self._folder) if in_books else _identity(self._folder)

    def _unknown(self, spec: OpenAPI, asked: _Asked) -> str:
        """Parameters that are not described, and flags written otherwise than true or false."""
        found = spec.spec["paths"]
        path = asked.path.removeprefix(API)
        fitting = (p for p in found.keys() if _pattern(p).fullmatch(path))
        template = next((p for p in fitting if asked.method in found[p]), None)
        if template is None:
            return f"no such path: {path}"
        described = {p["name"]: p for p in found[template][asked.method].get("parameters", ())}
        for name, value in asked.parameters.query.items(multi=True):
            if name not in described:
                return f"unknown parameter {name}"
            if described[name]["schema"].get("type") == "boolean" and value not in (
                "true",
                "false",
            ):
                return f"{name} is neither true nor false: {value}"
        return ""


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", template))


class _Asked:
    """A request as if it had come to Xero itself."""

    def __init__(self, request: Request) -> None:
        self.host_url = HOST
        path = request.path
        self.path = path.replace("/connections", "/Connections", 1)  # as its own pages write it
        self.path_pattern = None
        self.full_url_pattern = self.host_url + self.path
        self.method = request.method.lower()
        self.body = request.get_data()
        self.content_type = request.content_type or ""
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.args),
            header=Headers(request.headers),
            cookie=ImmutableMultiDict(),
        )


@dataclass
class _Answer:
    status_code: int
    data: bytes
    content_type: str = "application/json"
    headers: Headers = field(default_factory=Headers)


def _shape(value: Any) -> Hashable:
    """The same for values that Xero's schemas treat alike: by type, list of values, format and
    length."""
    match value:
        case dict():
            return tuple((name, _shape(value[name])) for name in sorted(value))
        case list():
            return frozenset(map(_shape, value))
        case str() if UUID.fullmatch(value):
            return "a uuid"
        case str() if CONSTANT.fullmatch(value):
            return value
        case str():
            return sum(len(value) > most for most in LENGTHS)
    return type(value)
