"""How recipients are told: channels, rules with their words, and what became of each notice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_admin.form import BaseForm
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from admin.cells import local
from admin.forms import form_for, read
from admin.views.providers import form_of, installed, offered, save_form, titles
from admin.words import NOTICES, TRIGGERS
from hub.core.contracts import NotificationChannel
from hub.core.errors import HubError, MaybeSent
from hub.core.notice_words import VARIABLES
from hub.core.notices import Trigger
from hub.db.tables import ChoiceRow, NoticeRow, NoticeRuleRow
from hub.flows.choices import choice, choices, switch
from hub.flows.log_in import Role
from hub.flows.notice_known import STAND_IN
from hub.flows.notice_rules import RuleIn, add_rules, recent, rule_of, rules_of, save_rule
from hub.flows.notice_samples import preview, send_test
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


def messages(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "messages", __name__, url_prefix="/panel/messages", template_folder="../templates"
    )

    @pages.get("")
    @needs(Role.DISPATCHER)
    def show() -> AnyResponse:
        return page(
            "panel/messages.html",
            channels=offered(hub, "channel"),
            rules=_rules(hub),
            notices=[_told(row) for row in recent(hub, me().business_id)],
        )

    @pages.get("/channels/<key>")
    @needs()
    def channel(key: str) -> AnyResponse:
        cls = installed(hub, NotificationChannel, key)
        row = choice(hub, me().business_id, "channel", key)
        return _channel_page(cls, row, form_of(cls, row))

    @pages.post("/channels/<key>")
    @needs()
    def save_channel(key: str) -> AnyResponse:
        cls = installed(hub, NotificationChannel, key)
        form = form_for(cls.Settings)(request.form)
        if not save_form(hub, "channel", cls, form):
            row = choice(hub, me().business_id, "channel", key)
            return _channel_page(cls, row, form, 422)
        add_rules(hub, me().business_id, key)
        flash(f"{cls.title} works. Send yourself a test.", "ok")
        return redirect(url_for("messages.channel", key=key))

    @pages.post("/channels/<key>/switch")
    @needs()
    def switch_channel(key: str) -> AnyResponse:
        active = request.form.get("active") == "1"
        try:
            switch(hub, me().business_id, "channel", key, active=active, actor=me().actor)
        except LookupError:
            abort(404)
        flash("Switched on." if active else "Switched off. Nothing is sent by it.", "ok")
        return redirect(url_for("messages.show"))

    @pages.post("/channels/<key>/test")
    @needs()
    def test(key: str) -> AnyResponse:
        installed(hub, NotificationChannel, key)
        to = request.form.get("to", "").strip()
        try:
            send_test(hub, me().business_id, key, to, actor=me().actor)
        except MaybeSent as doubt:
            flash(f"{doubt} The test may have arrived all the same; look for it.", "warn")
        except HubError as problem:
            flash(f"The test did not leave: {problem}", "bad")
        else:
            flash(f"A test is on its way to {to}.", "ok")
        return redirect(url_for("messages.channel", key=key))

    @pages.get("/rules/<row_id:rule_id>")
    @needs()
    def rule(rule_id: str) -> AnyResponse:
        row = _rule(hub, rule_id)
        return _rule_page(hub, row, form_for(RuleIn)(None, data=row.model_dump()))

    @pages.post("/rules/<row_id:rule_id>")
    @needs()
    def save(rule_id: str) -> AnyResponse:
        row = _rule(hub, rule_id)
        form = form_for(RuleIn)(request.form)
        given = read(form, RuleIn)
        if given is None:
            return _rule_page(hub, row, form, 422)
        save_rule(hub, me().business_id, rule_id, given, actor=me().actor)
        flash("Saved.", "ok")
        return redirect(url_for("messages.rule", rule_id=rule_id))

    return pages


def _rules(hub: Hub) -> list[tuple[NoticeRuleRow, str, str, str]]:
    """Each rule, when it is used, by which channel, and who stands in for that channel."""
    named = titles(hub, NotificationChannel)
    in_use = {row.plugin for row in choices(hub, me().business_id, "channel") if row.active}
    stand_in = named.get(STAND_IN, "") if STAND_IN in in_use else ""
    return [
        (
            rule,
            _when(rule),
            named.get(rule.channel, rule.channel),
            "" if rule.channel in in_use else stand_in,
        )
        for rule in rules_of(hub, me().business_id)
    ]


def _rule(hub: Hub, rule_id: str) -> NoticeRuleRow:
    try:
        return rule_of(hub, me().business_id, rule_id)
    except LookupError:
        abort(404)


def _when(rule: NoticeRuleRow) -> str:
    return TRIGGERS.get(Trigger(rule.trigger), rule.trigger)


def _told(row: NoticeRow) -> dict[str, Any]:
    words, tone = NOTICES.get(row.state, (row.state, ""))
    return {
        "at": local(row.sent_at or row.created_at),
        "to": row.recipient,
        "when": TRIGGERS.get(Trigger(row.trigger), row.trigger),
        "channel": row.channel,
        "subject": row.subject,
        "state": words,
        "tone": tone,
        "why": row.error,
        "order_id": row.order_id,
    }


def _channel_page(
    cls: type[NotificationChannel], row: ChoiceRow | None, form: BaseForm, status: int = 200
) -> AnyResponse:
    return page(
        "panel/messages_channel.html", status, channel=cls, row=row, form=form, email=me().email
    )


def _rule_page(hub: Hub, row: NoticeRuleRow, form: BaseForm, status: int = 200) -> AnyResponse:
    form.body.control = "area"
    subject, text, _ = preview(hub, me().business_id, row.id)
    return page(
        "panel/messages_rule.html",
        status,
        by=titles(hub, NotificationChannel).get(row.channel, row.channel),
        when=_when(row),
        form=form,
        variables=VARIABLES,
        subject=subject,
        text=Markup.escape(text),
    )
