"""The promises of a proof store, as tests to inherit."""

from __future__ import annotations

import hashlib
import io
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub import ConfigError, PodStore, Provider, Refused, RetryLater, Tools
from hub.testing.provider import (
    PresentableConformance,
    demand_sentence,
    expect,
    secrets_of,
)

OURS, THEIRS = "0193a1b2-0000-7000-8000-000000000001", "0193a1b2-0000-7000-8000-000000000002"
PHOTO = bytes(range(256)) * 40
LARGE = 20_000_000
MOST_AT_ONCE = 8_000_000  # bytes of a large file that may be in memory together
EVER = datetime.now(UTC) + timedelta(days=2)
NO_REFS = [
    "",
    ".",
    "..",
    "/",
    "\x00",
    "../../keys/keys.json",
    "/etc/passwd",
    "%2e%2e%2fkeys",
    "kuva-ä-🍞",
    "x" * 2000,
    "0" * 64,
]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(store: PodStore, content: bytes, media_type: str = "image/jpeg") -> str:
    return store.put(content, media_type=media_type, sha256=sha256(content))


class Broken(io.BytesIO):
    """A file that cannot be read to its end."""

    def read(self, size: int | None = -1) -> bytes:
        part = super().read(min(size, 1000) if size and size > 0 else 1000)
        if self.tell() >= len(PHOTO) // 2:
            raise OSError("the file is gone")
        return part


class Watched(io.BytesIO):
    """A file that remembers how much of it was asked for at once."""

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        part = super().read(size)
        self.most = max(self.most, len(part))
        return part


class PodStoreConformance(PresentableConformance, ABC):
    @abstractmethod
    def store(self, tools: Tools) -> PodStore:
        """Yours, for the business ``tools.business_id``; over the same storage each time."""

    @abstractmethod
    def damage(self, ref: str) -> None:
        """Change what lies under ``ref``, behind the store's back."""

    @abstractmethod
    def fill(self) -> None:
        """Have your storage say no to whatever is put from now on, as one that is full does."""

    def presented(self, tools: Tools) -> Provider:
        return self.store(replace(tools, business_id=OURS))

    @pytest.fixture
    def ours(self, tools: Tools) -> PodStore:
        return self.store(replace(tools, business_id=OURS))

    @pytest.fixture
    def theirs(self, tools: Tools) -> PodStore:
        """Another business's, over the same storage."""
        return self.store(replace(tools, business_id=THEIRS))

    @pytest.mark.parametrize("content", [PHOTO, b"", b"\r\n\x00\xff", b"x"], ids=len)
    def test_what_was_put_comes_back(self, ours: PodStore, tools: Tools, content: bytes) -> None:
        ref = put(ours, content)
        assert ours.get(ref) == content, "`get` gives other bytes than were put."
        another = self.store(replace(tools, business_id=OURS))  # the next process
        assert another.get(ref) == content, "Another process gets other bytes: keep none of it."
        assert b"".join(another.parts(ref)) == content, "`parts` together are not what was put."

    def test_a_large_file_passes_in_parts(self, ours: PodStore) -> None:
        source = Watched(bytes(LARGE))
        known_by = sha256(source.getvalue())
        ref = ours.put_from(source, media_type="application/pdf", sha256=known_by)
        digest, most = hashlib.sha256(), 0
        for part in ours.parts(ref):
            digest.update(part)
            most = max(most, len(part))
        assert digest.hexdigest() == known_by, "A large file comes back changed."
        assert max(most, source.most) <= MOST_AT_ONCE, (
            f"{max(most, source.most)} bytes were in memory at once: override `put_from` and"
            " `parts`, and pass a large file on part by part."
        )

    def test_a_file_is_put_from_its_start(self, ours: PodStore) -> None:
        source = io.BytesIO(PHOTO)
        source.read(100)
        ref = ours.put_from(source, media_type="x/y", sha256=sha256(PHOTO))
        assert ours.get(ref) == PHOTO, "Read `source` from its start: seek(0) first."

    def test_putting_again_is_harmless(self, ours: PodStore) -> None:
        first = put(ours, PHOTO)
        again = put(ours, PHOTO, "image/png")
        assert ours.get(first) == ours.get(again) == PHOTO, "Put again, one of the two is lost."

    def test_two_files_never_share_a_reference(self, ours: PodStore) -> None:
        refs = {put(ours, PHOTO[:n]): PHOTO[:n] for n in range(1, 9)}
        assert len(refs) == 8, "Two files share a reference: make it of all of the content."
        assert all(ours.get(ref) == content for ref, content in refs.items()), "Files are mixed up."

    def test_content_that_is_not_its_hash_is_refused_and_not_kept(self, ours: PodStore) -> None:
        ref = put(ours, PHOTO)
        ours.delete(ref)
        expect(Refused, lambda: put_unlike(ours), "content that is not its hash")
        opens_nothing(ours, ref, "of what was refused")

    def test_content_that_is_not_its_hash_spoils_nothing_that_is_there(
        self, ours: PodStore
    ) -> None:
        ref = put(ours, PHOTO)
        expect(Refused, lambda: put_unlike(ours), "content that is not its hash")
        assert ours.get(ref) == PHOTO, "What was refused took the place of what was there."

    @pytest.mark.parametrize("ref", NO_REFS)
    def test_what_is_no_reference_opens_nothing(self, ours: PodStore, ref: str) -> None:
        mine = put(ours, PHOTO)
        opens_nothing(ours, ref, "that was never given out")
        ours.delete(ref)
        assert ours.get(mine) == PHOTO, f"Deleting {ref[:40]!r}, no reference, took a file with it."

    def test_a_reference_that_is_cut_or_lengthened_opens_nothing(self, ours: PodStore) -> None:
        ref = put(ours, PHOTO)
        for other in (ref[:-1], f"{ref}x", f"{ref}/", f"/{ref}", f"../{ref}", f"{ref}/../{ref}"):
            opens_nothing(ours, other, "that was cut or lengthened")
            ours.delete(other)
        assert ours.get(ref) == PHOTO, "Deleting what is almost its reference took the file."

    def test_what_was_deleted_is_gone_and_may_be_deleted_again(self, ours: PodStore) -> None:
        ref, other = put(ours, PHOTO), put(ours, PHOTO[1:])
        ours.delete(ref)
        ours.delete(ref)
        opens_nothing(ours, ref, "of what was deleted")
        assert ours.get(other) == PHOTO[1:], "Deleting one file took another."

    def test_what_was_deleted_can_be_put_again(self, ours: PodStore) -> None:
        ours.delete(put(ours, PHOTO))
        assert ours.get(put(ours, PHOTO)) == PHOTO, "What was deleted once can never be put again."

    def test_a_reference_opens_nothing_for_another_business(
        self, ours: PodStore, theirs: PodStore
    ) -> None:
        ref = put(ours, PHOTO)
        opens_nothing(theirs, ref, "of another business")
        theirs.delete(ref)
        assert ours.get(ref) == PHOTO, "Another business could delete our file."

    def test_what_one_business_deletes_another_keeps(
        self, ours: PodStore, theirs: PodStore
    ) -> None:
        mine, yours = put(ours, PHOTO), put(theirs, PHOTO)
        ours.delete(mine)
        assert theirs.get(yours) == PHOTO, (
            "One business's file went when another deleted its own: keep them apart, by"
            " `tools.business_id`."
        )
        opens_nothing(ours, mine, "of what was deleted")

    def test_many_at_once_lose_nothing(self, tools: Tools) -> None:
        about = replace(tools, business_id=OURS)
        contents = [PHOTO] * 6 + [PHOTO[:n] for n in (1, 2)]
        with ThreadPoolExecutor(8) as pool:
            refs = list(pool.map(lambda content: put(self.store(about), content), contents))
        found = [self.store(about).get(ref) for ref in refs]
        assert found == contents, (
            "Eight put at once, and not each came back: write beside the place, then move."
        )

    def test_a_put_that_breaks_off_leaves_nothing_to_be_seen(self, ours: PodStore) -> None:
        ref = put(ours, PHOTO)
        ours.delete(ref)
        with pytest.raises(OSError, match="the file is gone"):
            ours.put_from(Broken(PHOTO), media_type="image/jpeg", sha256=sha256(PHOTO))
        opens_nothing(ours, ref, "of what broke off")
        assert list(ours.kept(EVER)) == [], "Half a file is listed: store it whole or not at all."

    def test_a_storage_that_says_no_costs_nobody_the_file(self, ours: PodStore) -> None:
        self.fill()
        try:
            put(ours, PHOTO)
        except (RetryLater, ConfigError) as caught:
            demand_sentence(str(caught), "The error for a full storage")
        except Exception as other:
            raise AssertionError(
                f"A storage that takes no more raised {type(other).__name__} ({other}). Raise"
                " ConfigError, or Unavailable for what passes: a phone throws away what is Refused."
            ) from other
        else:
            raise AssertionError("The storage said no, and `put` says that the file is safe.")

    def test_what_was_changed_in_the_storage_is_not_given_out(self, ours: PodStore) -> None:
        ref = put(ours, PHOTO)
        self.damage(ref)
        expect(Refused, lambda: ours.get(ref), "what was changed in the storage")
        expect(Refused, lambda: list(ours.parts(ref)), "what was changed, part by part,")

    def test_the_right_bytes_can_be_put_beside_what_was_changed(self, ours: PodStore) -> None:
        self.damage(put(ours, PHOTO))
        assert ours.get(put(ours, PHOTO)) == PHOTO, (
            "Put again beside what was changed, it is still the changed: look at what is there."
        )

    def test_what_is_kept_is_listed_for_its_business_alone(
        self, ours: PodStore, theirs: PodStore
    ) -> None:
        refs = {put(ours, PHOTO): sha256(PHOTO), put(ours, b"x"): sha256(b"x")}
        put(theirs, b"y")
        assert {one.ref: one.sha256 for one in ours.kept(EVER)} == refs, (
            "`kept` lists each file of this business, and none of another's. A store that keeps no"
            " list exempts this test."
        )
        old = datetime.now(UTC) - timedelta(days=1)
        assert list(ours.kept(old)) == [], "Nothing was put before yesterday."

    def test_a_reference_can_be_stored(self, ours: PodStore) -> None:
        ref = put(ours, PHOTO)
        assert 0 < len(ref) <= 300, f"A reference has 1 to 300 characters, not {len(ref)}."
        assert ref.isprintable(), f"{ref!r} cannot be shown."
        told = [name for name, secret in secrets_of(ours.settings) if secret in ref]
        assert not told, f"The reference tells {told}."

    def test_a_check_leaves_nothing_behind(self, ours: PodStore) -> None:
        ours.check()
        ours.check()
        assert list(ours.kept(EVER)) == [], "`check` left what it tried with."


def opens_nothing(store: PodStore, ref: str, which: str) -> None:
    what = f"A reference {which} ({ref[:60]!r})"
    try:
        content = store.get(ref)
    except KeyError:
        return
    except Exception as other:
        raise AssertionError(
            f"{what} raised {type(other).__name__} ({other}). Raise KeyError: it opens nothing."
        ) from other
    raise AssertionError(f"{what} opened {len(content)} bytes. Raise KeyError.")


def put_unlike(store: PodStore) -> str:
    return store.put(b"another door", media_type="image/jpeg", sha256=sha256(PHOTO))
