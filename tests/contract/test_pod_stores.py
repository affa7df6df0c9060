"""Both stores that come with the hub keep the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub import Tools
from hub.core.ids import new_id
from hub.http import Http
from hub.plugins.pod_disk import DiskPodStore
from hub.plugins.pod_s3 import S3PodStore
from hub.testing import PodStoreConformance
from tests.pod_worlds import Storage, a_storage


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with a_storage() as running:
        yield running


class TestDisk(PodStoreConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "proof"

    def store(self, tools: Tools) -> DiskPodStore:
        return DiskPodStore(DiskPodStore.Settings(), tools)

    def damage(self, ref: str) -> None:
        [path] = self.folder.rglob(ref.rpartition("/")[2])
        path.write_bytes(b"another door")

    def fill(self) -> None:
        self.folder.write_text("no folder")  # root writes into any


class TestS3(PodStoreConformance):
    @pytest.fixture(autouse=True)
    def _bucket(self, storage: Storage) -> None:
        self.storage, self.bucket = storage, f"b-{new_id()}"
        storage.faults.clear()
        storage.bucket(self.bucket)

    def store(self, tools: Tools) -> S3PodStore:
        settings = self.storage.settings(self.bucket, prefix="hub/proof")
        allowed = replace(tools, http=Http(("127.0.0.1",)))
        return S3PodStore(S3PodStore.Settings.model_validate(settings), allowed)

    def damage(self, ref: str) -> None:
        self.storage.client().put_object(Bucket=self.bucket, Key=ref, Body=b"another door")

    def fill(self) -> None:
        self.storage.faults += ["QuotaExceeded"] * 9
