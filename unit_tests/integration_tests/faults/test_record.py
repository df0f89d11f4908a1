"""The table of faults, and the file with every figure."""

import json
from dataclasses import replace
from pathlib import Path

from integration_tests.faults.record import Fault, read, table, write

ONE = Fault(
    fault="green answers 500",
    seconds=30.5,
    requests=1500,
    failed=17,
    statuses={200: 1483, 500: 17},
    versions={"a" * 40: 1483},
    pipeline="Source Succeeded Deploy Failed",
    reason="Deployment d-1 stopped |\nALARM_ACTIVE",
    notifications=['"Stage Deploy failed"', '{"AlarmName": "errors-blue"}'],
    outcome="aaaaaaa is served",
)


def test_the_table_has_one_row_per_fault_and_no_cell_breaks_it() -> None:
    _, _, row = table([ONE]).splitlines()
    assert row == (
        "| green answers 500 | 1500 | 17 | Source Succeeded Deploy Failed "
        "| Deployment d-1 stopped / ALARM_ACTIVE | stage, alarm errors-blue | aaaaaaa is served |"
    )


def test_the_file_keeps_every_figure(tmp_path: Path) -> None:
    (kept,) = json.loads(write(tmp_path / "new", [ONE]).read_text())
    assert (kept["statuses"], kept["notifications"], kept["seconds"]) == (
        {"200": 1483, "500": 17},
        ONE.notifications,
        30.5,
    )


def test_the_newest_run_of_a_fault_is_read(tmp_path: Path) -> None:
    other = replace(ONE, fault="green crashes")
    write(tmp_path / "20261124-0900-b", [replace(ONE, failed=3)])
    write(tmp_path / "20261124-0800-a", [replace(ONE, failed=9), other])
    found = {one.fault: one.failed for one in read(tmp_path)}
    assert found == {"green answers 500": 3, "green crashes": 17}
    assert [one.fault for one in read(tmp_path, since="20261124-0830")] == ["green answers 500"]
