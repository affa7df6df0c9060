"""From an order and a rule to the words, plain and branded, that its recipient gets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from sqlmodel import Session, col, func, select

from hub.core.branding import mail_font, office_font, palette
from hub.core.business import BusinessSettings
from hub.core.contracts import InlineFile, NotificationChannel, Reaches
from hub.core.jobs import NextStep, Outcome, Reason, State, next_step
from hub.core.kept_back import for_contact, for_messages
from hub.core.manners import RINGS
from hub.core.notice_words import (
    About,
    came_with_the_hub,
    filled,
    filled_line,
    flowing,
    values,
)
from hub.core.notices import Trigger
from hub.core.orders import Kind
from hub.core.values import Contact, Role, TimeWindow
from hub.core.visibility import page_reader
from hub.db.tables import (
    BrandRow,
    BusinessRow,
    ContactRow,
    EstimateRow,
    JobRow,
    NoticeRow,
    OrderRow,
    PlaceRow,
    PromiseRow,
    ProofRow,
)
from hub.flows.brands import Brands
from hub.flows.links import url_of, whose
from hub.flows.logo import logo_png
from hub.flows.promises import in_force, work_begins
from hub.flows.sync import address_document
from hub.flows.tongues import Spoken, tongue

if TYPE_CHECKING:
    from datetime import datetime

    from hub.app import Hub

LRM = "\u200e"  # Unicode's left-to-right mark
LOGO = "logo@lastmilehub"  # a content id looks like an address (RFC 2392)
_templates = Environment(
    loader=PackageLoader("hub.flows", "notice_templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
)
# From when to when, and a telephone number: a mail program breaks them at their blanks.
_WHOLE = re.compile(r"\d\d:\d\d – \d\d:\d\d|\+\d[\d ]{5,}\d")


@dataclass(frozen=True, slots=True)
class Mail:
    """A notice in all its forms. ``subject`` is one line; both bodies say the same."""

    subject: str
    text: str
    html: str


def composed(
    hub: Hub,
    business: BusinessRow,
    brand: BrandRow,
    subject: str,
    body: str,
    about: About,
    reaches: Reaches = "email",
    stop_link: str = "",
) -> Mail:
    """The rule's ``subject`` and ``body`` about one order, in the business's colours; for what
    ``reaches`` a phone the body alone. ``stop_link``: where its reader says that it is enough.

    Without what the business keeps out of its messages.
    """
    rules = BusinessSettings.model_validate(business.settings).visibility
    spoken = tongue(about.language, business.language)
    said = values(for_messages(about, rules), ZoneInfo(business.zone), spoken)
    if spoken.direction == "rtl" and said["phone"]:
        said["phone"] = f"{LRM}{said['phone']}{LRM}"  # else its groups change places
    # Texts that a business left as they were are translated; its own words are its own.
    title, words = filled_line(spoken.say(subject), said), filled(spoken.say(body), said)
    if reaches in RINGS:
        return Mail(title, words, "")
    painted = palette(brand.colour, brand.header_colour)
    given = {
        "tongue": spoken,
        "subject": title,
        "body": words,
        # A business's own words are in whichever language it wrote them.
        "words_direction": spoken.direction if spoken.say(body) != body else "auto",
        "paragraphs": [list(map(unbroken, lines)) for lines in _paragraphs(body, words)],
        "preheader": _preheader(words),
        "link": about.link,
        "brand": about.brand,
        "phone": brand.phone,
        "email": brand.email,
        "website": brand.website if brand.website.startswith(("https://", "http://")) else "",
        "logo": f"cid:{LOGO}" if brand.logo and logo_png(brand.logo) else "",
        "colour": painted.colour,
        "on_colour": painted.on_colour,
        "bar": painted.header,
        "on_bar": painted.on_header,
        "font": Markup(mail_font(brand.font)),  # noqa: S704  (ours, whatever the brand says)
        "office_font": Markup(office_font(brand.font)),  # noqa: S704
        "written": _written(hub.now().astimezone(ZoneInfo(business.zone)), spoken),
        "stop_link": stop_link,
    }
    text, html = (_templates.get_template(f"notice.{form}").render(given) for form in FORMS)
    return Mail(title, text, html)


FORMS = ("txt", "html")


def unbroken(line: str) -> Markup:
    """``line`` as HTML, with times and numbers that stay on one line."""
    whole = r'<span style="white-space:nowrap;">\g<0></span>'
    return Markup(_WHOLE.sub(whole, str(escape(line))))  # noqa: S704  (escaped)


def _paragraphs(body: str, words: str) -> list[list[str]]:
    """Their lines; where a business broke a line itself it stays broken."""
    if came_with_the_hub(body):
        return flowing(words)
    return [part.split("\n") for part in words.split("\n\n")]


def stop_token_of(hub: Hub, notice_id: str) -> str:
    """What opens the page on which the reader of this notice says that it is enough."""
    return hub.keys.link_token(f"stop:{notice_id}", 1)


def stop_link_of(hub: Hub, notice_id: str, base: str = "") -> str:
    """``base``: the address of the order's brand; empty: the hub's own."""
    return f"{base or hub.settings.public_url}/u/{stop_token_of(hub, notice_id)}"


def inline_of(brand: BrandRow, html: str) -> tuple[InlineFile, ...]:
    """The pictures that ``html`` shows, as long as the brand has them."""
    logo = logo_png(brand.logo) if brand.logo and f"cid:{LOGO}" in html else b""
    return (InlineFile(LOGO, "image/png", logo),) if logo else ()


def reach_of(hub: Hub, channel: str) -> Reaches:
    """What ``channel`` reaches; nobody while its plugin is not installed."""
    try:
        return hub.registry.get(NotificationChannel, channel).reaches
    except KeyError:
        return "nobody"


def about_order(
    hub: Hub,
    session: Session,
    brands: Brands,
    order: OrderRow,
    job: JobRow | None,
    role: Role = Role.RECIPIENT,
) -> About:
    """What there is to say of an order and, where the notice has one, of its job, to the contact
    of ``role``: with the link that is theirs, and what may be seen behind it.
    """
    job, brand = job or _last_job(session, order), brands.of(order)
    theirs = whose(role, contacts_of(session, order)) if role is Role.BUYER else role
    about = About(
        order=order.number,
        brand=brand.name,
        link=url_of(hub, session, brands, order, theirs),
        phone=brand.phone,
    )
    if job is not None:
        about = _with_job(session, about, job)
    if theirs is Role.RECIPIENT:
        return about
    business = session.get_one(BusinessRow, order.business_id)
    rules = BusinessSettings.model_validate(business.settings).visibility
    return for_contact(about, rules, page_reader(theirs, is_gift=True))


def contacts_of(session: Session, order: OrderRow) -> dict[Role, Contact]:
    rows = session.exec(
        select(ContactRow).where(
            ContactRow.business_id == order.business_id, ContactRow.order_id == order.id
        )
    )
    return {
        Role(row.role): Contact(
            Role(row.role),
            name=row.name,
            phone=row.phone,
            email=row.email,
            language=row.language,
        )
        for row in rows
    }


def message_id_for(hub: Hub, notice_id: str) -> str:
    """A name for ever, the same for a repeat (RFC 5322, 3.6.4)."""
    host = urlsplit(hub.settings.public_url).hostname or "localhost"
    literal = host.replace(".", "").isdigit() or ":" in host
    return f"<notice-{notice_id}@{f'[{host}]' if literal else host}>"


def next_attempt(session: Session, job: JobRow) -> JobRow | None:
    """The attempt after this one; ``None`` while there is none."""
    return session.exec(
        select(JobRow).where(
            JobRow.business_id == job.business_id,
            JobRow.order_id == job.order_id,
            JobRow.leg == job.leg,
            JobRow.attempt == job.attempt + 1,
        )
    ).one_or_none()


def _with_job(session: Session, about: About, job: JobRow) -> About:
    promises = _promises(session, job)
    promised = TimeWindow(promises[-1].opens, promises[-1].closes) if promises else None
    about = replace(
        about,
        kind=Kind(job.kind),
        address=_address(session, job),
        window=promised,
        before=_told_before(session, job, promises),
        expected=_expected(session, job, _in_force(promises)) or promised,
    )
    return _with_outcome(session, about, job) if job.state == State.CLOSED else about


def _with_outcome(session: Session, about: About, job: JobRow) -> About:
    proof = session.exec(
        select(ProofRow).where(ProofRow.business_id == job.business_id, ProofRow.job_id == job.id)
    ).one_or_none()
    following = next_attempt(session, job)
    at_door = proof is not None and job.outcome != Outcome.CANCELLED
    return replace(
        about,
        closed_at=proof.occurred_at if proof and at_door else job.closed_occurred_at,
        received_by=proof.name if proof else "",
        reason=Reason(job.reason) if job.reason else None,
        next_step=_step(session, job),
        next_day=following.due_on if following else None,
    )


def _last_job(session: Session, order: OrderRow) -> JobRow | None:
    return session.exec(
        select(JobRow)
        .where(JobRow.business_id == order.business_id, JobRow.order_id == order.id)
        .order_by(col(JobRow.attempt).desc(), col(JobRow.leg).desc())
    ).first()


def _step(session: Session, job: JobRow) -> NextStep | None:
    """What follows: as chosen, else as the rule is about to choose."""
    if job.next_step:
        return NextStep(job.next_step)
    if not job.reason:
        return None
    business = session.get_one(BusinessRow, job.business_id)
    most = BusinessSettings.model_validate(business.settings).most_attempts
    return next_step(Reason(job.reason), job.attempt, most_attempts=most)


def _promises(session: Session, job: JobRow) -> list[PromiseRow]:
    """Every window this job was promised for, the one in force last."""
    return list(
        session.exec(
            select(PromiseRow)
            .where(PromiseRow.business_id == job.business_id, PromiseRow.job_id == job.id)
            .order_by(col(PromiseRow.n))
        )
    )


def _told_before(
    session: Session, job: JobRow, promises: Sequence[PromiseRow]
) -> TimeWindow | None:
    """What the last notice of a window said, if the promise in force is another one."""
    windows = [(TimeWindow(row.opens, row.closes), row.at) for row in promises if row.n > 0]
    if len(windows) < 2:
        return None
    told_at = session.exec(
        select(func.max(NoticeRow.sent_at)).where(
            NoticeRow.business_id == job.business_id,
            NoticeRow.job_id == job.id,
            NoticeRow.trigger == Trigger.DISPATCHED,
        )
    ).one()
    told = [window for window, at in windows if told_at is not None and at <= told_at]
    return told[-1] if told and told[-1] != windows[-1][0] else None


def expected(session: Session, job: JobRow) -> TimeWindow | None:
    """From when to when the driver is expected, as it is told; ``None``: no estimate yet."""
    return _expected(session, job, in_force(session, job.business_id, job.id))


def _in_force(promises: Sequence[PromiseRow]) -> TimeWindow | None:
    last = promises[-1] if promises and promises[-1].n > 0 else None
    return TimeWindow(last.opens, last.closes) if last else None


def _expected(session: Session, job: JobRow, told: TimeWindow | None) -> TimeWindow | None:
    estimate = session.exec(
        select(EstimateRow).where(
            EstimateRow.business_id == job.business_id, EstimateRow.job_id == job.id
        )
    ).one_or_none()
    if estimate is None:
        return None
    return work_begins(job, estimate, told).window


def _address(session: Session, job: JobRow) -> str:
    place = session.exec(
        select(PlaceRow).where(PlaceRow.business_id == job.business_id, PlaceRow.id == job.place_id)
    ).one_or_none()
    return address_document.validate_python(place.address).one_line() if place else ""


def _preheader(words: str) -> str:
    """What a mail program shows beside the subject: the first lines after the greeting."""
    parts = [" ".join(part.split()) for part in words.split("\n\n")]
    return " ".join(parts[1:] or parts)[:140]


def _written(local: datetime, spoken: Spoken) -> str:
    day, time = spoken.day_and_year(local.date()), spoken.clock(local)
    return spoken.say("{day}, {time}", day=day, time=time)
