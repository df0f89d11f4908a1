"""What filterPattern and logStreamNamePrefix of FilterLogEvents let through, and what they refuse."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.daemon import start
from unit_tests.local_aws.cloudformation_cloud import Cloud

GROUP = "/test/filters"
MESSAGES = {"a/1": ["ERROR disk full", "error disk"], "b/1": ["WARN of ERROR", 'said "no" to (x)']}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    server = start(tmp_path_factory.mktemp("state"))
    client = Cloud(server).client("logs")
    client.create_log_group(logGroupName=GROUP)
    for stream, messages in MESSAGES.items():
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        events = [{"timestamp": 1_790_000_000_000 + at, "message": text} for at, text in enumerate(messages)]
        client.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)
    yield client
    server.stop()


def found(logs: Any, **request: Any) -> list[str]:
    answer = logs.filter_log_events(logGroupName=GROUP, **request)
    return sorted(event["message"] for event in answer["events"])


@pytest.mark.parametrize(
    ("pattern", "messages"),
    [
        ("", [text for texts in MESSAGES.values() for text in texts]),
        ("ERROR", ["ERROR disk full", "WARN of ERROR"]),
        ("ERROR disk", ["ERROR disk full"]),
        ('"disk full"', ["ERROR disk full"]),
        ('"full disk"', []),
        ("ERROR -WARN", ["ERROR disk full"]),
        ("?WARN ?full", ["ERROR disk full", "WARN of ERROR"]),
        ("?WARN disk", ["ERROR disk full", "error disk"]),
        (r'"said \"no\"" "(x)"', ['said "no" to (x)']),
    ],
)
def test_a_text_pattern_matches_its_terms_in_their_case(logs: Any, pattern: str, messages: list[str]) -> None:
    assert found(logs, filterPattern=pattern) == sorted(messages)


@pytest.mark.parametrize("pattern", ["Status: timeout", "(x)", 'said "no', "`ERROR"])
def test_a_special_character_outside_of_quotes_is_refused(logs: Any, pattern: str) -> None:
    with pytest.raises(ClientError, match=r"InvalidParameterException.*Invalid character\(s\) in term '"):
        found(logs, filterPattern=pattern)


@pytest.mark.parametrize("pattern", ['{ $.level = "error" }', "[ip, user, status]", "%[Ee]rror%"])
def test_a_pattern_that_is_not_evaluated_is_refused_by_name(logs: Any, pattern: str) -> None:
    with pytest.raises(ClientError, match=r"UnsupportedOperation.*local_aws filters log events by text only"):
        found(logs, filterPattern=pattern)


def test_a_prefix_chooses_the_streams(logs: Any) -> None:
    assert found(logs, logStreamNamePrefix="b/") == sorted(MESSAGES["b/1"])
    assert found(logs, logStreamNamePrefix="c/") == []
    with pytest.raises(ClientError, match="InvalidParameterException"):
        found(logs, logStreamNamePrefix="b/", logStreamNames=["b/1"])
