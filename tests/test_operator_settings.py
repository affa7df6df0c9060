"""What the operator sets is taken as meant, or refused by its own name."""

from __future__ import annotations

import pytest

from hub.core.errors import ConfigError
from hub.settings import Settings


@pytest.mark.parametrize("domain", ["https://x.example", "x.example/", "x.example:443", "x y"])
def test_a_domain_that_is_more_than_a_name_is_refused_as_the_domain(domain: str) -> None:
    """The complaint was about HUB_PUBLIC_URL, which nobody had set."""
    with pytest.raises(ConfigError, match="HUB_DOMAIN is .* name alone"):
        Settings.from_environment({"HUB_DOMAIN": domain})


def test_a_domain_becomes_the_public_address() -> None:
    settings = Settings.from_environment({"HUB_DOMAIN": "hub.example.com"})
    assert settings.public_url == "https://hub.example.com"


def test_planning_keeps_no_more_processes_busy_than_the_operator_says() -> None:
    assert Settings.from_environment({"HUB_PLAN_CORES": "3"}).plan_cores == 3
    assert 1 <= Settings.from_environment({}).plan_cores <= 4
    for wrong in ("0", "many", "65"):
        with pytest.raises(ConfigError, match="HUB_PLAN_CORES"):
            Settings.from_environment({"HUB_PLAN_CORES": wrong})


def test_how_fast_streets_are_is_learned_where_the_operator_says_so_and_by_every_process() -> None:
    assert not Settings.from_environment({}).street_speeds
    assert not Settings.from_environment({"HUB_STREET_SPEEDS": "0"}).street_speeds
    on = Settings.from_environment({"HUB_STREET_SPEEDS": "1"})
    assert on.street_speeds and Settings.from_environment(on.as_environment()).street_speeds
    with pytest.raises(ConfigError, match="HUB_STREET_SPEEDS"):
        Settings.from_environment({"HUB_STREET_SPEEDS": "yes"})
