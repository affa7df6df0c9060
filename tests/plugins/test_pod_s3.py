"""The bucket's own rules: refusals in the business's words, faults survived, nothing made public."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from moto.core import set_initial_no_auth_action_count
from pydantic import ValidationError

from hub import AuthError, ConfigError, RateLimited, Refused, Unavailable
from hub.app import Hub
from hub.core.ids import new_id
from hub.db.unit import UnitOpen
from hub.http import Http
from hub.plugins.pod_s3 import S3PodStore, wire
from hub.plugins.pod_s3.client import Bucket
from hub.testing import lent
from tests.pod_worlds import KEY, SECRET, Storage, a_storage
from tests.ports import free_port

PHOTO = b"a photo of a door" * 100
HASH = sha256(PHOTO).hexdigest()
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
ALL = ("s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket")


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with a_storage() as running:
        yield running


@pytest.fixture
def bucket(storage: Storage) -> str:
    name = f"b-{new_id()}"
    storage.faults.clear()
    storage.page_size = 1000
    storage.bucket(name)
    storage.seen.clear()
    storage.headers.clear()
    return name


@pytest.fixture
def opened(storage: Storage, bucket: str, tmp_path: Path) -> Any:
    """Opens the store with other settings than the right ones."""

    def open_(allowed: tuple[str, ...] = ("127.0.0.1",), **other: Any) -> S3PodStore:
        tools = replace(lent(tmp_path, now=NOW), http=Http(allowed), business_id="husk")
        settings = {**storage.settings(bucket), **other}
        return S3PodStore(S3PodStore.Settings.model_validate(settings), tools)

    return open_


def put(store: S3PodStore, content: bytes = PHOTO) -> str:
    return store.put(content, media_type="image/jpeg", sha256=sha256(content).hexdigest())


def test_a_file_lies_under_its_business_and_hash_with_its_type_and_no_public_access(
    storage: Storage, bucket: str, opened: Any
) -> None:
    assert put(opened(prefix="proof/of")) == f"proof/of/husk/{HASH}"
    client = storage.client()
    kept = client.head_object(Bucket=bucket, Key=f"proof/of/husk/{HASH}")
    assert kept["ContentType"] == "image/jpeg"
    grants = client.get_object_acl(Bucket=bucket, Key=f"proof/of/husk/{HASH}")["Grants"]
    assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]


def test_every_put_is_conditional_and_carries_its_hash(storage: Storage, opened: Any) -> None:
    put(opened())
    sent = dict(zip((method for method, _ in storage.seen), storage.headers, strict=True))["PUT"]
    assert sent["if_none_match"] == "*"
    assert sent["x_amz_checksum_sha256"]
    assert not [name for name in sent if "acl" in name]


def test_what_lies_there_is_never_written_over(storage: Storage, bucket: str, opened: Any) -> None:
    ref = put(opened())
    storage.client().put_object(Bucket=bucket, Key=ref, Body=b"another door")
    beside = put(opened())
    assert storage.objects(bucket) == {ref: b"another door", beside: PHOTO}
    assert put(opened()) == beside


@pytest.mark.parametrize("code", ["NotImplemented", "InvalidArgument"])
def test_a_storage_that_knows_no_conditions_is_asked_first_and_never_written_over(
    storage: Storage, bucket: str, opened: Any, code: str
) -> None:
    storage.faults.append(code)
    ref = put(opened())
    assert [method for method, _ in storage.seen] == ["PUT", "HEAD", "PUT"]
    assert "content_md5" in storage.headers[-1]
    storage.client().put_object(Bucket=bucket, Key=ref, Body=b"another door")
    storage.faults.append(code)
    assert put(opened()) != ref
    assert storage.objects(bucket)[ref] == b"another door"


def test_two_who_write_at_once_wait_for_each_other(storage: Storage, opened: Any) -> None:
    storage.faults.append("ConditionalRequestConflict")
    assert opened().get(put(opened())) == PHOTO


@pytest.mark.parametrize(
    ("encryption", "sent"), [("sse_s3", "AES256"), ("sse_kms", "aws:kms"), ("bucket_default", None)]
)
def test_encryption_at_rest_is_asked_for_as_set(
    storage: Storage, bucket: str, opened: Any, encryption: str, sent: str | None
) -> None:
    ref = put(opened(encryption=encryption, kms_key_id="key-1"))
    put_headers = storage.headers[0]
    assert put_headers.get("x_amz_server_side_encryption") == sent
    by = "x_amz_server_side_encryption_aws_kms_key_id"
    assert put_headers.get(by) == ("key-1" if encryption == "sse_kms" else None)
    assert opened(encryption=encryption).get(ref) == PHOTO


@pytest.mark.parametrize("fault", ["SlowDown", 503, 500])
def test_a_hiccup_of_the_storage_is_not_noticed(
    storage: Storage, opened: Any, fault: str | int
) -> None:
    store = opened()
    storage.faults.append(fault)
    ref = put(store)
    storage.faults.append(fault)
    assert store.get(ref) == PHOTO


@pytest.mark.parametrize(
    ("fault", "error"), [("SlowDown", RateLimited), (503, Unavailable), (500, Unavailable)]
)
def test_a_storage_that_stays_down_is_tried_again_later(
    storage: Storage, opened: Any, fault: str | int, error: type[Exception]
) -> None:
    storage.faults += [fault] * 8
    with pytest.raises(error):
        put(S3PodStoreOnce(opened()))


class S3PodStoreOnce(S3PodStore):
    """Tries once, for tests that need not see the pauses."""

    def __init__(self, like: S3PodStore) -> None:
        super().__init__(like.settings, like.tools)
        self._opened = Bucket(self.settings, self.tools, tries=1)


def test_a_download_that_is_cut_goes_on_where_it_stopped(storage: Storage, opened: Any) -> None:
    ref = put(opened())
    storage.faults += ["cut", "cut"]
    assert opened().get(ref) == PHOTO
    assert storage.headers[-1]["range"].startswith("bytes=")


def test_a_download_that_is_always_cut_is_no_file_and_tried_again_later(
    storage: Storage, opened: Any
) -> None:
    ref = put(opened())
    storage.faults += ["cut"] * 4
    with pytest.raises(Unavailable, match="breaks off in the middle"):
        S3PodStoreOnce(opened()).get(ref)
    storage.faults.clear()


def test_an_upload_that_is_cut_is_not_to_be_seen(
    storage: Storage, bucket: str, opened: Any
) -> None:
    class Dying(io.BytesIO):
        """Read twice for its hashes; in the middle of the third time, which sends it, it dies."""

        was_read = 0

        def read(self, size: int | None = -1) -> bytes:
            part = super().read(size)
            self.was_read += len(part)
            if self.was_read > 7_000_000:
                raise KeyboardInterrupt
            return part

    content = bytes(3_000_000)
    source = Dying(content)
    with pytest.raises(KeyboardInterrupt):
        opened().put_from(source, media_type="x/y", sha256=sha256(content).hexdigest())
    assert storage.objects(bucket) == {}
    assert opened().get(put(opened(), content)) == content


@pytest.mark.parametrize(
    ("other", "field", "words"),
    [
        ({"bucket": "no-such-bucket"}, "bucket", "There is no bucket no-such-bucket"),
        (
            {"endpoint_url": f"http://127.0.0.1:{free_port()}"},
            "endpoint_url",
            "no usable answer",
        ),
    ],
)
def test_a_wrong_setting_is_named(
    opened: Any, other: dict[str, str], field: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        opened(**other).check()
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("fault", "error", "field", "words"),
    [
        ("InvalidAccessKeyId", AuthError, "access_key_id", "does not know this access key"),
        ("SignatureDoesNotMatch", AuthError, "secret_access_key", "does not belong"),
        (
            "AuthorizationHeaderMalformed <Region>eu-central-1</Region>",
            ConfigError,
            "region",
            "is in the region eu-central-1, not in eu-north-1",
        ),
        ("RequestTimeTooSkewed", ConfigError, "", "clock of this machine"),
        ("KMS.NotFoundException", ConfigError, "encryption", "cannot encrypt"),
        ("XMinioAdminBucketQuotaExceeded", ConfigError, "bucket", "is full"),
        ("EntityTooLarge", ConfigError, "", "says no: 400 EntityTooLarge"),
    ],
)
def test_each_refusal_is_told_in_the_businesss_words_at_its_field(
    storage: Storage, opened: Any, fault: str, error: type[ConfigError], field: str, words: str
) -> None:
    storage.faults += [fault] * 3
    with pytest.raises(error, match=words) as caught:
        opened().check()
    storage.faults.clear()
    assert caught.value.field == field
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("s3:PutObject", "may not write in"),
        ("s3:GetObject", "may not read in"),
        ("s3:ListBucket", "may not list what is in it"),
        ("s3:DeleteObject", "may not delete in"),
    ],
)
def test_a_right_that_is_missing_is_named(
    storage: Storage, opened: Any, missing: str, words: str
) -> None:
    key, secret = storage.user(*(one for one in ALL if one != missing))
    store = opened(access_key_id=key, secret_access_key=secret)

    @set_initial_no_auth_action_count(0)
    def check() -> None:
        store.check()

    with pytest.raises(AuthError, match=words) as caught:
        check()
    assert missing in str(caught.value)
    assert caught.value.field == "access_key_id"


def test_a_key_with_these_four_rights_is_enough(storage: Storage, opened: Any) -> None:
    key, secret = storage.user(*ALL)
    store = opened(access_key_id=key, secret_access_key=secret)

    @set_initial_no_auth_action_count(0)
    def work() -> None:
        store.check()
        ref = put(store)
        assert store.get(ref) == PHOTO
        assert [one.ref for one in store.kept(datetime.now(UTC) + timedelta(days=1))] == [ref]
        store.delete(ref)
        with pytest.raises(KeyError):
            store.get(ref)

    work()


@pytest.mark.parametrize(
    ("wrong", "field"), [("key", "access_key_id"), ("secret", "secret_access_key")]
)
def test_wrong_credentials_are_refused_by_the_storage_itself(
    storage: Storage, opened: Any, wrong: str, field: str
) -> None:
    key, secret = storage.user(*ALL)
    given = {"access_key_id": key, "secret_access_key": secret}
    given |= {"access_key_id": KEY} if wrong == "key" else {"secret_access_key": SECRET}
    store = opened(**given)

    @set_initial_no_auth_action_count(0)
    def check() -> None:
        store.check()

    with pytest.raises(AuthError) as caught:
        check()
    assert caught.value.field == field


def test_a_bucket_that_anybody_can_read_is_refused(
    storage: Storage, bucket: str, opened: Any
) -> None:
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action":'
        f' "s3:GetObject", "Resource": "arn:aws:s3:::{bucket}/*"}}]}}'
    )
    storage.client().put_bucket_policy(Bucket=bucket, Policy=policy)
    with pytest.raises(ConfigError, match="Anybody can read") as caught:
        opened().check()
    assert caught.value.field == "bucket"
    assert storage.objects(bucket) == {}


def test_what_is_deleted_leaves_no_older_version_behind(
    storage: Storage, bucket: str, opened: Any
) -> None:
    client = storage.client()
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    kept, ref = put(opened(), b"another"), put(opened())
    opened().delete(ref)
    versions = client.list_object_versions(Bucket=bucket)
    assert [one["Key"] for one in versions["Versions"]] == [kept]
    assert "DeleteMarkers" not in versions


def test_more_than_one_page_of_files_is_listed(storage: Storage, bucket: str, opened: Any) -> None:
    storage.page_size = 2
    names = {put(opened(), bytes([n])) for n in range(5)}
    listed = opened().kept(datetime.now(UTC) + timedelta(days=1))
    assert {one.ref for one in listed} == names


def test_a_private_address_is_called_only_if_the_operator_allowed_it(
    storage: Storage, opened: Any
) -> None:
    url = storage.url.replace("http://", "https://")
    with pytest.raises(ConfigError, match="HUB_HTTP_ALLOW") as caught:
        opened(allowed=(), endpoint_url=url).check()
    assert caught.value.field == "endpoint_url"
    assert storage.seen == []


def test_photos_do_not_travel_unencrypted_unless_the_operator_allowed_it(opened: Any) -> None:
    with pytest.raises(ConfigError, match="https://") as caught:
        opened(allowed=(), endpoint_url="http://s3.example.com").check()
    assert caught.value.field == "endpoint_url"


def test_a_storage_without_encryption_we_trust_is_told_so(storage: Storage, opened: Any) -> None:
    with pytest.raises(ConfigError, match="encryption") as caught:
        opened(endpoint_url=storage.url.replace("http://", "https://")).check()
    assert caught.value.field == "endpoint_url"


def test_nothing_is_asked_while_a_unit_is_open(storage: Storage, opened: Any) -> None:
    store, hub = opened(), Hub.in_memory()
    with hub.unit(), pytest.raises(UnitOpen):
        put(store)
    assert storage.seen == []


def test_no_secret_is_logged(opened: Any, caplog: pytest.LogCaptureFixture) -> None:
    store = opened()
    with caplog.at_level(logging.DEBUG):
        store.get(put(store))
    assert SECRET not in caplog.text


def test_what_this_machine_tells_amazons_tools_is_not_believed(
    storage: Storage, bucket: str, opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile other]\nregion = xx\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    wire._session.cache_clear()
    assert opened().get(put(opened())) == PHOTO
    wire._session.cache_clear()


def test_without_its_package_it_says_what_to_install(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened()
    monkeypatch.setitem(sys.modules, "botocore", None)
    wire.sdk.cache_clear()
    with pytest.raises(ConfigError, match=r"pip install 'lastmile-hub\[s3\]'"):
        store.check()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("endpoint_url", "s3.example.com", "https://"),
        ("endpoint_url", "https://s3.example.com/bucket", "address alone"),
        ("endpoint_url", "https://user:pw@s3.example.com", "address alone"),
        ("prefix", "../other", "Only letters"),
        ("prefix", "a//b", "Only letters"),
        ("bucket", "Big", "Only small letters"),
        ("region", "eu north", "pattern"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_at_their_field(
    opened: Any, name: str, value: str, words: str
) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        opened(**{name: value})
    assert caught.value.errors()[0]["loc"] == (name,)


def test_a_key_pasted_with_its_spaces_is_taken(opened: Any) -> None:
    settings = opened(access_key_id=f" {KEY}\n", secret_access_key=f"{SECRET} ").settings
    assert settings.access_key_id == KEY
    assert settings.secret_access_key.get_secret_value() == SECRET


def test_more_than_five_gigabytes_are_refused_before_they_travel(
    storage: Storage, opened: Any
) -> None:
    with pytest.raises(Refused, match="5 GB"):
        opened()._bucket.put_new("k", io.BytesIO(), 5 * 10**9 + 1, b"", "x/y")
    assert storage.seen == []
