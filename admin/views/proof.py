"""A job's proof for people: its files and the PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from hub.core.errors import HubError
from hub.flows.document import pod_pdf
from hub.flows.order_desk import proof_file
from hub.flows.prove import job_of
from hub.web.staff import me

if TYPE_CHECKING:
    from hub.app import Hub

PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
"""Only what a browser draws and never runs; an SVG could hold a script."""


def proof(hub: Hub) -> Blueprint:
    pages = Blueprint("proof", __name__, url_prefix="/panel/proof")

    @pages.get("/<job_id>/files/<file_id>")
    def file(job_id: str, file_id: str) -> AnyResponse:
        try:
            media_type, content = proof_file(hub, me().business_id, job_id, file_id)
        except LookupError:
            abort(404)
        except HubError as problem:
            hub.tools.log.warning("a proof file cannot be shown job=%s: %s", job_id, problem)
            abort(Response(str(problem), 503, {"Retry-After": "30"}, content_type="text/plain"))
        if media_type not in PICTURES:
            abort(404)
        return _private(content, media_type)

    @pages.get("/<job_id>.pdf")
    def pdf(job_id: str) -> AnyResponse:
        try:
            with hub.reading() as session:
                order_id = job_of(session, me().business_id, job_id).order_id
            content = pod_pdf(hub, me().business_id, job_id)
        except LookupError:
            abort(404)
        except HubError as problem:
            flash(str(problem), "bad")
            return redirect(url_for("orders.one", order_id=order_id))
        return _private(content, "application/pdf")

    return pages


def _private(content: bytes, media_type: str) -> Response:
    return Response(
        content,
        content_type=media_type,
        headers={
            "Cache-Control": "private, max-age=3600",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
        },
    )
