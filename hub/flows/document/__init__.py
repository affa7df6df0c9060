"""The proof of one job as a PDF: everything known of the hand-over, and how to check it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hub.core.business import BusinessSettings
from hub.core.jobs import Outcome
from hub.core.tracking_page import first_name
from hub.core.values import Address, Role
from hub.core.visibility import PAGES, Fact, Moment, Reader, Stage, shown
from hub.db.tables import ContactRow, PlaceRow
from hub.flows.document import words
from hub.flows.document.evidence import evidence, warnings
from hub.flows.document.told import Told
from hub.flows.document.where import distance_m, map_of
from hub.pdf.pod import Item, PodDocument, pod

if TYPE_CHECKING:
    from hub.app import Hub

LATE_REPORT = timedelta(minutes=2)  # sooner than this, "received later" says nothing


def pod_pdf(
    hub: Hub,
    business_id: str,
    job_id: str,
    *,
    reader: Reader | None = None,
    hurries: bool = True,
) -> bytes:
    """The document of a job's proof, A4. Raises ``LookupError`` for a job without one.

    It leaves out what the business's settings keep from its ``reader``; ``None`` is the business
    itself, which sees all. Whoever has the tracking link gets first names only. ``hurries``:
    somebody waits, so a silent store of its files is not waited for. The same proof gives the
    same bytes. A file that is lost, was changed or cannot be had is said on the page.
    Raises ``ConfigError`` while the extra ``pdf`` is not installed.
    """
    with hub.reading() as session:
        told = Told.read(session, business_id, job_id)
    return pod(_document(hub, told, reader, hurries))


def _document(hub: Hub, told: Told, reader: Reader | None, hurries: bool) -> PodDocument:
    job, proof, brand = told.job, told.proof, told.brand
    outcome, zone = Outcome(job.outcome), ZoneInfo(told.business.zone)
    seal = next((link for link in told.links if "outcome" in link.commitments), None)
    files = evidence(hub, told, hurries=hurries)
    signatures = [one for kind, one in files if kind == "signature"]
    photos = [one for kind, one in files if kind == "photo"]
    may = _may(told, reader)
    shows_photo = Fact.PHOTO in may
    return PodDocument(
        title=words.title(job.kind, outcome),
        number=told.order.number or told.order.ref,
        status=words.ended(job.kind, outcome),
        mood=words.MOODS.get(outcome, "bad"),
        why=words.reason(job.reason),
        when=words.full(proof.occurred_at, zone),
        zone=words.clock_of(proof.occurred_at, zone),
        at=proof.occurred_at.astimezone(zone),
        received_by=proof.name if Fact.RECIPIENT in may else "",
        received_head="Handed over by" if job.kind == "collect" else "Received by",
        business=brand.name if brand and brand.name else told.business.name,
        contact=[brand.phone, brand.email, brand.website] if brand else [],
        colour=told.colour,
        logo=(brand.logo or b"") if brand else b"",
        facts=_facts(told, zone, may, is_public=reader in PAGES),
        note=proof.note,
        done_head=words.KINDS[job.kind].done,
        items=_items(told, outcome) if Fact.ITEMS in may else [],
        photos=photos if shows_photo else [],
        signature=signatures[0] if signatures else None,
        others=[
            one
            for _, one in files
            if shows_photo and one not in photos and one not in signatures[:1]
        ],
        place=map_of(hub, told) if {Fact.POSITION, Fact.ADDRESS} <= may else None,
        seal=(seal.n, seal.hash) if seal else None,
        warnings=warnings(told),
        how_to_verify=[
            "To check a file: sha256sum FILE gives its fingerprint, as does any other tool for it.",
            f"To check the chain: hub verify {told.business.id} computes every link and file"
            " anew and names whatever was changed since.",
        ],
    )


def _may(told: Told, reader: Reader | None) -> frozenset[Fact]:
    """What this reader may see of a delivery that is over."""
    if reader is None:
        return frozenset(Fact)
    rules = BusinessSettings.model_validate(told.business.settings).visibility
    well = told.job.outcome in (Outcome.SUCCEEDED, Outcome.PARTIAL)
    return shown(rules, reader, Moment(Stage.DONE if well else Stage.FAILED))


def _facts(
    told: Told, zone: ZoneInfo, may: frozenset[Fact], *, is_public: bool
) -> list[tuple[str, str]]:
    """``is_public``: for whoever has the tracking link."""
    job, proof = told.job, told.proof
    who = _who(told)
    late = proof.received_at - proof.occurred_at > LATE_REPORT
    return [
        ("Customer", _named(who.name, is_public) if who and Fact.RECIPIENT in may else ""),
        ("Address", _one_line(told.place) if told.place and Fact.ADDRESS in may else ""),
        ("Time told", _promised(told, zone)),
        ("Attempt", f"number {job.attempt}" if job.attempt > 1 else ""),
        (
            "Driver",
            _named(told.driver.name, is_public) if told.driver and Fact.DRIVER in may else "",
        ),
        ("Position", _position(told, may) if Fact.POSITION in may else ""),
        ("PIN", {None: "", True: "was right", False: "was wrong"}[proof.pin_ok]),
        ("Scanned", ", ".join(proof.scans)),
        ("Reported", words.full(proof.received_at, zone) if late else ""),
    ]


def _named(full: str, is_public: bool) -> str:
    return first_name(full) if is_public else full


def _who(told: Told) -> ContactRow | None:
    """Whom the driver met: the shipper at the first leg of a pair, else the recipient."""
    fetched = told.job.kind == "collect" and Role.SHIPPER in told.contacts
    roles = [Role.SHIPPER] if fetched else [Role.RECIPIENT, Role.BUYER]
    return next((told.contacts[role] for role in roles if role in told.contacts), None)


def _one_line(place: PlaceRow) -> str:
    known: dict[str, Any] = {**place.address, "lines": tuple(place.address.get("lines", ()))}
    return Address(**known).one_line()


def _promised(told: Told, zone: ZoneInfo) -> str:
    """The window last told, and whether it was kept."""
    if (promise := told.promise) is None:
        return ""
    at, opens, closes = told.proof.occurred_at, promise.opens, promise.closes
    span = f"{words.clock(opens, zone)}–{words.clock(closes, zone)}"
    if at < opens:
        return f"{span}, {_minutes(opens - at)} early"
    return f"{span}, {_minutes(at - closes)} late" if at > closes else f"{span}, kept"


def _minutes(span: timedelta) -> str:
    minutes = max(1, round(span.total_seconds() / 60))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _position(told: Told, may: frozenset[Fact]) -> str:
    proof = told.proof
    if (at := told.at) is None:
        return f"none: {proof.no_position}" if proof.no_position else "none was recorded"
    said = f"{at.lat:.5f}, {at.lon:.5f}"
    if proof.accuracy_m is not None:
        said += f" ± {proof.accuracy_m:.0f} m"
    if Fact.ADDRESS in may and (door := told.door) is not None:
        said += f", {_length(distance_m(at, door))} from the address"
    if proof.position_age_s is not None and proof.position_age_s > 30:
        said += f" (read {_minutes(timedelta(seconds=proof.position_age_s))} before)"
    return said


def _items(told: Told, outcome: Outcome) -> list[Item]:
    """What was ordered and what changed hands.

    Lines nobody counted: all of them in a success, none in a failure, unknown in between.
    """
    counted = {line["n"]: line for line in told.proof.lines if isinstance(line.get("n"), int)}
    items = []
    for line in told.lines:
        known = counted.pop(line.n, {})
        usual = {Outcome.SUCCEEDED: line.quantity, Outcome.PARTIAL: None}.get(outcome, 0)
        done = _count(known["delivered"]) if "delivered" in known else usual
        items.append(Item(line.title, line.quantity, done, _remark(known)))
    for extra in counted.values():  # the order had it when the driver counted, and no longer has
        titled = str(extra.get("title", "")) or "A line no longer in the order"
        ordered, done = _count(extra.get("ordered")), _count(extra.get("delivered"))
        items.append(Item(titled, ordered, done, _remark(extra)))
    return items


def _count(said: object) -> int | None:
    """A phone's number; ``None`` for what is none."""
    return said if isinstance(said, int) and not isinstance(said, bool) else None


def _remark(line: Mapping[str, Any]) -> str:
    return words.reason(str(line.get("reason", "")))


def _length(metres: float) -> str:
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.1f} km"
