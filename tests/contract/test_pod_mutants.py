"""The kit for proof stores is sharp: each planted mistake fails the test that is there for it.

Each mutant is one of the hub's own stores with one thing made wrong, as somebody might have it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "hub" / "plugins"


@dataclass(frozen=True)
class Mutant:
    """``caught_by``: the test that must fail; ``file`` of the store it is planted in."""

    old: str
    new: str
    caught_by: str
    file: str = ""


DISK = {
    "one folder for all businesses": Mutant(
        'return self.tools.data_dir / "proof" / business_id',
        'return self.tools.data_dir / "proof"',
        "test_what_one_business_deletes_another_keeps",
    ),
    "anybody's reference opens": Mutant(
        'known["business"] not in (None, self.tools.business_id)',
        "False",
        "test_a_reference_opens_nothing_for_another_business",
    ),
    "a hash is believed": Mutant(
        "durable_write_parts(self._path(ref), _hashed(parts_of(source), sha256, UNLIKE))",
        "durable_write_parts(self._path(ref), parts_of(source))",
        "test_content_that_is_not_its_hash_is_refused_and_not_kept",
    ),
    "a hash is looked at too late": Mutant(
        "durable_write_parts(self._path(ref), _hashed(parts_of(source), sha256, UNLIKE))",
        "durable_write_parts(self._path(ref), parts_of(source))\n"
        "            if not self._is_whole(ref):\n"
        "                raise Refused(UNLIKE)",
        "test_content_that_is_not_its_hash_is_refused_and_not_kept",
    ),
    "what is there is trusted": Mutant(
        "if self._is_whole(ref):",
        "if self._path(ref).exists():",
        "test_the_right_bytes_can_be_put_beside_what_was_changed",
    ),
    "what was changed is given out": Mutant(
        "yield from _hashed(parts_of(file), path.name, CHANGED)",
        "yield from parts_of(file)",
        "test_what_was_changed_in_the_storage_is_not_given_out",
    ),
    "a reference is a path": Mutant(
        "        known = REF.fullmatch(ref)\n        if not known or",
        '        known = {"business": ref.split("/")[0], "sha256": ref.split("/")[-1]}\n'
        "        if not known or",
        "test_a_reference_that_is_cut_or_lengthened_opens_nothing",
    ),
    "an unknown reference is empty": Mutant(
        "raise KeyError(ref) from None",
        "return",
        "test_what_was_deleted_is_gone_and_may_be_deleted_again",
    ),
    "gone is an error": Mutant(
        "unlink(missing_ok=True)",
        "unlink()",
        "test_what_was_deleted_is_gone_and_may_be_deleted_again",
    ),
    "whole in memory": Mutant(
        "_hashed(parts_of(source), sha256, UNLIKE))",
        "_hashed([source.read()], sha256, UNLIKE))",
        "test_a_large_file_passes_in_parts",
    ),
    "from wherever the file stands": Mutant(
        "        source.seek(0)\n", "", "test_a_file_is_put_from_its_start"
    ),
    "written where it can be seen": Mutant(
        "durable_write_parts(self._path(ref), _hashed(parts_of(source), sha256, UNLIKE))",
        "self._path(ref).parent.mkdir(parents=True, exist_ok=True)\n"
        '            with self._path(ref).open("wb") as file:\n'
        "                file.writelines(_hashed(parts_of(source), sha256, UNLIKE))",
        "test_a_put_that_breaks_off_leaves_nothing_to_be_seen",
    ),
    "everybody's files are listed": Mutant(
        'folder = self._folder(self.tools.business_id)\n        for path in sorted(folder.glob("[0-9a-f][0-9a-f]/*")):',
        'for path in sorted(self._folder("").glob("*/[0-9a-f][0-9a-f]/*")):',
        "test_what_is_kept_is_listed_for_its_business_alone",
    ),
    "a full disk is the file's fault": Mutant(
        'raise ConfigError(f"{FULL} ',
        'raise Refused(f"{FULL} ',
        "test_a_storage_that_says_no_costs_nobody_the_file",
    ),
    "a check leaves its file": Mutant(
        "        self.delete(ref)\n\n    def put(",
        "\n    def put(",
        "test_a_check_leaves_nothing_behind",
    ),
}
S3 = {
    "one folder for all businesses": Mutant(
        "return self.tools.business_id or FOR_NOBODY",
        "return FOR_NOBODY",
        "test_what_one_business_deletes_another_keeps",
        "store.py",
    ),
    "anybody's reference opens": Mutant(
        "known[1] != self._whose or ",
        "",
        "test_a_reference_opens_nothing_for_another_business",
        "store.py",
    ),
    "a hash is believed": Mutant(
        "if digest.hex() != sha256:",
        "if False:",
        "test_content_that_is_not_its_hash_is_refused_and_not_kept",
        "store.py",
    ),
    "what is there is trusted": Mutant(
        "or self._bucket.holds(\n                key, size, digest\n            )",
        "or True",
        "test_the_right_bytes_can_be_put_beside_what_was_changed",
        "store.py",
    ),
    "what was changed is given out": Mutant(
        "if digest.hexdigest() != sha256:",
        "if False:",
        "test_what_was_changed_in_the_storage_is_not_given_out",
        "store.py",
    ),
    "whole in memory": Mutant(
        "iter_chunks(PART)",
        "iter_chunks(10 * LARGEST)",
        "test_a_large_file_passes_in_parts",
        "client.py",
    ),
    "everybody's files are listed": Mutant(
        'self._bucket.keys(self._key(""))',
        'self._bucket.keys("")',
        "test_what_is_kept_is_listed_for_its_business_alone",
        "store.py",
    ),
    "a check leaves its file": Mutant(
        "            raise\n        bucket.remove(key)",
        "            raise",
        "test_a_check_leaves_nothing_behind",
        "store.py",
    ),
    "a full bucket is the file's fault": Mutant(
        '    if "Quota" in code:\n        return ConfigError(',
        '    if "Quota" in code:\n        from hub import Refused\n\n        return (lambda words, field: Refused(words))(',
        "test_a_storage_that_says_no_costs_nobody_the_file",
        "refusals.py",
    ),
    "the secret is a plain text": Mutant(
        "secret_access_key: SecretStr",
        "secret_access_key: str",
        "test_settings_make_a_form_people_can_fill_in",
        "settings.py",
    ),
}
DISK_TEST = """
from {module} import DiskPodStore
import tests.contract.test_pod_stores as real

class TestMutant(real.PodStoreConformance):
    _folder = real.TestDisk._folder
    damage = real.TestDisk.damage
    fill = real.TestDisk.fill

    def store(self, tools):
        return DiskPodStore(DiskPodStore.Settings(), tools)
"""
S3_TEST = """
from dataclasses import replace
from {module} import S3PodStore
from hub.http import Http
import tests.contract.test_pod_stores as real
from tests.contract.test_pod_stores import storage

class TestMutant(real.PodStoreConformance):
    _bucket = real.TestS3._bucket
    damage = real.TestS3.damage
    fill = real.TestS3.fill

    def store(self, tools):
        settings = self.storage.settings(self.bucket, prefix="hub/proof")
        allowed = replace(tools, http=Http(("127.0.0.1",)))
        return S3PodStore(S3PodStore.Settings.model_validate(settings), allowed)
"""


def planted_on_disk(folder: Path, module: str, mutant: Mutant) -> str:
    source = (PLUGINS / "pod_disk.py").read_text()
    assert mutant.old in source, f"{mutant.old!r} is gone"
    if mutant.old:
        source = source.replace(mutant.old, mutant.new)
    (folder / f"{module}.py").write_text(source)
    return DISK_TEST


def planted_in_s3(folder: Path, module: str, mutant: Mutant) -> str:
    (folder / module).mkdir()
    for path in (PLUGINS / "pod_s3").glob("*.py"):
        source = path.read_text()
        if path.name == mutant.file:
            assert mutant.old in source, f"{mutant.old!r} is gone"
            source = source.replace(mutant.old, mutant.new)
        (folder / module / path.name).write_text(source.replace("hub.plugins.pod_s3", module))
    return S3_TEST


def survivors(folder: Path, mutants: dict[str, Mutant], plant: object) -> list[str]:
    """The mutants that pass the test which should have caught them.

    And "right" if the store as it is fails one of those tests.
    """
    asked = []
    right = Mutant("", "", "")
    for n, mutant in enumerate([right, *mutants.values()]):
        test = plant(folder, f"mutant{n}", mutant)  # type: ignore[operator]
        (folder / f"test_mutant{n}.py").write_text(test.format(module=f"mutant{n}"))
        if mutant is not right:
            asked.append(f"test_mutant{n}.py::TestMutant::{mutant.caught_by}")
            asked.append(f"test_mutant0.py::TestMutant::{mutant.caught_by}")
    report = folder / "report.xml"
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
        + [f"--rootdir={folder}", f"--junitxml={report}", *dict.fromkeys(asked)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, folder)))},
        capture_output=True,
        text=True,
        timeout=250,
    )
    found = dict.fromkeys(range(len(mutants) + 1), False)
    for case in ElementTree.parse(report).iter("testcase"):
        n = int(str(case.get("classname")).partition("test_mutant")[2].partition(".")[0])
        assert case.find("error") is None, told.stdout
        found[n] |= case.find("failure") is not None
    found[0] = not found[0]
    return [
        name
        for name, is_well in zip(["right", *mutants], found.values(), strict=True)
        if not is_well
    ]


@pytest.mark.soak
def test_every_mistake_planted_in_the_store_on_disk_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, DISK, planted_on_disk) == []


@pytest.mark.soak
def test_every_mistake_planted_in_the_store_in_a_bucket_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, S3, planted_in_s3) == []
