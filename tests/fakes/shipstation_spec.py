"""ShipStation's own OpenAPI files as judges of what the fake is asked and answers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Request
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

V2_HOST = "https://api.shipstation.com"
V1_HOST = "https://ssapi.shipstation.com"


def data() -> Path:
    """The folder with the vendor's files; tests that need it skip without it."""
    folder = os.environ.get("HUB_TEST_DATA")
    if not folder:
        pytest.skip("HUB_TEST_DATA names no folder with the vendors' schemas")
    return Path(folder) / "shipstation"


@cache
def v2() -> OpenAPI:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _api(yaml.load((data() / "v2-openapi.yaml").read_text(), loader))


@cache
def v1() -> OpenAPI:
    """V1's file names its queries in its paths; they are made parameters here, as they are meant.

    What a body must have is told in prose alone (and held by the pages): the file's lists of
    required names were made from an example, and another of its examples breaks them.
    """
    file = _v1_file()
    paths: dict[str, Any] = {}
    for path, operations in file["paths"].items():
        plain, _, query = path.partition("?")
        for method, operation in operations.items():
            _demand_nothing(operation.get("requestBody"))
            if query:
                for parameter in operation.get("parameters", ()):
                    parameter.update({"in": "query", "required": False})
                paths.setdefault(plain, {})[method] = operation
            else:
                paths.setdefault(plain, {}).setdefault(method, operation)
    return _api({**file, "paths": paths, "servers": [{"url": V1_HOST}]})


def wrong(api: OpenAPI, request: Request, host: str) -> str:
    """Why the vendor would refuse ``request``; empty if it would not."""
    asked = _asked(request, host)
    try:
        found = api.unmarshal_request(asked)
    except OpenAPIError as error:
        return f"{type(error).__name__}: {error}"
    if found.errors:
        return "; ".join(f"{error} {error.__cause__ or ''}" for error in found.errors)
    unknown = set(request.args) - set(found.parameters.query)
    return f"there is no query {sorted(unknown)}" if unknown else ""


def hold(api: OpenAPI, request: Request, host: str, status: int, body: Any) -> None:
    """Fail when the fake answers what the vendor's file does not promise.

    Nulls and empty texts are taken out first: real answers are full of them where the file
    forbids them (13 places in shipments-response.json, captured 2026-08).
    """
    answer = MockResponse(json.dumps(_said(body)).encode() if body is not None else b"", status)
    api.validate_response(_asked(request, host), answer)


def hold_v1(body: Any) -> None:
    """V1's file has examples, no schemas: each name must be there, with a type seen there."""
    types, text = _v1_names()
    for name, value in _walk(body):
        assert name in types or f"``{name}``" in text, f"V1 answers no {name!r}"
        known = types.get(name, {"null"}) - {"null"}
        assert value is None or not known or _type(value) in known, f"{name}: {value!r}"


def _demand_nothing(schema: Any) -> None:
    if isinstance(schema, dict):
        if isinstance(schema.get("required"), list):
            del schema["required"]
        for part in schema.values():
            _demand_nothing(part)


def _api(file: Mapping[str, Any]) -> OpenAPI:
    return OpenAPI.from_dict(dict(file), config=Config(spec_validator_cls=None))


def _asked(request: Request, host: str) -> MockRequest:
    return MockRequest(
        host,
        request.method.lower(),
        request.path,
        args=dict(request.args),
        headers=dict(request.headers),
        data=request.get_data() or None,
        content_type=request.content_type or "application/json",
    )


@cache
def _v1_file() -> dict[str, Any]:
    return json.loads((data() / "v1-openapi.json").read_text())


@cache
def _v1_names() -> tuple[dict[str, set[str]], str]:
    text = (data() / "v1-openapi.json").read_text()
    types: dict[str, set[str]] = {}
    for name, value in _walk(json.loads(text)["paths"]):
        types.setdefault(name, set()).add(_type(value))
    return types, text


def _said(body: Any) -> Any:
    """Also without objects in which nothing is said."""
    if isinstance(body, list):
        return [_said(value) for value in body]
    if not isinstance(body, dict):
        return body
    said = {name: _said(value) for name, value in body.items() if value not in (None, "")}
    return {name: value for name, value in said.items() if value != {} or body[name] == {}}


def _walk(body: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(body, dict):
        for name, value in body.items():
            yield name, value
            yield from _walk(value)
    elif isinstance(body, list):
        for value in body:
            yield from _walk(value)


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "number", float: "number", dict: "object", list: "array"}
    return names.get(type(value), "null")
