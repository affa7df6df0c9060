"""The operator's keys: a new one in front, everything sealed anew, the older ones dropped."""

from __future__ import annotations

import argparse

from hub.app import Hub
from hub.cli.opened import opened
from hub.flows.resealing import demand_unneeded, drop_older_keys, reseal, under_older_keys
from hub.keys import Keys
from hub.settings import Settings

BY_HAND = "The keys come from HUB_KEYS. Set it to this for every process, and restart them all:"


def keys(args: argparse.Namespace, settings: Settings) -> int:
    hub = opened(settings)
    match args.action:
        case "rotate":
            _rotate(hub)
        case "reseal":
            return _reseal(hub)
        case "drop":
            _drop(hub)
    return 0


def _rotate(hub: Hub) -> None:
    if hub.keys.file is None:
        print(BY_HAND)
        print(hub.keys.with_new_key().as_text())
    else:
        hub.keys.change(Keys.with_new_key)
        print(f"A new key is in front of each ring in {hub.keys.file}, and used from now on.")
    print("The older ones still open what they sealed. Next: hub keys reseal")


def _reseal(hub: Hub) -> int:
    done = reseal(hub)
    print(f"{done.anew} secrets were sealed anew.")
    if done.lost:
        print(f"{done.lost} can be read by no key there is: they have to be entered again.")
    if left := under_older_keys(hub):
        print(f"{left} were sealed under an older key meanwhile. Run hub keys reseal again.")
        return 1
    print("No older key is needed any more. They can go: hub keys drop")
    return 0


def _drop(hub: Hub) -> None:
    if hub.keys.file is None:
        demand_unneeded(hub)
        print(BY_HAND)
        print(hub.keys.newest_alone().as_text())
    else:
        drop_older_keys(hub)
        print(f"Only the newest key of each ring is left in {hub.keys.file}.")
    print("Backups made before now hold secrets that only the older keys open.")
