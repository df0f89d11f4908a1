"""The comparison of what was answered on several engines."""

from datetime import UTC, datetime

from integration_tests.engines.answers import Answers, reason_of, without_own

DIGEST = f"sha256:{'a1' * 32}"


def answered(**by_engine: object) -> Answers:
    answers = Answers()
    for engine, content in by_engine.items():
        answers.record(engine, "task", content)
    return answers


def test_the_same_answer_at_another_time_with_other_ids_is_no_difference() -> None:
    first = {"startedAt": datetime(2026, 1, 1, tzinfo=UTC), "image": DIGEST, "at": "10.0.0.1:41234"}
    second = {
        "startedAt": datetime(2027, 2, 2, tzinfo=UTC),
        "image": f"{DIGEST[:-2]}b2",
        "at": "127.9.9.9:51234",
    }
    assert answered(processes=first, docker=second).differences() == {}


def test_a_value_a_missing_field_and_an_empty_list_are_differences() -> None:
    answers = answered(
        processes={"containers": [{"exitCode": 143}], "reason": "x", "details": []},
        docker={"containers": [{"exitCode": 137}], "details": ["y"]},
    )
    assert answers.differences() == {
        "task: containers[0].exitCode": ("143", "137"),
        "task: details": ("[]", "-"),
        "task: details[0]": ("-", "y"),
        "task: reason": ("x", "-"),
    }


def test_the_table_counts_what_is_the_same_and_shows_what_is_not() -> None:
    table = answered(processes={"a": 1, "b": 2}, docker={"a": 1, "b": 3}).table({"task: b": "as documented"})
    assert table.splitlines()[1].split() == ["task", "2", "1"]
    assert table.endswith("task: b (as documented)\n    processes  2\n    docker     3")


def test_what_has_no_reason_is_named_so() -> None:
    assert "task: b (UNEXPLAINED)" in answered(processes={"b": 2}, docker={"b": 3}).table({})


def test_a_pattern_explains_every_field_that_it_matches() -> None:
    assert reason_of("facts: user[0]", {"facts: user*": "no users"}) == "no users"
    assert reason_of("facts: process id", {"facts: user*": "no users"}) == ""


def test_exit_codes_and_words_are_not_taken_for_ids() -> None:
    assert without_own("exit code 137, feedbac, 20000 bytes") == "exit code 137, feedbac, 20000 bytes"
    assert without_own(f"{DIGEST} ba7816bf8f01cfea") == "sha256:<digest> <hex>"
