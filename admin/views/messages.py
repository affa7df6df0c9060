"""How recipients are told: channels, rules with their words, and what became of each notice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_admin.form import BaseForm
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from admin.cells import local
from admin.forms import form_for, read
from admin.mail_shown import mail_shown
from admin.views.providers import form_of, installed, offered, save_form, titles
from admin.words import NOTICES, RECEIPTS, ROLES, TRIGGERS
from hub.core.contracts import NotificationChannel, TakesReplies
from hub.core.errors import HubError, MaybeSent
from hub.core.manners import RINGS
from hub.core.notice_words import VARIABLES
from hub.core.notices import Trigger
from hub.core.sms import as_sms
from hub.core.values import Role as ContactRole
from hub.db.tables import BrandRow, ChoiceRow, NoticeRow, NoticeRuleRow
from hub.flows.brand import all_brands
from hub.flows.choices import choice, choices, hook_of, switch
from hub.flows.log_in import Role
from hub.flows.notice_known import STAND_IN
from hub.flows.notice_mail import reach_of
from hub.flows.notice_rules import (
    RuleIn,
    WordingIn,
    add_role,
    add_rules,
    recent,
    rule_of,
    rules_of,
    save_rule,
    save_wording,
    wordings_of,
)
from hub.flows.notice_samples import orders_to_try, sampled, send_test
from hub.flows.tongues import languages
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
        return _channel_page(hub, cls, row, form_of(cls, row))

    @pages.post("/channels/<key>")
    @needs()
    def save_channel(key: str) -> AnyResponse:
        cls = installed(hub, NotificationChannel, key)
        form = form_for(cls.Settings)(request.form)
        if not save_form(hub, "channel", cls, form):
            row = choice(hub, me().business_id, "channel", key)
            return _channel_page(hub, cls, row, form, 422)
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
        to, brand = request.form.get("to", "").strip(), request.form.get("brand", "")
        try:
            send_test(hub, me().business_id, key, to, actor=me().actor, brand=brand)
        except LookupError:
            abort(404)
        except MaybeSent as doubt:
            flash(f"{doubt} The test may have arrived all the same; look for it.", "warn")
        except HubError as problem:
            flash(f"The test did not leave: {problem}", "bad")
        else:
            flash(f"A test is on its way to {to}.", "ok")
        return redirect(url_for("messages.channel", key=key, brand=brand or None))

    @pages.get("/rules/<row_id:rule_id>")
    @needs()
    def rule(rule_id: str) -> AnyResponse:
        row = _rule(hub, rule_id)
        return _rule_page(hub, row, _rule_form(hub, row)(None, data=row.model_dump()))

    @pages.get("/rules/<row_id:rule_id>/mail")
    @needs()
    def mail(rule_id: str) -> AnyResponse:
        """What stands in the frame of the rule's page."""
        orders, brands = orders_to_try(hub, me().business_id), all_brands(hub, me().business_id)
        try:
            about = _sample(orders, brands)
            shown, brand = sampled(hub, me().business_id, rule_id, **about)
        except LookupError:
            abort(404)
        if not shown.html:
            abort(404)
        return mail_shown(shown.html, brand)

    @pages.post("/rules/<row_id:rule_id>")
    @needs()
    def save(rule_id: str) -> AnyResponse:
        row = _rule(hub, rule_id)
        form = _rule_form(hub, row)(request.form)
        given = _given(form, row)
        if given is None:
            return _rule_page(hub, row, form, 422)
        save_rule(hub, me().business_id, rule_id, given, actor=me().actor)
        flash("Saved.", "ok")
        return redirect(url_for("messages.rule", rule_id=rule_id))

    @pages.post("/rules/<row_id:rule_id>/languages")
    @needs()
    def language(rule_id: str) -> AnyResponse:
        row = _rule(hub, rule_id)
        form = form_for(WordingIn)(request.form)
        given = read(form, WordingIn)
        if given is None:
            words = _rule_form(hub, row)(None, data=row.model_dump())
            return _rule_page(hub, row, words, 422, wording=form)
        try:
            save_wording(hub, me().business_id, rule_id, given, actor=me().actor)
        except LookupError:
            abort(404)
        flash("Saved." if given.body else "Those words are gone.", "ok")
        return redirect(url_for("messages.rule", rule_id=rule_id))

    @pages.post("/rules/<row_id:rule_id>/roles")
    @needs()
    def another_role(rule_id: str) -> AnyResponse:
        try:
            role = ContactRole(request.form.get("role", ""))
            other = add_role(hub, me().business_id, rule_id, role, actor=me().actor)
        except (ValueError, LookupError):
            abort(404)
        flash("Write what they are told, and switch it on.", "ok")
        return redirect(url_for("messages.rule", rule_id=other))

    return pages


def _rule_form(hub: Hub, row: NoticeRuleRow) -> type[BaseForm]:
    """What is asked of this rule: only what rings minds the night, only some wait."""
    others = [(key, title) for key, title in titles(hub, NotificationChannel).items()]
    options = {"fallback": [("", "none"), *(one for one in others if one[0] != row.channel)]}
    only = {"active", "subject", "body", "fallback"}
    if reach_of(hub, row.channel) in RINGS:
        only |= {"in_quiet"}
        only -= {"subject"}
    if row.trigger == Trigger.NEAR:
        only |= {"minutes", "stops"}
    if row.trigger == Trigger.REVIEW:
        only |= {"minutes"}
    form: type[BaseForm] = form_for(RuleIn, options, only)
    return form


def _rules(hub: Hub) -> list[tuple[NoticeRuleRow, str, str, str, str]]:
    """Each rule, when it is used, by which channel, who stands in for that channel, and what
    its reader sees first.
    """
    named = titles(hub, NotificationChannel)
    in_use = {row.plugin for row in choices(hub, me().business_id, "channel") if row.active}
    stand_in = named.get(STAND_IN, "") if STAND_IN in in_use else ""
    return [
        (
            rule,
            _when(rule),
            named.get(rule.channel, rule.channel),
            "" if rule.channel in in_use else stand_in,
            _first_words(rule) if reach_of(hub, rule.channel) in RINGS else rule.subject,
        )
        for rule in rules_of(hub, me().business_id)
    ]


def _first_words(rule: NoticeRuleRow) -> str:
    """Of a text, which has no subject; without the link that it ends with."""
    return " ".join(rule.body.replace("{link}", "").split())


def _given(form: BaseForm, row: NoticeRuleRow) -> RuleIn | None:
    """What was typed, over what this form does not ask for."""
    kept = {name: getattr(row, name) for name in RuleIn.model_fields if name not in form._fields}
    return read(form, RuleIn, kept)


def _rule(hub: Hub, rule_id: str) -> NoticeRuleRow:
    try:
        return rule_of(hub, me().business_id, rule_id)
    except LookupError:
        abort(404)


def _when(rule: NoticeRuleRow) -> str:
    """ "The driver is at the door", and whom it tells if that is not the recipient."""
    words = TRIGGERS.get(Trigger(rule.trigger), rule.trigger)
    return words if rule.role == "recipient" else f"{words}: to {ROLES.get(rule.role, rule.role)}"


def _told(row: NoticeRow) -> dict[str, Any]:
    words, tone = RECEIPTS.get(row.receipt) or NOTICES.get(row.state, (row.state, ""))
    if row.state == "due" and row.error.startswith("Quiet hours"):
        words = f"waits until {local(row.due_at)}"
    return {
        "at": local(row.sent_at or row.created_at),
        "to": row.recipient,
        "when": TRIGGERS.get(Trigger(row.trigger), row.trigger),
        "channel": row.channel,
        "subject": row.subject if row.html or not row.body else row.body,
        "state": words,
        "tone": tone,
        "why": row.error,
        "answer": row.answer,
        "order_id": row.order_id,
    }


def _channel_page(
    hub: Hub,
    cls: type[NotificationChannel],
    row: ChoiceRow | None,
    form: BaseForm,
    status: int = 200,
) -> AnyResponse:
    hears = row is not None and row.hook and issubclass(cls, TakesReplies)
    base = hub.settings.public_url
    return page(
        "panel/messages_channel.html",
        status,
        channel=cls,
        row=row,
        form=form,
        to=me().email if cls.reaches == "email" else "",
        brands=[(one.slug, one.name) for one in all_brands(hub, me().business_id)],
        brand=request.values.get("brand", ""),
        answers_at=f"{base}/hooks/answer/{hook_of(hub, row.id)}" if row and hears else "",
        is_reached=base.startswith("https://"),
    )


def _rule_page(
    hub: Hub,
    row: NoticeRuleRow,
    form: BaseForm,
    status: int = 200,
    wording: BaseForm | None = None,
) -> AnyResponse:
    """``wording``: what was typed in another language, and is wrong."""
    form.body.control = "area"
    others = wordings_of(hub, me().business_id, row.id)
    forms = [_wording_form(one.model_dump()) for one in others]
    if wording is not None:
        wording.body.control = "area"
    orders, brands = orders_to_try(hub, me().business_id), all_brands(hub, me().business_id)
    about = _sample(orders, brands)
    mail, _ = sampled(hub, me().business_id, row.id, **about)
    rings = reach_of(hub, row.channel) in RINGS
    answer = page(
        "panel/messages_rule.html",
        status,
        by=titles(hub, NotificationChannel).get(row.channel, row.channel),
        when=_when(row),
        form=form,
        variables=VARIABLES,
        subject="" if rings else mail.subject,
        text=Markup.escape(mail.text),
        is_mail=bool(mail.html),
        sms=as_sms(mail.text) if reach_of(hub, row.channel) == "phone" else None,
        orders=[(id_, f"order {number}") for id_, number in orders],
        about=about,
        languages=list(languages().items()),
        row=row,
        wordings=forms,
        brands={one.slug: one.name for one in brands},
        another=wording or _wording_form({"subject": row.subject, "body": row.body}),
        is_open=wording is not None,
        rings=rings,
        roles={key: words for key, words in ROLES.items() if key != row.role},
    )
    policy = answer.headers["Content-Security-Policy"]
    answer.headers["Content-Security-Policy"] = f"{policy}; frame-src 'self'"
    return answer


def _sample(orders: Sequence[tuple[str, str]], brands: Sequence[BrandRow]) -> dict[str, Any]:
    """What the preview is about, as ``sampled`` takes it; what is not among these is left out."""
    asked = {name: request.args.get(name, "") for name in ("order", "brand", "language")}
    return {
        "order_id": asked["order"] if asked["order"] in dict(orders) else None,
        "brand": asked["brand"] if asked["brand"] in {one.slug for one in brands} else "",
        "language": asked["language"] if asked["language"] in languages() else "",
    }


def _wording_form(data: dict[str, Any]) -> BaseForm:
    form: BaseForm = form_for(WordingIn)(None, data=data)
    form.body.control = "area"
    return form
