"""An owner says where proof is kept; what does not work is told at its field and not kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from hub.core.ids import new_id
from hub.db.tables import ChoiceRow
from hub.flows.log_in import Role
from hub.flows.proof_store import in_use
from tests.admin.desk import text_of
from tests.admin.panel_worlds import Panel, a_bakery, a_panel, an_installed_hub
from tests.pod_worlds import KEY, REGION, SECRET, Storage, a_storage
from tests.ports import free_port

PAGE = "/panel/settings/proof-storage"


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with a_storage() as running:
        yield running


@pytest.fixture
def bucket(storage: Storage) -> str:
    storage.faults.clear()
    name = f"b-{new_id()}"
    storage.bucket(name)
    return name


@pytest.fixture
def panel(tmp_path: Path) -> Panel:
    hub = an_installed_hub(tmp_path / "data")
    return a_panel(hub, a_bakery(hub))


def form(storage: Storage, named: str, **other: str) -> dict[str, str]:
    return {
        "endpoint_url": storage.url,
        "region": REGION,
        "bucket": named,
        "prefix": "",
        "access_key_id": KEY,
        "secret_access_key": SECRET,
        "path_style": "1",
        "encryption": "bucket_default",
        "kms_key_id": "",
        **other,
    }


def test_a_new_business_keeps_its_proof_on_this_machine(panel: Panel) -> None:
    told = text_of(panel.get(PAGE))
    assert "This machine's disk in use" in told
    assert "S3-compatible storage not set up" in told
    assert "Proof storage" in panel.get("/panel/settings").text


def test_a_bucket_is_set_up_used_and_left_again(
    panel: Panel, storage: Storage, bucket: str
) -> None:
    answer = panel.post(f"{PAGE}/s3", **form(storage, bucket))
    assert "S3-compatible storage: works." in text_of(answer)
    assert "S3-compatible storage in use" in text_of(panel.get(PAGE))
    page = panel.get(f"{PAGE}/s3").text
    assert bucket in page
    assert SECRET not in page
    assert "Leave it empty to keep" in page
    answer = panel.post(f"{PAGE}/s3", **form(storage, bucket, secret_access_key="", prefix="p"))
    assert "works" in text_of(answer)
    panel.post(f"{PAGE}/disk/use")
    assert in_use(panel.hub, panel.business_id) == "disk"
    assert "S3-compatible storage: works" in text_of(panel.post(f"{PAGE}/s3/use"))
    assert in_use(panel.hub, panel.business_id) == "s3"


def test_a_bucket_that_stopped_working_is_not_used_again(
    panel: Panel, storage: Storage, bucket: str
) -> None:
    panel.post(f"{PAGE}/s3", **form(storage, bucket))
    panel.post(f"{PAGE}/disk/use")
    storage.client().delete_bucket(Bucket=bucket)
    told = text_of(panel.post(f"{PAGE}/s3/use"))
    assert f"S3-compatible storage is not used: There is no bucket {bucket}" in told
    assert in_use(panel.hub, panel.business_id) == "disk"


@pytest.mark.parametrize(
    ("change", "fault", "field", "sentence"),
    [
        ({"bucket": ""}, "", "bucket", "Please fill this in."),
        ({"bucket": "no-such-bucket"}, "", "bucket", "There is no bucket no-such-bucket at"),
        ({"endpoint_url": "s3.example.com"}, "", "endpoint_url", "Begin the address with https://"),
        ({"endpoint_url": "http://10.0.0.1"}, "", "endpoint_url", "Photos would travel"),
        ({"endpoint_url": "https://10.0.0.1"}, "", "endpoint_url", "10.0.0.1 is inside a private"),
        ({"prefix": "../x"}, "", "prefix", "Only letters, digits"),
        ({"access_key_id": ""}, "", "access_key_id", "Please fill this in."),
        ({"secret_access_key": ""}, "", "secret_access_key", "Please fill this in."),
        ({}, "InvalidAccessKeyId", "access_key_id", "127.0.0.1"),
        ({}, "SignatureDoesNotMatch", "secret_access_key", "The secret key does not belong"),
        ({}, "AccessDenied", "access_key_id", "This key may not write in the bucket"),
        (
            {},
            "AuthorizationHeaderMalformed <Region>eu-west-9</Region>",
            "region",
            "The bucket",
        ),
    ],
)
def test_what_does_not_work_stands_at_its_field_and_is_not_kept(
    panel: Panel,
    storage: Storage,
    bucket: str,
    change: dict[str, str],
    fault: str,
    field: str,
    sentence: str,
) -> None:
    storage.faults += [fault] * 4 if fault else []
    answer = panel.post(f"{PAGE}/s3", **form(storage, bucket, **change))
    assert answer.status_code == 422
    assert f'id="{field}-error">{sentence}' in answer.text
    assert SECRET not in answer.text
    with panel.hub.reading() as session:
        assert session.exec(select(ChoiceRow).where(ChoiceRow.kind == "pod_store")).all() == []


def test_nobody_who_answers_is_told_at_the_address(
    panel: Panel, storage: Storage, bucket: str
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    answer = panel.post(f"{PAGE}/s3", **form(storage, bucket, endpoint_url=url))
    assert 'id="endpoint_url-error">127.0.0.1' in answer.text
    assert "look at this address" in answer.text


def test_another_server_is_not_told_the_secret_that_is_kept(
    panel: Panel, storage: Storage, bucket: str
) -> None:
    panel.post(f"{PAGE}/s3", **form(storage, bucket))
    url = storage.url.replace("127.0.0.1", "localhost")
    answer = panel.post(
        f"{PAGE}/s3", **form(storage, bucket, endpoint_url=url, secret_access_key="")
    )
    assert answer.status_code == 422
    assert "This is another server: enter again" in text_of(answer)


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.ACCOUNTANT, Role.VIEWER])
def test_only_owners_come_here(panel: Panel, role: Role) -> None:
    other = a_panel(panel.hub, panel.business_id, role, "other@example.com")
    assert other.get(PAGE).status_code == 403
    assert other.get(f"{PAGE}/s3").status_code == 403
    assert other.post(f"{PAGE}/s3").status_code == 403
    assert other.post(f"{PAGE}/disk/use").status_code == 403


def test_a_storage_nobody_installed_or_set_up_is_404(panel: Panel) -> None:
    assert panel.get(f"{PAGE}/glacier").status_code == 404
    assert panel.post(f"{PAGE}/glacier").status_code == 404
    assert panel.post(f"{PAGE}/s3/use").status_code == 404
