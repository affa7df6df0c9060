"""The kits are sharp: a connector with any one of the usual mistakes does not pass them.

Each mutant is the example plugin with one line made wrong, as somebody once had it. All are put
into one folder and run by one pytest, each against the same fake as the right one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "example"
NEWEST = 'newest = orders[-1]["changed"]'
READ = 'yield OrderPage.read(orders, to_order, ref="id", cursor=newest)'
NEXT = "since, skip = newest, (skip + len(orders) if newest == since else 0)"
MUTANTS = {
    "reads the first page only": (
        'orders, more = reply["orders"], reply["more"]',
        'orders, more = reply["orders"], False',
    ),
    "cursor one second too far": (
        NEWEST,
        "from datetime import timedelta\n"
        '                newest = (datetime.fromisoformat(orders[-1]["changed"])'
        " + timedelta(seconds=1)).isoformat()",
    ),
    "cursor is the wall clock": (
        READ,
        "yield OrderPage.read(orders, to_order, ref='id',"
        " cursor=datetime.now().astimezone().isoformat())",
    ),
    "cursor stuck at the start": (
        READ,
        'yield OrderPage.read(orders, to_order, ref="id", cursor="")',
    ),
    "offset paging over a moving list": (NEXT, "skip += len(orders)"),
    "keyset paging, exclusive": (NEXT, 'since = newest + "\\x01"'),
    "every page carries the last cursor": (
        READ,
        'yield OrderPage.read(orders, to_order, ref="id", cursor="9")',
    ),
    "ignores cancellation": ('"cancelled" if bake["cancelled"] else "open"', '"open"'),
    "drops the time zone": (
        'datetime.fromisoformat(bake["changed"])',
        'datetime.fromisoformat(bake["changed"]).replace(tzinfo=None)',
    ),
    "assumes a zone": (
        'datetime.fromisoformat(bake["changed"])',
        'datetime.fromisoformat(bake["changed"].replace("+00:00", "+10:00"))',
    ),
    "a bad record kills the page": (READ, "yield OrderPage(tuple(map(to_order, orders)), newest)"),
    "a bad record vanishes": (
        READ,
        'yield OrderPage(tuple(to_order(b) for b in orders if "street" in b), newest)',
    ),
    "the secret is a plain text": ("token: SecretStr", "token: str"),
    "the secret is in the message": (
        "return self.tools.http.get_json(self._url(path), params=query, headers=self._headers())",
        "reply = self.tools.http.get(self._url(path), params=query, headers=self._headers())\n"
        "        if reply.status_code in (401, 403):\n"
        "            from hub import AuthError\n"
        '            raise AuthError(f"denied {self._headers()}")\n'
        "        return self.tools.http.get_json(self._url(path), params=query, headers=self._headers())",
    ),
    "check checks nothing": ('self._get("orders", {"limit": 1})', "pass"),
    "an outage is swallowed": (
        'reply = self._get("orders", {"changed_since": since, "skip": skip})',
        "from hub import Unavailable\n"
        "            try:\n"
        '                reply = self._get("orders", {"changed_since": since, "skip": skip})\n'
        "            except Unavailable:\n"
        "                return",
    ),
    "names lose their letters": (
        'bake["to"], phone',
        'bake["to"].encode("ascii", "ignore").decode(), phone',
    ),
    "the ref is not the id": ('ref=bake["id"]', 'ref=bake["to"]'),
    "one alone is another": (
        "to_order(found[0]) if found",
        'to_order({**found[0], "town": "Nowhere"}) if found',
    ),
    "each connection is another shop": (
        'return self.settings.url.host or ""',
        "return str(id(self))",
    ),
    "the secret is its name": (
        'return self.settings.url.host or ""',
        "return self.settings.token.get_secret_value()",
    ),
    "a number without a title": ('title="API token", ', ""),
}
TEST = """
import pytest
from fake_bakehouse import FakeBakehouse
from {module} import Bakehouse
from hub.testing import OrderSourceConformance, WsgiAdapter

class TestMutant(OrderSourceConformance):
    @pytest.fixture
    def shop(self):
        return FakeBakehouse()

    def source(self, shop, tools):
        tools.http.mount("https://bakehouse.test", WsgiAdapter(shop.app))
        return Bakehouse(Bakehouse.Settings(url="https://bakehouse.test", token=shop.secret), tools)
"""
USUAL = ("cursor one second too far", "offset paging over a moving list", "a bad record vanishes")


def failures(folder: Path, names: list[str]) -> dict[str, int]:
    """How many tests of the kit each mutant fails; "right" is the plugin as it is."""
    source = (EXAMPLE / "hub_bakehouse.py").read_text()
    for n, name in enumerate(["right", *names]):
        old, new = MUTANTS.get(name, ("", ""))
        assert old in source, f"{name}: the line it changes is gone"
        (folder / f"mutant{n}.py").write_text(source.replace(old, new, 1) if old else source)
        (folder / f"test_mutant{n}.py").write_text(TEST.format(module=f"mutant{n}"))
    report = folder / "report.xml"
    path = os.pathsep.join(map(str, (ROOT, EXAMPLE, folder)))
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
        + [f"--rootdir={folder}", f"--junitxml={report}", str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        timeout=280,
    )
    found = dict.fromkeys(["right", *names], 0)
    for case in ElementTree.parse(report).iter("testcase"):
        n = int(str(case.get("classname")).partition("test_mutant")[2].partition(".")[0])
        found[["right", *names][n]] += (
            case.find("failure") is not None or case.find("error") is not None
        )
    return found


def test_the_usual_mistakes_are_caught(tmp_path: Path) -> None:
    found = failures(tmp_path, list(USUAL))
    assert found.pop("right") == 0
    assert [name for name, count in found.items() if not count] == []


@pytest.mark.soak
def test_every_planted_mistake_is_caught(tmp_path: Path) -> None:
    found = failures(tmp_path, list(MUTANTS))
    assert found.pop("right") == 0
    assert [name for name, count in found.items() if not count] == []
