"""Who of those that tell travel times can do more: tell turns, or how far one gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.core.contracts import TravelTimes
from hub.core.errors import HubError
from hub.core.measures import measures_of

if TYPE_CHECKING:
    from hub.app import Hub


def able[Ability](hub: Hub, ability: type[Ability]) -> tuple[list[Ability], str]:
    """Those who can now, an installed plugin's before the built map's; and why the last cannot."""
    classes = [one for one in hub.registry.all(TravelTimes) if issubclass(one, ability)]
    found, why = list[Ability](), ""
    for cls in sorted(classes, key=is_of_map):
        try:
            provider = hub.provider(TravelTimes, cls.key, {})
            provider.check()
        except HubError as problem:
            hub.tools.log.info("%s by %s: %s", ability.__name__, cls.key, problem)
            why = str(problem)
        except Exception:  # a stranger's mistake; there may be others
            hub.tools.log.exception("%s by %s failed", ability.__name__, cls.key)
            why = f"{cls.title} failed."
        else:
            assert isinstance(provider, ability)
            found.append(provider)
    return found, why


def is_of_map(provider: object) -> bool:
    """Whether a provider, or its class, reads the built map and knows nothing beyond its edge."""
    return getattr(provider, "key", "") == "valhalla"


def told(provider: object, profile: str) -> str:
    """What ``provider`` can be told of ``profile``."""
    heeds = isinstance(provider, TravelTimes) and provider.heeds_measures
    return profile if heeds else measures_of(profile)[0]


def knows_traffic(provider: object) -> bool:
    """Whether its seconds hold for who leaves then, whatever the business says of the hour."""
    return isinstance(provider, TravelTimes) and provider.knows_traffic
