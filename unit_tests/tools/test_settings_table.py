"""The table of context keys in docs/configuration.md says what Config and cdk.json say."""

from __future__ import annotations

from infrastructure.config.settings import Config
from tools.settings_table import lines
from unit_tests.infrastructure.synthesized import context


def test_every_key_has_a_row_with_its_rule() -> None:
    _, _, *rows = lines(context())
    assert [row.split(" | ")[:2] for row in rows] == [
        [f"| `{key}`", rule.words] for key, rule in Config.rules().items()
    ]


def test_a_changed_setting_changes_the_table() -> None:
    changed = context()
    changed["environments"] = changed["environments"] | {
        "prod": changed["environments"]["prod"] | {"desiredCount": 9}
    }
    (before,) = [row for row in lines(context()) if "`desiredCount`" in row]
    (after,) = [row for row in lines(changed) if "`desiredCount`" in row]
    assert before.endswith("| 2 | 2 | 3 |")
    assert after.endswith("| 2 | 2 | 9 |")
