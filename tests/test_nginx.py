"""nginx is told of the hub's name and of every proven domain, and passes no more on than it must."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlmodel import select

from hub import cli
from hub.app import Hub
from hub.db.migrate import migrate
from hub.db.tables import BrandDomainRow, BrandRow
from hub.flows.found import found
from hub.nginx import nginx_conf
from hub.settings import Settings

OWN = "track.husk.example"


def servers(text: str) -> dict[str, dict[str, str]]:
    """By name, where each place of an encrypted server leads; empty: nowhere."""
    found = {}
    for block in text.split("\nserver {")[2:]:
        name = re.search(r"server_name (\S+);", block)
        assert name is not None
        places = re.findall(r"location (\S+) {\n +(?:proxy_pass http://(\w+)|return 404);", block)
        found[name[1]] = dict(places)
    return found


def test_an_own_domain_has_its_customers_pages_and_nothing_else() -> None:
    settings = Settings.from_environment({"HUB_DOMAIN": "hub.example"})
    text = nginx_conf(settings, Path("/w.sock"), Path("/l.sock"), [OWN])
    assert servers(text) == {
        "hub.example": {"/live/": "hub_live", "/": "hub_web", "/front/": ""},
        OWN: {"/live/t/": "hub_live", "/t/": "hub_web", "/u/": "hub_web", "/": ""},
    }
    assert f"server_name hub.example {OWN};" in text  # to get its certificate, and lead to it
    assert text.count("proxy_set_header X-Forwarded-Host $http_host;") == 2
    assert text.count("proxy_buffering off;") == 2
    # A link is a key: whoever reads a log must not find any. nginx names them in errors, too.
    for block in text.split("\nserver {")[1:]:
        assert "access_log off;" in block
        assert re.search(r"error_log \S+ (alert|emerg);", block)
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("url", ["", "http://localhost:8700", "http://10.0.0.7"])
def test_where_the_hub_has_no_name_yet_one_stands_there_to_be_replaced(url: str) -> None:
    """No certificate is to be had for a number."""
    settings = Settings.from_environment({"HUB_PUBLIC_URL": url})
    text = nginx_conf(settings, Path("/w.sock"), Path("/l.sock"), [])
    assert list(servers(text)) == ["hub.example.com"]


def test_it_names_the_domains_that_are_proven_by_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {
        "HUB_DATA_DIR": str(tmp_path),
        "HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'hub.db'}",
        "HUB_DOMAIN": "hub.example",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    hub = Hub.from_settings(Settings.from_environment(given))
    migrate(hub.engine)
    business_id = found(hub, "Husk", zone="UTC")
    with hub.unit() as unit:
        usual = unit.session.exec(select(BrandRow)).one()
        second = BrandRow(business_id=business_id, slug="second", is_usual=False, name="Second")
        unit.session.add(second)
        unit.session.flush()
        for brand, host, proven in ((usual, OWN, OWN), (second, "hoped.example", None)):
            row = BrandDomainRow(
                business_id=business_id,
                brand_id=brand.id,
                host=host,
                token="t" * 32,
                proven_host=proven,
                state="proven" if proven else "waiting",
            )
            unit.session.add(row)
    assert cli.main(["front", "--print", "nginx"]) == 0
    assert set(servers(capsys.readouterr().out)) == {"hub.example", OWN}
