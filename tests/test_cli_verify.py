"""`hub verify` says whether the evidence holds, in a sentence for whoever must act."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlmodel import select

from hub.app import Hub
from hub.cli import main
from hub.core.orders import IncomingOrder
from hub.core.values import Address
from hub.db.tables import ChainRow, JobRow, SecretRow
from hub.flows.connections import connection_id
from hub.flows.endpoints import EndpointIn, make_endpoint
from hub.flows.prove import put_file
from hub.flows.sync import store_all
from hub.keys import Keys
from hub.settings import Settings

PICTURE = b"a photo of a door"
SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)
HASH = sha256(PICTURE).hexdigest()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> tuple[Hub, str]:
    """An installed hub with one photo in its evidence, and the business's id."""
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    assert main(["found", "Husk", "--zone", "Europe/Helsinki"]) == 0
    business_id = capsys.readouterr().out.strip()
    hub = Hub.from_settings(Settings.from_environment())
    order = IncomingOrder(ref="1", number="1", updated_at=SIX, address=Address(("Street 1",)))
    store_all(hub, business_id, connection_id(hub, business_id, "api"), [order])
    with hub.reading() as session:
        job = session.exec(select(JobRow)).one()
    put_file(hub, business_id, job.id, "photo", "image/jpeg", PICTURE, HASH)
    return hub, business_id


def test_evidence_that_holds_is_counted(kept, capsys) -> None:
    assert main(["verify"]) == 0
    assert capsys.readouterr().out == "1 links and 1 files hold\n"


def test_one_business_can_be_verified_alone(kept, capsys) -> None:
    assert main(["found", "Another", "--zone", "UTC"]) == 0
    other = capsys.readouterr().out.strip()
    assert main(["verify", other]) == 0
    assert capsys.readouterr().out == "0 links and 0 files hold\n"
    assert main(["verify", kept[1]]) == 0
    assert capsys.readouterr().out == "1 links and 1 files hold\n"


def test_each_thing_that_was_changed_is_a_sentence_and_the_exit_code_is_1(kept, capsys) -> None:
    hub, business_id = kept
    with hub.unit() as unit:
        unit.session.exec(select(ChainRow)).one().hash = "f" * 64
    (hub.settings.data_dir / "proof" / business_id / HASH[:2] / HASH).write_bytes(b"another door")
    assert main(["verify", business_id]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    link, *_, file = told.err.splitlines()
    assert link == "Husk: link 1: its hash is wrong"
    assert "its content was changed" in file


def test_an_unknown_business_is_told_so(kept, capsys) -> None:
    assert main(["verify", "nobody"]) == 1
    assert "There is no business 'nobody'" in capsys.readouterr().err


def test_an_endpoint_whose_secret_no_key_opens_is_named(kept, capsys) -> None:
    """As after a restore without the keys that belong to it."""
    hub, business_id = kept
    listens = EndpointIn(url="https://93.184.215.14/")
    made = make_endpoint(hub, business_id, listens, actor="staff:1")
    assert main(["verify"]) == 0
    key = Fernet.generate_key().decode()
    others = Keys.at(hub.settings.data_dir / "keys" / "keys.json")
    with hub.unit() as unit:
        for row in unit.session.exec(select(SecretRow)):
            row.sealed = replace(others, rings={"credentials": (key,)}).seal("credentials", "x")
    capsys.readouterr()
    assert main(["verify"]) == 1
    told = capsys.readouterr().err
    assert told == (
        f"Husk: endpoint {made.endpoint.id}: Its secret can no longer be read here."
        " Make a new one.\n"
    )
