"""One Flask application for everything the hub serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response

from hub.web.api import RowId, api
from hub.web.openapi import docs
from hub.web.problems import answer_problems

if TYPE_CHECKING:
    from hub.app import Hub

MAX_BODY = 2 * 1024 * 1024  # uploads of photos and files raise it for their own routes


def create_app(hub: Hub) -> Flask:
    """The application of an opened hub. Safe to call several times with the same hub."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.url_map.converters["row_id"] = RowId
    answer_problems(app)
    app.register_blueprint(api(hub))
    app.register_blueprint(docs())
    app.after_request(_careful)
    return app


def _careful(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("X-Frame-Options", "DENY")
    return response
