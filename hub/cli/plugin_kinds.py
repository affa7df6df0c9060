"""What `hub plugin new` can write: for each kind an example that works, and where to go from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TALKS = (
    "`fake_{name}.py` is {who} as seen from outside. Change it until it behaves as the real one\n"
)
TALKS += "   does: its addresses, its fields, its errors."
CHOSEN = "Installed beside the hub, it is offered in the panel under *{where}* after a restart."
SILENT = "Installed beside the hub, it is {used} after a restart; nobody has to choose it."


@dataclass(frozen=True, slots=True)
class Kind:
    """``example`` is the word in its files' names; ``shown`` and ``steps`` go into a README."""

    example: str
    shown: str
    steps: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "order-source": Kind(
        "bakehouse",
        CHOSEN.format(where="Connections"),
        (
            TALKS.replace("{who}", "your shop").replace("fields,", "fields, its paging,"),
            "`hub_{name}.py` is the plugin. Change it until the tests pass again. They are the"
            " hub's own kit\n   (`hub.testing`): what passes it loses no order.",
            "What the shop can be told, and whether it can ring, is up to you: leave `WritesBack`"
            " or\n   `AcceptsWebhooks` out of the class's bases where it cannot.",
        ),
    ),
    "record-sink": Kind(
        "tillroll",
        CHOSEN.format(where="Connections"),
        (
            TALKS.replace("{who}", "your books"),
            "`find` in `hub_{name}.py` names the documents an order may belong to; the hub files"
            " only\n   when there is exactly one, and else asks a person.",
            "`record` is called again with the same `key` after a crash. Keep the test that proves"
            " that\n   nothing is filed twice.",
        ),
    ),
    "routing-strategy": Kind(
        "carousel",
        "Installed beside the hub, it can be chosen for each depot after a restart.",
        (
            "`plan` in `hub_{name}.py` decides who drives what, in which order. `completed` makes"
            " that\n   lawful: it repairs what breaks a rule and says why a job is left out.",
            "Tell `progress` of each better plan, and stop when it answers `False`.",
            "If you do without `completed`, name in `capabilities` only what you honour: the hub"
            "\n   refuses a plan that breaks a rule (`violations`). What you leave out stands in"
            " the test's\n   `lacks`.",
        ),
    ),
    "notification-channel": Kind(
        "textbird",
        CHOSEN.format(where="Messages"),
        (
            TALKS.replace("{who}", "your carrier"),
            "`reaches` in `hub_{name}.py` says what `message.to` holds.",
            "Say `repeat_is_harmless` only if your carrier drops a second message with the same"
            " key; one\n   that can be asked keeps `LooksUp`. With neither, a crash leaves a"
            " message uncertain.",
        ),
    ),
    "pod-store": Kind(
        "coldroom",
        CHOSEN.format(where="Settings, Proof storage"),
        (
            TALKS.replace("{who}", "your storage"),
            "`hub_{name}.py` is the plugin. Change it until the tests pass again. They are the"
            " hub's own kit\n   (`hub.testing`): what passes it loses no proof and mixes no two"
            " businesses' files.",
        ),
    ),
    "geocoder": Kind(
        "signpost",
        CHOSEN.format(where="Settings, Address search"),
        (
            TALKS.replace("{who}", "your service"),
            "`to_match` in `hub_{name}.py` says how sure an answer is, from 0 to 1. Below the bar"
            " that the\n   business set, a dispatcher is asked: too high a number sends a van to"
            " the wrong door.",
        ),
    ),
    "travel-times": Kind(
        "gridtown",
        SILENT.format(used="asked before the hub's own travel times"),
        (
            "`matrix` in `hub_{name}.py` gives whole seconds and metres between all places.",
            "Raise `ConfigError` for a vehicle you do not know: the hub's own times answer then.",
        ),
    ),
}
