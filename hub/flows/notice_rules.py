"""Which notices a business sends by which channel, in which words, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from sqlmodel import Session, col, select

from hub.core.business import BusinessSettings, Trade
from hub.core.manners import RINGS, InQuiet, Manners
from hub.core.notice_words import (
    MOST_SUBJECT,
    MOST_TEXT,
    VARIABLES,
    suggested_texts,
    unknown_variables,
)
from hub.core.notices import Trigger
from hub.core.values import Role
from hub.db.tables import AuditRow, BusinessRow, NoticeRow, NoticeRuleRow, NoticeWordingRow
from hub.flows.brands import brands_of
from hub.flows.notice_mail import reach_of

if TYPE_CHECKING:
    from hub.app import Hub

IN_QUIET: dict[Trigger, InQuiet] = {
    Trigger.NEAR: "send",
    Trigger.ON_ITS_WAY: "send",
    Trigger.ARRIVED: "send",
    Trigger.DELIVERED: "other",
}
MINUTES = {Trigger.NEAR: 15, Trigger.REVIEW: 60}
ORDER = {trigger.value: n for n, trigger in enumerate(Trigger)}


class WordsIn(BaseModel):
    """A subject and a text with variables, as they may be typed."""

    model_config = ConfigDict(str_strip_whitespace=True)
    subject: str = Field(default="", title="Subject", max_length=MOST_SUBJECT)
    body: str = Field(default="", title="Text", max_length=MOST_TEXT)

    @field_validator("body", mode="before")
    @classmethod
    def _lines(cls, body: object) -> object:
        """Browsers send every line break as two characters."""
        return body.replace("\r\n", "\n") if isinstance(body, str) else body

    @field_validator("subject", "body")
    @classmethod
    def _variables(cls, text: str) -> str:
        if unknown := unknown_variables(text):
            raise ValueError(
                f"There is no {{{unknown[0]}}}. You can use: "
                + ", ".join(f"{{{name}}}" for name in VARIABLES)
            )
        return text


class RuleIn(WordsIn):
    """What may be typed about one rule."""

    active: bool = Field(default=False, title="Send this")
    subject: str = Field(title="Subject", min_length=1, max_length=MOST_SUBJECT)
    body: str = Field(title="Text", min_length=1, max_length=MOST_TEXT)
    in_quiet: InQuiet = Field(
        default="send",
        title="In quiet hours",
        json_schema_extra={
            "labels": {
                "send": "It is sent all the same",
                "hold": "It waits until they are over, if it still helps then",
                "drop": "It is not sent",
                "other": "It goes by the other channel",
            }
        },
    )
    fallback: str = Field(
        default="",
        title="The other channel",
        description="Tells it where this one cannot: no address, refused, not delivered.",
        max_length=60,
    )
    minutes: int = Field(
        default=0,
        title="Minutes",
        description="Before the arrival; of “How was it?”, after it. 0: not by minutes.",
        ge=0,
        le=10_080,
    )
    stops: int = Field(
        default=0,
        title="Stops before",
        description="Told once so many stops come first. 0: not by stops.",
        ge=0,
        le=50,
    )


class WordingIn(WordsIn):
    """A rule's words in another language or for one brand, as they may be typed; an empty text
    ends them. ``language`` may be empty for a brand: in all languages without words of their own.
    """

    brand: str = Field(default="", title="For orders of", max_length=40)
    language: Annotated[str, StringConstraints(to_lower=True)] = Field(
        default="",
        title="Language",
        description="Its code, such as fi, sv or de-at",
        pattern=r"^([a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})?)?$",
        validate_default=True,
    )

    @field_validator("language")
    @classmethod
    def _of_something(cls, language: str, info: ValidationInfo) -> str:
        if not language and not info.data.get("brand"):
            raise ValueError("Please fill this in.")
        return language


def rules_of(hub: Hub, business_id: str) -> list[NoticeRuleRow]:
    """Every rule, by channel, then in the order of an order's life, then by whom it tells."""
    with hub.reading() as session:
        rows = session.exec(select(NoticeRuleRow).where(NoticeRuleRow.business_id == business_id))
        return sorted(
            rows, key=lambda row: (row.channel, ORDER.get(row.trigger, len(ORDER)), row.role)
        )


def rule_of(hub: Hub, business_id: str, rule_id: str) -> NoticeRuleRow:
    """One rule. Raises ``LookupError`` for one of another business."""
    with hub.reading() as session:
        return _ours(session, business_id, rule_id)


def save_rule(hub: Hub, business_id: str, rule_id: str, given: RuleIn, *, actor: str) -> None:
    """Keep a rule; notices that already wait take the new words. Raises ``LookupError``."""
    with hub.unit() as unit:
        row = _ours(unit.session, business_id, rule_id)
        row.active, row.subject, row.body = given.active, given.subject, given.body
        row.in_quiet, row.fallback = given.in_quiet, given.fallback
        row.minutes, row.stops = given.minutes, given.stops
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="message saved",
                subject=f"{row.trigger} by {row.channel}",
                at=hub.now(),
            )
        )


def add_rules(hub: Hub, business_id: str, channel: str) -> None:
    """Rules for a channel that has none yet, switched off: nobody is told twice by surprise.

    What rings keeps quiet at night, but for a driver who is nearly there; what is no hurry goes
    by mail then.
    """
    rings = reach_of(hub, channel) in RINGS
    with hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, business_id)
        known = set(
            unit.session.exec(
                select(NoticeRuleRow.trigger).where(
                    NoticeRuleRow.business_id == business_id, NoticeRuleRow.channel == channel
                )
            )
        )
        for trigger, text in suggested_texts(Trade(business.trade), short=rings).items():
            if trigger.value not in known:
                unit.session.add(
                    NoticeRuleRow(
                        business_id=business_id,
                        trigger=trigger,
                        channel=channel,
                        active=False,
                        subject=text.subject,
                        body=text.body,
                        within_s=text.within_s,
                        in_quiet=IN_QUIET.get(trigger, "hold") if rings else "send",
                        fallback="email" if rings else "",
                        minutes=MINUTES.get(trigger, 0),
                    )
                )


def add_role(hub: Hub, business_id: str, rule_id: str, role: Role, *, actor: str) -> str:
    """A rule by which somebody else on the order is told the same, off at first; its id, or that
    of the one there is. Raises ``LookupError``.
    """
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        row = _ours(unit.session, business_id, rule_id)
        known = unit.session.exec(
            select(NoticeRuleRow).where(
                NoticeRuleRow.business_id == business_id,
                NoticeRuleRow.trigger == row.trigger,
                NoticeRuleRow.channel == row.channel,
                NoticeRuleRow.role == role,
            )
        ).one_or_none()
        if known is not None:
            return known.id
        copy = NoticeRuleRow(
            **{**row.model_dump(exclude={"id"}), "role": role.value, "active": False}
        )
        unit.session.add(copy)
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="message added",
                subject=f"{row.trigger} by {row.channel} to {role}",
                at=hub.now(),
            )
        )
        unit.session.flush()
        return copy.id


def wordings_of(hub: Hub, business_id: str, rule_id: str) -> list[NoticeWordingRow]:
    """A rule's words in other languages and for brands, by brand and language."""
    with hub.reading() as session:
        return list(
            session.exec(
                select(NoticeWordingRow)
                .where(
                    NoticeWordingRow.business_id == business_id,
                    NoticeWordingRow.rule_id == rule_id,
                )
                .order_by(col(NoticeWordingRow.brand), col(NoticeWordingRow.language))
            )
        )


def save_wording(hub: Hub, business_id: str, rule_id: str, given: WordingIn, *, actor: str) -> None:
    """Keep a rule's words in one language, or for one brand; without a text they are forgotten.
    Raises ``LookupError``.
    """
    with hub.unit() as unit:
        rule = _ours(unit.session, business_id, rule_id)
        if given.brand and given.brand not in {
            row.slug for row in brands_of(unit.session, business_id)
        }:
            raise LookupError("There is no such brand.")
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        row = unit.session.exec(
            select(NoticeWordingRow).where(
                NoticeWordingRow.business_id == business_id,
                NoticeWordingRow.rule_id == rule_id,
                NoticeWordingRow.brand == given.brand,
                NoticeWordingRow.language == given.language,
            )
        ).one_or_none()
        if not given.body:
            if row is not None:
                unit.session.delete(row)
        else:
            row = row or NoticeWordingRow(
                business_id=business_id,
                rule_id=rule_id,
                brand=given.brand,
                language=given.language,
                body="",
            )
            row.subject, row.body = given.subject, given.body
            unit.session.add(row)
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="message saved",
                subject=f"{rule.trigger} by {rule.channel} in {given.language or 'all languages'}"
                + (f" of {given.brand}" if given.brand else ""),
                at=hub.now(),
            )
        )


def save_manners(hub: Hub, business_id: str, manners: Manners, *, actor: str) -> None:
    """Keep how recipients are treated; it counts for the next message."""
    with hub.unit() as unit:
        row = unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        kept = BusinessSettings.model_validate(row.settings)
        kept.manners = manners
        row.settings = kept.model_dump(mode="json")
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="quiet hours saved",
                subject=f"{manners.quiet_from} - {manners.quiet_to}",
                at=hub.now(),
            )
        )


def manners_of(hub: Hub, business_id: str) -> Manners:
    with hub.reading() as session:
        row = session.get_one(BusinessRow, business_id)
    return BusinessSettings.model_validate(row.settings).manners


def recent(hub: Hub, business_id: str, *, most: int = 50) -> list[NoticeRow]:
    """The latest notices, whatever became of them."""
    with hub.reading() as session:
        return list(
            session.exec(
                select(NoticeRow)
                .where(NoticeRow.business_id == business_id)
                .order_by(col(NoticeRow.created_at).desc(), col(NoticeRow.id).desc())
                .limit(most)
            )
        )


def _ours(session: Session, business_id: str, rule_id: str) -> NoticeRuleRow:
    row = session.exec(
        select(NoticeRuleRow).where(
            NoticeRuleRow.business_id == business_id, NoticeRuleRow.id == rule_id
        )
    ).one_or_none()
    if row is None:
        raise LookupError(f"no rule {rule_id}")
    return row
