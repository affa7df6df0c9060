"""Who sees what of a delivery: the customer's page, messages, the store, the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from hub.core.business import Trade, suggested
from hub.core.visibility import FACTS, PAGES, Fact, Reader, Visibility
from hub.flows.business import business_of
from hub.flows.privacy import field, save_visibility, typed
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

SINCE = [
    ("always", "Always"),
    ("stops", "From so many stops before"),
    ("minutes", "From so many minutes before"),
    ("metres", "From so many metres away"),
    ("never", "Never"),
]
ON_THE_PAGE = {
    Fact.POSITION: (
        "Where the driver is",
        "While he drives. Further away it says where others live.",
    ),
    Fact.ROUTE: ("The road to the customer", "On the map, once nobody else comes first."),
    Fact.DRIVER: ("The driver's first name", "From when he sets out until he has left the door."),
    Fact.STOPS: ("How many stops come first", "While he drives."),
    Fact.RECIPIENT: ("The customer's first name", "When it is done: the name given at the door."),
    Fact.ADDRESS: ("The address", "Street and town, until it is done. Never the flat."),
    Fact.ITEMS: ("What is in the order", "What somebody takes can say what ails them."),
    Fact.PHOTO: ("The photo taken at the door", "Once it is done."),
    Fact.PAYMENT: ("What is to pay at the door", "Until it is done."),
}
BY_LINK = {
    Reader.GIFT: (
        "The recipient's page, where somebody else bought it",
        "The same link. A present should stay one: as you begin, it names no items.",
    ),
    Reader.BUYER: (
        "The buyer's page, where it goes to somebody else",
        "A link of their own. As you begin, it hides where the recipient lives and the driver is.",
    ),
    Reader.SITE: ("The site contact's page", "Whoever opens the gate: a caretaker, a foreman."),
    Reader.SHIPPER: ("The shipper's page", "Whoever sent it off."),
}
OTHERWISE = {
    (Reader.MESSAGES, Fact.RECIPIENT): "The customer's name",
    (Reader.MESSAGES, Fact.ADDRESS): "The address",
    (Reader.STORE, Fact.POSITION): "Where it was handed over",
    (Reader.STORE, Fact.RECIPIENT): "Who took it",
    (Reader.STORE, Fact.ITEMS): "What the items are called",
    (Reader.STORE, Fact.PHOTO): "Photos",
    (Reader.BOOKS, Fact.POSITION): "Where it was handed over",
    (Reader.BOOKS, Fact.DRIVER): "The driver's name",
    (Reader.BOOKS, Fact.RECIPIENT): "The customer's name, and who took it",
    (Reader.BOOKS, Fact.ADDRESS): "The address",
    (Reader.BOOKS, Fact.ITEMS): "What the items are called",
    (Reader.BOOKS, Fact.PHOTO): "Photos",
}
READERS = {
    Reader.MESSAGES: (
        "Messages to customers",
        "Somebody else may read them: a mail box is shared.",
    ),
    Reader.STORE: ("The store an order came from", "What it is told of a delivery."),
    Reader.BOOKS: ("The books", "What is filed there, the proof as PDF too."),
}


def privacy(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "privacy", __name__, url_prefix="/panel/settings/privacy", template_folder="../templates"
    )

    @pages.get("")
    @needs()
    def show() -> AnyResponse:
        _, kept = business_of(hub, me().business_id)
        return _page(as_sent(kept.visibility))

    @pages.post("")
    @needs()
    def save() -> AnyResponse:
        if "suggest" in request.form:
            row, _ = business_of(hub, me().business_id)
            return _page(as_sent(suggested(Trade(row.trade)).visibility), is_suggestion=True)
        rules, wrong = typed(request.form)
        if wrong:
            return _page(request.form.to_dict(), wrong, 422)
        save_visibility(hub, me().business_id, rules, actor=me().actor)
        flash("Saved. Open pages follow within seconds.", "ok")
        return redirect(url_for("privacy.show"))

    return pages


def as_sent(rules: Visibility) -> dict[str, str]:
    """``rules`` as the form would send them."""
    sent: dict[str, str] = {}
    for reader, facts in FACTS.items():
        for fact in facts:
            rule = rules.of(reader).get(fact)
            since = rule.since if rule else "never"
            if reader in PAGES:
                sent[field(reader, fact)] = since
                counts = rule is not None and since not in ("always", "never")
                sent[f"{field(reader, fact)}-at"] = str(rule.at) if counts else ""
            elif since != "never":
                sent[field(reader, fact)] = "1"
    return sent


def _rows(reader: Reader) -> list[tuple[str, str, str]]:
    return [(field(reader, fact), *said) for fact, said in ON_THE_PAGE.items()]


def _page(
    sent: dict[str, str],
    wrong: dict[str, str] | None = None,
    status: int = 200,
    *,
    is_suggestion: bool = False,
) -> AnyResponse:
    on_the_page = _rows(Reader.PAGE)
    by_link = [(title, hint, _rows(reader)) for reader, (title, hint) in BY_LINK.items()]
    others = [
        (title, hint, [(field(reader, fact), OTHERWISE[reader, fact]) for fact in FACTS[reader]])
        for reader, (title, hint) in READERS.items()
    ]
    return page(
        "panel/privacy.html",
        status,
        sent=sent,
        wrong=wrong or {},
        since=SINCE,
        on_the_page=on_the_page,
        by_link=by_link,
        others=others,
        is_suggestion=is_suggestion,
    )
