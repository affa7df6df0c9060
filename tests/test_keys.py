"""Keys made before something new needed one."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.keys import Keys


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
