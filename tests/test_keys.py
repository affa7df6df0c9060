"""Keys made before something new needed one."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hub.cli import main
from hub.core.errors import ConfigError
from hub.db.tables import SecretRow
from hub.flows.pull import pull_due
from hub.flows.resealing import drop_older_keys, reseal, under_older_keys
from hub.flows.secrets import opened
from hub.keys import Keys
from tests.connected_worlds import Connected, a_shop


def test_an_older_keys_file_gets_a_key_for_evidence_once_and_keeps_the_others(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keys.json"
    before = Keys.at(path)
    raw = json.loads(path.read_text())
    del raw["evidence"]
    path.write_text(json.dumps(raw))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: Keys.at(path), range(8)))
    assert len({keys.evidence for keys in found}) == 1
    assert json.loads(path.read_text()) == {**raw, "evidence": found[0].evidence.hex()}
    assert (found[0].link, found[0].rings) == (before.link, before.rings)
    assert path.stat().st_mode & 0o777 == 0o600


def test_older_keys_in_the_environment_sign_alike_in_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Keys.at(tmp_path / "keys.json")
    raw = json.loads((tmp_path / "keys.json").read_text())
    del raw["evidence"]
    monkeypatch.setenv("HUB_KEYS", json.dumps(raw))
    one, two = Keys.at(tmp_path / "none"), Keys.at(tmp_path / "none")
    assert one.evidence == two.evidence
    assert one.evidence not in (one.link, one.session)


def test_keys_are_shown_in_no_log(tmp_path: Path) -> None:
    keys = Keys.at(tmp_path / "keys.json")
    secret = [
        keys.link,
        keys.session,
        keys.evidence,
        *(k for ring in keys.rings.values() for k in ring),
    ]
    assert not [one for one in secret if str(one) in repr(keys)]


@pytest.fixture
def shop(database_url: str) -> Connected:
    shop = a_shop(database_url)
    shop.connect()
    return shop


def the_others(shop: Connected) -> Keys:
    """As another process that runs on holds them."""
    assert shop.hub.keys.file
    return Keys.at(shop.hub.keys.file)


def sealed_by(keys: Keys, shop: Connected, name: str) -> None:
    with shop.hub.unit() as unit:
        about = {"business_id": shop.business_id, "owner_id": "o", "name": name}
        sealed = keys.seal("credentials", "5ecret")
        unit.session.add(SecretRow(**about, ring="credentials", sealed=sealed))


def test_a_key_that_leaked_is_rotated_out_while_the_hub_runs(
    shop: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.flows.resealing.AT_ONCE", 2)
    leaked, other = replace(the_others(shop), file=None), the_others(shop)
    before = opened(shop.hub, shop.business_id, shop.connection_id)
    shop.hub.keys.change(Keys.with_new_key)
    sealed_by(other, shop, "of a process that runs on")
    with pytest.raises(ConfigError, match="3 secrets are still sealed under an older key"):
        drop_older_keys(shop.hub)
    assert reseal(shop.hub).anew == 3
    assert reseal(shop.hub).anew == under_older_keys(shop.hub) == 0
    drop_older_keys(shop.hub)
    assert {len(ring) for ring in shop.hub.keys.rings.values()} == {1}
    assert opened(shop.hub, shop.business_id, shop.connection_id) == before
    rows = shop.rows(SecretRow)
    assert all(other.opens(row.ring, row.sealed) for row in rows)
    assert not any(leaked.opens(row.ring, row.sealed) for row in rows)
    assert (other.link, other.session, other.evidence) == (
        leaked.link,
        leaked.session,
        leaked.evidence,
    )
    assert pull_due(shop.hub) == 1
    assert shop.row().state == "ok"


def test_what_was_sealed_under_an_older_key_just_before_it_went_keeps_it(
    shop: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = replace(the_others(shop), file=None)
    shop.hub.keys.change(Keys.with_new_key)
    reseal(shop.hub)
    change = Keys.change

    def changed_late(self: Keys, how: Callable[[Keys], Keys]) -> None:
        change(self, how)
        monkeypatch.undo()
        sealed_by(older, shop, "late")

    monkeypatch.setattr(Keys, "change", changed_late)
    with pytest.raises(ConfigError, match="just now"):
        drop_older_keys(shop.hub)
    assert opened(shop.hub, shop.business_id, "o") == {"late": "5ecret"}
    assert under_older_keys(shop.hub) == 1


def test_the_commands_say_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("HUB_DATABASE_URL", raising=False)
    assert main(["keys", "rotate"]) == 0
    kept = json.loads((tmp_path / "keys" / "keys.json").read_text())
    assert {len(ring) for ring in kept["rings"].values()} == {2}
    assert main(["keys", "reseal"]) == 0
    assert "They can go: hub keys drop" in capsys.readouterr().out
    monkeypatch.setenv("HUB_KEYS", json.dumps(kept))
    assert main(["keys", "drop"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[1])
    assert told == {**kept, "rings": {name: ring[:1] for name, ring in kept["rings"].items()}}
    monkeypatch.delenv("HUB_KEYS")
    assert main(["keys", "drop"]) == 0
    assert json.loads((tmp_path / "keys" / "keys.json").read_text()) == told
