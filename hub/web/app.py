"""One Flask application for everything the hub serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, redirect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from hub.web.api import RowId, api
from hub.web.api_asked import api_asked
from hub.web.api_webhook_log import api_webhook_log
from hub.web.api_webhooks import api_webhooks
from hub.web.board import board
from hub.web.driver import driver
from hub.web.hooks import hooks
from hub.web.openapi import docs
from hub.web.own_domain import own_domains
from hub.web.pages import pages
from hub.web.problems import answer_problems
from hub.web.rules import LateRule
from hub.web.staff import staff_surfaces
from hub.web.templating import InThisProcess
from hub.web.tracking import tracking
from hub.web.unsubscribe import unsubscribe

if TYPE_CHECKING:
    from hub.app import Hub

MAX_BODY = 2 * 1024 * 1024  # uploads of photos and files raise it for their own routes


def create_app(hub: Hub) -> Flask:
    """The application of an opened hub. Safe to call several times with the same hub."""
    app = Flask(__name__, static_folder=None)
    app.secret_key = hub.keys.session  # signs one-time messages only; sessions lie in the database
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        SESSION_COOKIE_NAME="hub_flash",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=hub.settings.public_url.startswith("https:"),
    )
    app.url_rule_class = LateRule
    app.jinja_env.bytecode_cache = InThisProcess()
    app.url_map.converters["row_id"] = RowId
    if hub.settings.proxied:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_host=1)  # type: ignore[method-assign]
    own_domains(app, hub)
    pages(app)
    answer_problems(app)
    staff_surfaces(app, hub)
    app.register_blueprint(api(hub))
    app.register_blueprint(api_webhooks(hub))
    app.register_blueprint(api_webhook_log(hub))
    app.register_blueprint(api_asked(hub))
    app.register_blueprint(docs())
    app.register_blueprint(tracking(hub))
    app.register_blueprint(driver(hub))
    app.register_blueprint(board(hub))
    app.register_blueprint(hooks(hub))
    app.register_blueprint(unsubscribe(hub))
    hub.registry.init_app(app, hub)
    app.after_request(_careful)
    app.add_url_rule("/", "home", _home)
    app.add_url_rule("/healthz", "health", _health)
    return app


def _home() -> AnyResponse:
    return redirect("/panel/")


def _health() -> Response:
    """Answers as soon as pages can be served; says nothing of how the rest is."""
    return Response("ok", content_type="text/plain")


def _careful(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("X-Frame-Options", "DENY")
    return response
