"""What every call in the API's description is made of."""

from __future__ import annotations

from typing import Any

KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Send the same key to repeat safely; the first answer is kept for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
PAGE = (
    ("limit", "how many at most", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
    ("after", "`next` of the page before", {"type": "string", "format": "uuid"}),
)


def ref(model: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model}"}


def operation(
    name: str,
    summary: str,
    answers: dict[str, str],
    problems: tuple[int, ...],
    *,
    parameters: list[dict[str, Any]] | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": ref("ProblemOut")}}
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "parameters": parameters or [],
        "responses": {
            status: {
                "description": "Done",
                "content": {"application/json": {"schema": ref(model)}},
            }
            for status, model in answers.items()
        }
        | {str(status): {"description": "Refused", "content": problem} for status in problems}
        | {"default": {"description": "Failed", "content": problem}},
    }
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
    return operation


def query(*parameters: tuple[str, str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": n, "in": "query", "description": d, "schema": s} for n, d, s in parameters]
