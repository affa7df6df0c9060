"""Webhooks: where a business's own programs listen, what they were sent, and what they said."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, get_args
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, request, session, url_for
from flask_admin.form import BaseForm
from werkzeug.wrappers import Response as AnyResponse

from admin.forms import blame, form_for, read
from admin.words import Clock, typed
from hub.core.errors import ConfigError, HubError
from hub.core.webhook_types import ABOUT, TEST, TYPES
from hub.db.tables import AttemptLogRow
from hub.flows.endpoint_secrets import change_secret, signing_secrets
from hub.flows.endpoints import EndpointIn, change_endpoint, make_endpoint, remove_endpoint, switch
from hub.flows.webhook_log import (
    EndpointSeen,
    Shown,
    endpoint_seen,
    endpoints_seen,
    oldest_dead,
    replay,
    replay_dead,
    webhook_seen,
    webhooks_of,
)
from hub.flows.webhook_send import send_test
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

JUST_MADE = "just_made"  # in the browser's note: whose secret its page may show once
SHOWN: tuple[Shown, ...] = get_args(Shown)
OPTIONS = {"types": tuple((type_, f"{type_}: {ABOUT[type_]}") for type_ in TYPES)}
Form = form_for(EndpointIn)


def webhooks(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "webhooks", __name__, url_prefix="/panel/webhooks", template_folder="../templates"
    )

    @pages.get("")
    @needs()
    def index() -> AnyResponse:
        return page(
            "panel/webhooks.html",
            endpoints=endpoints_seen(hub, me().business_id),
            clock=Clock.of(me().zone),
        )

    @pages.get("/new")
    @needs()
    def new() -> AnyResponse:
        return page("panel/webhooks_new.html", form=_form(None))

    @pages.post("/new")
    @needs()
    def create() -> AnyResponse:
        form = _form(request.form)
        given = read(form, EndpointIn)
        if given is not None:
            try:
                made = make_endpoint(hub, me().business_id, given, actor=me().actor)
            except ConfigError as problem:
                blame(form, problem.field, str(problem))
            else:
                return _to_its_secret(made.endpoint.id, is_second=False)
        return page("panel/webhooks_new.html", 422, form=form)

    @pages.get("/<row_id:endpoint_id>")
    @needs()
    def one(endpoint_id: str) -> AnyResponse:
        """With its secret where it was just made, once, and what came of the test in ``tested``."""
        new, second = session.pop(JUST_MADE, ("", False))
        secrets = (
            signing_secrets(hub, me().business_id, endpoint_id) if new == endpoint_id else [""]
        )
        answer = _answer(hub, endpoint_id, request.args.get("tested", "")[:36])
        return _one_page(hub, endpoint_id, secret=secrets[0], is_second=second, answer=answer)

    @pages.post("/<row_id:endpoint_id>")
    @needs()
    def save(endpoint_id: str) -> AnyResponse:
        _seen(hub, endpoint_id)
        form = _form(request.form)
        given = read(form, EndpointIn)
        if given is not None:
            changes = given.model_dump()
            try:
                change_endpoint(hub, me().business_id, endpoint_id, changes, actor=me().actor)
            except ConfigError as problem:
                blame(form, problem.field, str(problem))
            else:
                flash("Saved.", "ok")
                return _back(endpoint_id)
        return _one_page(hub, endpoint_id, form, status=422)

    @pages.post("/<row_id:endpoint_id>/switch")
    @needs()
    def turn(endpoint_id: str) -> AnyResponse:
        on = request.form.get("on") == "1"
        _seen(hub, endpoint_id)
        switch(hub, me().business_id, endpoint_id, on, actor=me().actor)
        flash("It is switched on." if on else "It is switched off: nothing is sent to it.", "ok")
        return _back(endpoint_id)

    @pages.post("/<row_id:endpoint_id>/secret")
    @needs()
    def secret(endpoint_id: str) -> AnyResponse:
        _seen(hub, endpoint_id)
        change_secret(hub, me().business_id, endpoint_id, actor=me().actor)
        return _to_its_secret(endpoint_id, is_second=True)

    @pages.post("/<row_id:endpoint_id>/test")
    @needs()
    def test(endpoint_id: str) -> AnyResponse:
        _seen(hub, endpoint_id)
        sent_id, _ = send_test(hub, me().business_id, endpoint_id)
        return redirect(url_for("webhooks.one", endpoint_id=endpoint_id, tested=sent_id))

    @pages.post("/<row_id:endpoint_id>/again")
    @needs()
    def again(endpoint_id: str) -> AnyResponse:
        _seen(hub, endpoint_id)
        since = _moment(typed("since", 16), me().zone)
        if since is None:
            error = "Choose a day and a time."
            return _one_page(hub, endpoint_id, errors={"since": error}, status=422)
        try:
            n = replay_dead(hub, me().business_id, endpoint_id, since, actor=me().actor)
        except HubError as problem:
            flash(str(problem), "bad")
        else:
            flash(_sent_again(n), "ok" if n else "warn")
        return _back(endpoint_id)

    @pages.post("/<row_id:endpoint_id>/remove")
    @needs()
    def remove(endpoint_id: str) -> AnyResponse:
        try:
            remove_endpoint(hub, me().business_id, endpoint_id, actor=me().actor)
        except LookupError:
            abort(404)
        flash("It is removed, with its secret and its log.", "ok")
        return redirect(url_for("webhooks.index"))

    @pages.get("/sent/<row_id:webhook_id>")
    @needs()
    def sent(webhook_id: str) -> AnyResponse:
        try:
            seen = webhook_seen(hub, me().business_id, webhook_id)
        except LookupError:
            abort(404)
        body = json.dumps(json.loads(seen.row.body), indent=2, ensure_ascii=False)
        return page("panel/webhooks_sent.html", seen=seen, body=body, clock=Clock.of(me().zone))

    @pages.post("/sent/<row_id:webhook_id>/again")
    @needs()
    def once_more(webhook_id: str) -> AnyResponse:
        try:
            replay(hub, me().business_id, webhook_id, actor=me().actor)
        except LookupError:
            abort(404)
        except HubError as problem:
            flash(str(problem), "bad")
        else:
            flash("It is sent now, under the same id.", "ok")
        return redirect(url_for("webhooks.sent", webhook_id=webhook_id))

    return pages


def _form(given: object, **stored: object) -> BaseForm:
    form = Form(given, data=stored)
    for name, options in OPTIONS.items():
        form._fields[name].options = options
    return form


def _back(endpoint_id: str) -> AnyResponse:
    return redirect(url_for("webhooks.one", endpoint_id=endpoint_id))


def _to_its_secret(endpoint_id: str, *, is_second: bool) -> AnyResponse:
    """To its page, which may show the secret once. The secret itself is in no cookie."""
    session[JUST_MADE] = (endpoint_id, is_second)
    return _back(endpoint_id)


def _answer(hub: Hub, endpoint_id: str, webhook_id: str) -> AttemptLogRow | None:
    """What came of a test; ``None`` for what is none of this endpoint's."""
    try:
        seen = webhook_seen(hub, me().business_id, webhook_id)
    except LookupError:
        return None
    is_mine = seen.endpoint.id == endpoint_id and seen.row.type == TEST
    return seen.attempts[-1] if is_mine and seen.attempts else None


def _seen(hub: Hub, endpoint_id: str) -> EndpointSeen:
    try:
        return endpoint_seen(hub, me().business_id, endpoint_id)
    except LookupError:
        abort(404)


def _one_page(
    hub: Hub,
    endpoint_id: str,
    form: BaseForm | None = None,
    *,
    status: int = 200,
    secret: str = "",
    is_second: bool = False,
    answer: AttemptLogRow | None = None,
    errors: dict[str, str] | None = None,
) -> AnyResponse:
    seen = _seen(hub, endpoint_id)
    if form is None:
        form = _form(None, **seen.row.model_dump(include=set(EndpointIn.model_fields)))
    shown = next((one for one in SHOWN if one == request.args.get("show")), "all")
    rows, older = webhooks_of(
        hub, me().business_id, endpoint_id, shown, request.args.get("before", "")[:36]
    )
    since = oldest_dead(hub, me().business_id, endpoint_id) or hub.now()
    return page(
        "panel/webhooks_one.html",
        status,
        seen=seen,
        row=seen.row,
        form=form,
        secret=secret,
        is_second=is_second,
        answer=answer,
        errors=errors or {},
        webhooks=rows,
        older=older,
        shown=shown,
        since=since.astimezone(ZoneInfo(me().zone)).strftime("%Y-%m-%dT%H:%M"),
        clock=Clock.of(me().zone),
    )


def _moment(text: str, zone: str) -> datetime | None:
    """What a browser's field for day and time says, in the business's zone."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return None


def _sent_again(n: int) -> str:
    match n:
        case 0:
            return "Nothing that happened since then has failed."
        case 1:
            return "1 webhook is sent again now."
    return f"{n} webhooks are sent again now, in their order."
