"""Enquiries and ratings in the API's description."""

from __future__ import annotations

from typing import Any

from hub.web.openapi_parts import KEY, PAGE, operation, query, ref

_KNOWN = {
    "name": "known",
    "in": "path",
    "required": True,
    "description": "the order's id, its ref, or the number people call it by",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


def calls() -> dict[str, Any]:
    return {
        "/api/v1/orders/{known}/enquiries": {
            "parameters": [_KNOWN],
            "post": operation(
                "noteEnquiry",
                "Somebody asks where an order is: keep that, and hear what to tell",
                {"201": "EnquiryOut"},
                (400, 401, 403, 404, 409, 413, 415, 422),
                parameters=[KEY],
                body=ref("EnquiryIn"),
            ),
        },
        "/api/v1/ratings": {
            "get": operation(
                "listRatings",
                "What customers thought of deliveries, oldest first",
                {"200": "RatingsOut"},
                (401, 403, 422),
                parameters=query(*PAGE),
            ),
        },
    }
