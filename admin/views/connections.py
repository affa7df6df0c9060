"""Connections: choose, fill in or approve, see how it fares, and leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_admin.form import BaseForm
from pydantic import SecretStr, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from admin.connection_forms import asked, settings_form, way_of
from admin.forms import SENTENCES, blame, form_for, place
from admin.words import Clock
from hub.core.connecting import Connection, Way
from hub.core.contracts import Option
from hub.core.errors import ConfigError, HubError
from hub.db.tables import ConnectionRow
from hub.flows.approvals import Connected, back_url, came_back
from hub.flows.connect import choices_of, connect, rename
from hub.flows.connect import reconnect as approve_again
from hub.flows.connected import class_of, offered
from hub.flows.connections_seen import (
    connection_seen,
    connections_seen,
    fetch_again,
    let_go_reject,
    rejects_of,
    webhook_url,
)
from hub.flows.disconnect import disconnect
from hub.flows.log_in import Role
from hub.flows.one_shop import AlreadyConnected
from hub.flows.pull import sweep
from hub.flows.works_again import try_now
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


def connections(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "connections", __name__, url_prefix="/panel/connections", template_folder="../templates"
    )

    @pages.get("")
    @needs(Role.DISPATCHER, Role.ACCOUNTANT)
    def index() -> AnyResponse:
        return page(
            "panel/connections.html",
            connections=connections_seen(hub, me().business_id),
            offered=offered(hub),
            clock=Clock.of(me().zone),
        )

    @pages.get("/new/<plugin>")
    @needs()
    def new(plugin: str) -> AnyResponse:
        cls = _class(hub, plugin)
        way = way_of(cls, request.args.get("way", ""))
        return _new_page(hub, cls, way, form_for(cls.Settings, only=asked(cls, way))(None))

    @pages.post("/new/<plugin>")
    @needs()
    def create(plugin: str) -> AnyResponse:
        cls = _class(hub, plugin)
        way = way_of(cls, request.form.get("way", ""))
        form = form_for(cls.Settings, only=asked(cls, way))(request.form)
        made = None if _is_incomplete(cls, way, form) else _connected(hub, cls, way, form)
        return _new_page(hub, cls, way, form, 422) if made is None else _went(cls, made)

    @pages.get("/back")
    @needs()
    def back() -> AnyResponse:
        """A person comes back from the other side, with its answer in the query."""
        try:
            answered = came_back(hub, me().business_id, me().staff_id, request.args.to_dict())
        except LookupError:
            abort(404)
        except HubError as problem:
            flash(f"It is not connected: {problem}", "bad")
            return redirect(url_for("connections.index"))
        at = answered.problem.field if isinstance(answered.problem, ConfigError) else ""
        where = {"connection_id": answered.connection_id, "at": at or None}
        return redirect(url_for("connections.one", **where))

    @pages.get("/<row_id:connection_id>")
    @needs(Role.DISPATCHER, Role.ACCOUNTANT)
    def one(connection_id: str) -> AnyResponse:
        return _one_page(hub, connection_id)

    @pages.post("/<row_id:connection_id>")
    @needs()
    def save(connection_id: str) -> AnyResponse:
        row = _row(hub, connection_id)
        cls = _class(hub, row.plugin)
        way = way_of(cls, str(row.settings.get("way", "")))
        form = settings_form(cls, row, _choices(hub, row))(request.form)
        made = _connected(hub, cls, way, form, connection_id)
        if made is None:
            return _one_page(hub, connection_id, form, 422)
        if made.approve_at:
            return _went(cls, made)
        if made.connection_id == connection_id:
            rename(hub, me().business_id, connection_id, request.form.get("title", ""))
        flash("Checked and saved.", "ok")
        return redirect(url_for("connections.one", connection_id=made.connection_id))

    @pages.post("/<row_id:connection_id>/reconnect")
    @needs()
    def reconnect(connection_id: str) -> AnyResponse:
        row = _row(hub, connection_id)
        try:
            made = approve_again(hub, me().business_id, connection_id, actor=me().actor)
        except ValidationError:
            flash("Its settings are not complete any more. Fill them in below.", "bad")
        except HubError as problem:
            flash(str(problem), "bad")
        else:
            return _went(_class(hub, row.plugin), made, again=True)
        return redirect(url_for("connections.one", connection_id=connection_id))

    @pages.post("/<row_id:connection_id>/try")
    @needs(Role.DISPATCHER)
    def once_more(connection_id: str) -> AnyResponse:
        row = _row(hub, connection_id)
        try:
            try_now(hub, me().business_id, connection_id, actor=me().actor)
        except HubError as problem:
            flash(f"Not yet: {problem}", "bad")
        else:
            flash(f"{row.title} lets the hub in. It goes on from where it stopped.", "ok")
        return redirect(url_for("connections.one", connection_id=connection_id))

    @pages.post("/<row_id:connection_id>/look")
    @needs(Role.DISPATCHER)
    def look(connection_id: str) -> AnyResponse:
        _row(hub, connection_id)
        sweep(hub, me().business_id, connection_id)
        flash("All of it is looked at now.", "ok")
        return redirect(url_for("connections.one", connection_id=connection_id))

    @pages.post("/<row_id:connection_id>/disconnect")
    @needs()
    def leave(connection_id: str) -> AnyResponse:
        row = _row(hub, connection_id)
        left = disconnect(hub, me().business_id, connection_id, actor=me().actor)
        flash(f"{row.title} is disconnected; its orders stay.", "ok")
        if left:
            flash(left, "warn")
        return redirect(url_for("connections.index"))

    @pages.post("/<row_id:connection_id>/rejects/<row_id:reject_id>/again")
    @needs(Role.DISPATCHER)
    def again(connection_id: str, reject_id: str) -> AnyResponse:
        _row(hub, connection_id)
        try:
            number = fetch_again(hub, me().business_id, connection_id, reject_id, me().actor)
        except LookupError:
            abort(404)
        except HubError as problem:
            flash(str(problem), "bad")
        else:
            flash(f"Order {number} is in.", "ok")
        return redirect(url_for("connections.one", connection_id=connection_id))

    @pages.post("/<row_id:connection_id>/rejects/<row_id:reject_id>/let-go")
    @needs(Role.DISPATCHER)
    def let_go(connection_id: str, reject_id: str) -> AnyResponse:
        _row(hub, connection_id)
        try:
            let_go_reject(hub, me().business_id, connection_id, reject_id)
        except LookupError:
            abort(404)
        flash("It is not shown any more, unless it comes again.", "ok")
        return redirect(url_for("connections.one", connection_id=connection_id))

    return pages


def _class(hub: Hub, plugin: str) -> type[Connection]:
    try:
        return class_of(hub, plugin)
    except ConfigError:
        abort(404)


def _row(hub: Hub, connection_id: str) -> ConnectionRow:
    try:
        return connection_seen(hub, me().business_id, connection_id).row
    except LookupError:
        abort(404)


def _choices(hub: Hub, row: ConnectionRow) -> Mapping[str, Sequence[Option]]:
    """What the other side offers; nothing while it does not answer or lets nobody in."""
    if row.state in ("off", "approving"):
        return {}
    try:
        return choices_of(hub, me().business_id, row.id)
    except HubError:
        return {}


def _is_incomplete(cls: type[Connection], way: Way | None, form: BaseForm) -> bool:
    """Whether something is empty that this way cannot do without; then ``form`` says all of it."""
    needed = set(way.asks) - set(way.optional) if way is not None else set()
    fields = form._fields
    empty = [name for name in needed & fields.keys() if fields[name].data in ("", None)]
    if not empty:
        return False
    try:
        cls.Settings.model_validate(_given(way, form))
    except ValidationError as error:
        place(form, error)
    for name in empty:
        if not fields[name].errors:
            blame(form, name, SENTENCES["missing"])
    return True


def _given(way: Way | None, form: BaseForm) -> dict[str, Any]:
    given: dict[str, Any] = {
        name: SecretStr(field.data) if field.control == "password" else field.data
        for name, field in form._fields.items()
        if not (field.control in ("number", "password") and field.data == "")
    }
    if way is not None:
        given["way"] = way.key
    return given


def _connected(
    hub: Hub, cls: type[Connection], way: Way | None, form: BaseForm, connection_id: str = ""
) -> Connected | None:
    """``None`` when it does not work; then ``form`` says why."""
    given = _given(way, form)
    about = {"actor": me().actor, "connection_id": connection_id}
    try:
        return connect(hub, me().business_id, cls.key, given, **about)
    except ValidationError as error:
        place(form, error)
    except AlreadyConnected as problem:
        form.already = problem
    except ConfigError as problem:
        blame(form, problem.field, str(problem))
        for name, sentence in problem.also.items():
            blame(form, name, sentence)
    except HubError as problem:
        blame(form, "", str(problem))
    return None


def _went(cls: type[Connection], made: Connected, *, again: bool = False) -> AnyResponse:
    if made.approve_at:
        return page("panel/connections_approve.html", kind=cls.title, url=made.approve_at)
    flash(f"{cls.title} is connected{' again' if again else ''}. Its orders come in now.", "ok")
    return redirect(url_for("connections.one", connection_id=made.connection_id))


def _new_page(
    hub: Hub, cls: type[Connection], way: Way | None, form: BaseForm, status: int = 200
) -> AnyResponse:
    answer = page("panel/connections_new.html", kind=cls, way=way, form=form, back=back_url(hub))
    answer.status_code = status
    return answer


def _one_page(
    hub: Hub, connection_id: str, form: BaseForm | None = None, status: int = 200
) -> AnyResponse:
    try:
        seen = connection_seen(hub, me().business_id, connection_id)
    except LookupError:
        abort(404)
    is_owner = me().role == Role.OWNER
    try:
        cls = class_of(hub, seen.row.plugin)
    except ConfigError:
        cls = None
    choices = _choices(hub, seen.row) if is_owner else {}
    if form is None and cls is not None and is_owner:
        form = settings_form(cls, seen.row, choices)(None, data=dict(seen.row.settings))
        if seen.row.state == "approving" and request.args.get("at") in form._fields:
            blame(form, request.args["at"], seen.row.last_error)
    answer = page(
        "panel/connections_one.html",
        seen=seen,
        row=seen.row,
        cls=cls,
        way=way_of(cls, str(seen.row.settings.get("way", ""))) if cls else None,
        back=back_url(hub),
        form=form,
        is_blamed=form is not None and any(field.errors for field in form._fields.values()),
        lets_in=bool(choices),
        rejects=rejects_of(hub, me().business_id, connection_id),
        hook=webhook_url(hub, me().business_id, connection_id) if is_owner else "",
        can_be_called=hub.settings.public_url.startswith("https://"),
        clock=Clock.of(me().zone),
    )
    answer.status_code = status
    return answer
