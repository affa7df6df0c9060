"""What ShipStation is told of an order: one tag that says how it fares, and that it is shipped."""

from __future__ import annotations

from connectors.shipstation.client import Api, Shipped
from connectors.shipstation.settings import ShipStationSettings
from hub import ConfigError, OrderProgress, Refused

_GONE = ("on_the_way", "arrived")
_HANDED_OVER = ("succeeded", "partial")


def tell(api: Api, settings: ShipStationSettings, update: OrderProgress) -> None:
    """Safe to repeat: each step looks at the order as it is there.

    The new tag comes first and the old one goes last: an order that is shipped and wears a tag
    of ours is one we ship ourselves, and must never be read without.
    """
    off = update.stage == "cancelled" or update.outcome == "cancelled"
    tag, ship = _tag(settings, update), _ships(settings, update)
    if not (off or tag or ship):
        return
    record = api.one(update.order_ref)
    if record is None:
        raise Refused(f"ShipStation has order {update.order_number} no more.")
    own = set(settings.own_tags().values())
    worn = [name for name in api.tags_of(record) if name in own]
    if _is_over(settings, update, worn):
        return
    if off:
        if api.is_open(record):
            _take_off(api, update.order_ref, worn)
        return
    if settings.notes and update.stage == "closed":
        api.note(record, _line(update))  # sends the order back, so before anything changes it
    if tag and tag not in worn:
        api.add_tag(update.order_ref, tag)
    if ship and not api.is_shipped(record) and not api.fulfilled(update.order_ref):
        if not api.is_open(record):
            raise Refused(
                f"Order {update.order_number} was cancelled in ShipStation and cannot be marked"
                " as shipped there."
            )
        api.mark_shipped(
            Shipped(
                ref=update.order_ref,
                tracking=update.order_number,
                at=update.at,
                carrier=settings.carrier_code,
                tell_customer=settings.tell_customer,
                tell_store=settings.tell_store,
            )
        )
    if tag:
        _take_off(api, update.order_ref, [name for name in worn if name != tag])


def require_tags(api: Api, settings: ShipStationSettings) -> None:
    """Raises ``ConfigError`` at each setting whose tag is missing."""
    needed = {"leaves": "on_the_way_tag", "delivered": "delivered_tag"}.get(settings.ship_when)
    own = settings.own_tags()
    for name in dict.fromkeys((needed, "delivered_tag") if needed else ()):
        if name not in own:
            raise ConfigError(
                "Name a tag here: by it the hub knows an order it marked as shipped itself from"
                " one that left with a carrier.",
                field=str(name),
            )
    missing = api.missing_tags(list(own.values()))
    lacking = {
        name: f"ShipStation has no tag “{tag}”, and its V1 interface cannot create one. Create it"
        " in ShipStation, or name another here."
        for name, tag in own.items()
        if tag in missing
    }
    for name, problem in lacking.items():
        others = {other: said for other, said in lacking.items() if other != name}
        raise ConfigError(problem, field=name, also=others)


def _tag(settings: ShipStationSettings, update: OrderProgress) -> str:
    if update.stage in _GONE:
        return settings.on_the_way_tag.strip()
    if update.stage != "closed":
        return ""
    if update.outcome in _HANDED_OVER:
        return settings.delivered_tag.strip()
    return settings.failed_tag.strip()


def _ships(settings: ShipStationSettings, update: OrderProgress) -> bool:
    delivered = update.stage == "closed" and update.outcome in _HANDED_OVER
    if settings.ship_when == "leaves":
        return delivered or update.stage in _GONE
    return settings.ship_when == "delivered" and delivered


def _is_over(settings: ShipStationSettings, update: OrderProgress, worn: list[str]) -> bool:
    """Whether the tag there is of a later report. Of a second attempt on, it may be of the last."""
    tag = _tag(settings, update)
    ends = {settings.delivered_tag.strip(), settings.failed_tag.strip()} - {"", tag}
    return (
        update.attempt == 1
        and bool(tag)
        and tag != settings.delivered_tag.strip()
        and any(name in ends for name in worn)
    )


def _take_off(api: Api, ref: str, tags: list[str]) -> None:
    for tag in tags:
        api.remove_tag(ref, tag)


def _line(update: OrderProgress) -> str:
    parts = [update.outcome, update.reason, update.note]
    if update.received_by:
        parts.append(f"received by {update.received_by}")
    said = "; ".join(" ".join(part.split()) for part in parts if part)
    return f"{update.at:%Y-%m-%d %H:%M} UTC: {said}"
