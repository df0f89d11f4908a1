"""The keys deploymentWindow and freeze, and what is neither."""

from __future__ import annotations

import pytest

from infrastructure.config.context_key import ConfigError
from infrastructure.config.settings import Config
from unit_tests.infrastructure.synthesized import context


def test_a_window_is_a_cron_expression_and_a_time_zone() -> None:
    window = Config.from_context(
        context(deploymentWindow="* 0/30 9-16 ? * MON-FRI Europe/Vienna")
    ).deployment_window
    assert window is not None
    assert (window.cron, window.time_zone) == ("* 0/30 9-16 ? * MON-FRI", "Europe/Vienna")


def test_a_window_and_a_freeze_are_not_dropped_by_leaving_them_out() -> None:
    """The settings guard compares them (pitfall C11)."""
    found = Config.from_context(context(deploymentWindow="* * * ? * SUN UTC", freeze="until 7 January"))
    assert found.optional_settings == {"deploymentWindow": "* * * ? * SUN UTC", "freeze": "until 7 January"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deploymentWindow", "* * 9-16 ? * MON-FRI"),
        ("deploymentWindow", "9-16 ? * MON-FRI UTC"),
        ("deploymentWindow", "* * 9-16 ? * mon-fri UTC"),
        ("deploymentWindow", "0 * 9-16 ? * MON-FRI UTC"),
        ("deploymentWindow", {"cron": "* * * ? * *"}),
        ("freeze", ""),
        ("freeze", True),
        ("freeze", 'until "7"'),
        ("freeze", "x" * 301),
    ],
)
def test_what_is_neither_is_refused(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=key):
        Config.from_context(context(**{key: value}))
