"""The README's table of context keys says what Config and cdk.json say."""

from __future__ import annotations

import pytest

from infrastructure.config.settings import Config
from infrastructure.errors import AppError
from tools.settings_table import BEGIN, END, lines, written
from unit_tests.infrastructure.synthesized import PROJECT, context


def test_the_readmes_table_is_current() -> None:
    readme = (PROJECT / "README.md").read_text("utf-8")
    assert written(readme, context()) == readme, "run: python -m tools.settings_table"


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


@pytest.mark.parametrize("readme", ["", BEGIN, END])
def test_a_readme_without_the_marks_is_refused(readme: str) -> None:
    with pytest.raises(AppError, match=r"README\.md has no lines"):
        written(readme, context())
