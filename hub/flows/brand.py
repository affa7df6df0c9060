"""How a business looks to its customers: its brands, each with name, colours, logo, words.

Every business is born with one, the usual one. Connections and orders name another by its short
name, which stays what it is for as long as the brand lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    BaseModel,
    EmailStr,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    field_validator,
)
from sqlmodel import Session, col, delete, select

from hub.core.branding import FONT_NAMES, USUAL_COLOUR, sender_id_problem, slug_of
from hub.core.colours import is_colour
from hub.core.jobs import State
from hub.core.tracking_words import MOST_OWN_WORDS
from hub.db.tables import (
    BrandDomainRow,
    BrandRow,
    BusinessRow,
    ConnectionRow,
    JobRow,
    NoticeWordingRow,
    OrderRow,
)
from hub.flows.audit import note
from hub.flows.brands import brands_of, named
from hub.flows.log_in import NotAccepted
from hub.flows.logo import logo_webp
from hub.flows.tongues import languages

if TYPE_CHECKING:
    from hub.app import Hub

MOST_BRANDS = 50
RESERVED = frozenset({"usual", "brands", "sources"})
"""What stands in the panel's addresses where a short name would."""
FontKey = Literal["system", "humanist", "serif", "rounded", "condensed", "mono"]
_email = TypeAdapter(EmailStr)
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MOST_OWN_WORDS)]


class Texts(BaseModel):
    """The business's own words on the customer's page."""

    greeting: Paragraph = Field(
        default="", title="A line below the status", description="Such as: Baked this morning."
    )
    thanks: Paragraph = Field(default="", title="A line once it is delivered")
    help: Paragraph = Field(
        default="",
        title="What to do when something is wrong",
        description="Shown when it is late or did not work out.",
    )


class BrandIn(BaseModel):
    """What may be typed into the branding form."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        title="Name customers see", max_length=200
    )
    colour: str = Field(
        default=USUAL_COLOUR, title="Colour", description="Of buttons and of how far it is."
    )
    header_colour: str = Field(
        default="",
        title="Colour of the bar at the top",
        description="Like #1a2b3c. Empty: your colour.",
    )
    font: FontKey = Field(
        default="system",
        title="Letters",
        description="Of those a phone has already, so that the page stays light.",
        json_schema_extra={"labels": dict(FONT_NAMES)},
    )
    phone: Annotated[Line, Field(max_length=60)] = Field(default="", title="Phone for customers")
    email: Line = Field(default="", title="E-mail for customers")
    website: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = Field(
        default="", title="Website", description="Begins with https://"
    )
    sender_name: Annotated[Line, Field(max_length=60)] = Field(
        default="", title="Name messages come from", description="Empty: the name customers see."
    )
    reply_to: Line = Field(
        default="",
        title="Answers to e-mails go to",
        description="Empty: the e-mail for customers.",
    )
    sms_sender: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        default="",
        title="Name texts come from",
        description="3 to 11 plain letters and digits. Nobody can answer to a name, some countries"
        " want it registered, and some allow none. Empty: the sender set up for texts.",
    )
    texts: Texts = Texts()
    texts_in: dict[str, Texts] = {}

    @field_validator("colour", "header_colour")
    @classmethod
    def _colour(cls, colour: str, info: ValidationInfo) -> str:
        if info.field_name == "header_colour" and not colour.strip():
            return ""
        if not is_colour(colour.strip()):
            raise ValueError("Write the colour like #0f6b5c.")
        return colour.strip().lower()

    @field_validator("email", "reply_to")
    @classmethod
    def _address(cls, email: str) -> str:
        if email:
            try:
                _email.validate_python(email)
            except ValueError:
                raise ValueError("This is not an e-mail address.") from None
            if not email.rpartition("@")[0].isascii():
                raise ValueError("Most mail servers take plain letters alone before the @.")
        return email

    @field_validator("website")
    @classmethod
    def _link(cls, website: str) -> str:
        if website and not website.lower().startswith(("https://", "http://")):
            raise ValueError("A website begins with https://")
        return website

    @field_validator("name", "sender_name", "phone", "website")
    @classmethod
    def _one_line(cls, text: str) -> str:
        """It becomes the header of a mail, or an address that is opened."""
        if not text.isprintable():
            raise ValueError("Use one line of letters and signs.")
        return text

    @field_validator("sms_sender")
    @classmethod
    def _sender_id(cls, text: str) -> str:
        if text and (problem := sender_id_problem(text)):
            raise ValueError(problem)
        return text

    @field_validator("texts_in")
    @classmethod
    def _spoken(cls, texts: dict[str, Texts]) -> dict[str, Texts]:
        return {code: words for code, words in texts.items() if code in languages()}


def brand_of(hub: Hub, business_id: str, slug: str = "") -> BrandRow:
    """The brand with this short name, empty for the usual one. Raises ``LookupError``."""
    with hub.reading() as session:
        return _ours(session, business_id, slug)


def all_brands(hub: Hub, business_id: str) -> list[BrandRow]:
    """The usual one first, then by name."""
    with hub.reading() as session:
        return brands_of(session, business_id)


def save_brand(
    hub: Hub,
    business_id: str,
    given: BrandIn,
    slug: str = "",
    *,
    logo: bytes | None = None,
    drop_logo: bool = False,
    actor: str,
) -> BrandRow:
    """The brand as stored. ``logo`` ``None`` keeps the one there is. Raises ``NotAccepted``,
    and ``LookupError`` for a brand of somebody else.
    """
    drawn = logo_webp(logo) if logo else None
    with hub.unit() as unit:
        row = _ours(unit.session, business_id, slug)
        for name, value in given.model_dump(exclude={"texts", "texts_in"}).items():
            setattr(row, name, value)
        row.texts = _written(given.texts)
        row.texts_in = {
            code: words for code, texts in given.texts_in.items() if (words := _written(texts))
        }
        if drawn or drop_logo:
            row.logo = drawn
        note(hub, unit.session, business_id, actor, "brand saved", given.name)
    return row


def add_brand(hub: Hub, business_id: str, name: str, *, actor: str) -> str:
    """Another brand of this name, that looks like the usual one but for name and logo; its short
    name. Raises ``NotAccepted``.
    """
    name = name.strip()
    if not name or len(name) > 200 or not name.isprintable():
        raise NotAccepted("name", "Give the brand a name of at most 200 letters.")
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        known = brands_of(unit.session, business_id)
        if len(known) >= MOST_BRANDS:
            raise NotAccepted("name", f"A business has at most {MOST_BRANDS} brands.")
        if named(known, name) is not None:
            raise NotAccepted(
                "name", "There is a brand of this name, or one that reads alike, already."
            )
        like, slug = known[0], slug_of(name)
        row = BrandRow(
            business_id=business_id,
            slug=f"{slug}-brand" if slug in RESERVED else slug,
            is_usual=False,
            name=name,
            colour=like.colour,
            header_colour=like.header_colour,
            font=like.font,
            phone=like.phone,
            email=like.email,
            website=like.website,
        )
        unit.session.add(row)
        note(hub, unit.session, business_id, actor, "brand added", name)
        return row.slug


def make_usual(hub: Hub, business_id: str, slug: str, *, actor: str) -> None:
    """From now on whatever names no brand is of this one. Raises ``LookupError``."""
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        chosen = _ours(unit.session, business_id, slug)
        for row in brands_of(unit.session, business_id):
            row.is_usual = row.id == chosen.id
        note(hub, unit.session, business_id, actor, "usual brand chosen", chosen.name)


def remove_brand(hub: Hub, business_id: str, slug: str, *, actor: str) -> int:
    """Forget a brand with its words and its domain; how many finished orders of it now look like
    the usual one.

    Raises ``NotAccepted`` for the usual one, and while a connection or an order that is not done
    names it; ``LookupError`` for one there is not.
    """
    with hub.unit() as unit:
        session = unit.session
        session.get_one(BusinessRow, business_id, with_for_update=True)
        row = _ours(session, business_id, slug)
        if row.is_usual:
            raise NotAccepted("brand", "This is the usual brand. Make another one usual first.")
        named_by = session.exec(
            select(ConnectionRow.title).where(
                ConnectionRow.business_id == business_id, ConnectionRow.brand == row.slug
            )
        ).all()
        if named_by:
            raise NotAccepted(
                "brand", f"{', '.join(named_by)} brings orders of this brand. Change that first."
            )
        orders = _naming(session, row)
        if waiting := _waiting(session, business_id, orders):
            raise NotAccepted(
                "brand",
                f"{waiting} of its orders {'is' if waiting == 1 else 'are'} not done yet."
                " Remove it once they are.",
            )
        session.exec(
            delete(NoticeWordingRow).where(
                col(NoticeWordingRow.business_id) == business_id,
                col(NoticeWordingRow.brand) == row.slug,
            )
        )
        session.exec(
            delete(BrandDomainRow).where(
                col(BrandDomainRow.business_id) == business_id,
                col(BrandDomainRow.brand_id) == row.id,
            )
        )
        session.flush()
        session.delete(row)
        note(hub, unit.session, business_id, actor, "brand removed", row.name)
        return len(orders)


def connections_with_brand(hub: Hub, business_id: str) -> list[tuple[str, str, str]]:
    """Of each connection its slug, its title and the short name of its brand, empty for none."""
    with hub.reading() as session:
        rows = session.exec(
            select(ConnectionRow.slug, ConnectionRow.title, ConnectionRow.brand)
            .where(ConnectionRow.business_id == business_id)
            .order_by(col(ConnectionRow.title), col(ConnectionRow.slug))
        )
        return [(slug, title, brand) for slug, title, brand in rows]


def choose_brand(hub: Hub, business_id: str, slug: str, connection: str, *, actor: str) -> None:
    """Orders of this connection (its slug) are of that brand, empty for the usual one; those that
    name one themselves stay so. Raises ``LookupError``.
    """
    with hub.unit() as unit:
        brand = _ours(unit.session, business_id, slug) if slug else None
        row = unit.session.exec(
            select(ConnectionRow).where(
                ConnectionRow.business_id == business_id, ConnectionRow.slug == connection
            )
        ).one_or_none()
        if row is None:
            raise LookupError("There is no such connection.")
        row.brand = brand.slug if brand else ""
        note(hub, unit.session, business_id, actor, "brand of a connection chosen", row.title)


def _ours(session: Session, business_id: str, slug: str) -> BrandRow:
    rows = brands_of(session, business_id)
    found = next((row for row in rows if row.slug == slug or (not slug and row.is_usual)), None)
    if found is None:
        raise LookupError("There is no such brand.")
    return found


def _naming(session: Session, brand: BrandRow) -> list[str]:
    """Ids of the orders that name it, in whichever way."""
    told = col(OrderRow.report)["brand"].as_string()
    rows = session.exec(
        select(OrderRow.id, told).where(OrderRow.business_id == brand.business_id, told != "")
    )
    return [id_ for id_, name in rows if named([brand], name) is not None]


def _waiting(session: Session, business_id: str, orders: list[str]) -> int:
    """How many of these orders have something to do."""
    busy = set(
        session.exec(
            select(JobRow.order_id).where(
                JobRow.business_id == business_id, JobRow.state != State.CLOSED
            )
        )
    )
    return len(busy.intersection(orders))


def _written(texts: Texts) -> dict[str, str]:
    return {name: text for name, text in texts.model_dump().items() if text}
