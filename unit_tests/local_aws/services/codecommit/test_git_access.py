"""The references of a push, as they are read before git gets them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.types import Message

from local_aws.services.codecommit.git_access import NotAPushError, Push, read_push, report

OLD, NEW = "0" * 40, "1" * 40
CAPABILITIES = "report-status side-band-64k agent=git/2"


def packet(line: str) -> bytes:
    return f"{len(line) + 4:04x}{line}".encode()


def update(reference: str, capabilities: str = "") -> bytes:
    return packet(f"{OLD} {NEW} {reference}" + (f"\0{capabilities}" if capabilities else "\n"))


def read(parts: Iterable[bytes]) -> tuple[Push, bytes]:
    """Return the push, and the body as git gets it afterwards."""
    bodies = list(parts)
    messages: list[Message] = [
        {"type": "http.request", "body": body, "more_body": number < len(bodies)}
        for number, body in enumerate(bodies, 1)
    ]

    async def receive() -> Message:
        return messages.pop(0)

    async def whole() -> tuple[Push, bytes]:
        push, again = await read_push(receive)
        body, more = b"", True
        while more:
            message = await again()
            body, more = body + message["body"], message["more_body"]
        return push, body

    return asyncio.run(whole())


def test_every_reference_is_read_and_the_body_arrives_whole() -> None:
    body = update("refs/heads/topic", CAPABILITIES) + update("refs/heads/main") + b"0000PACK..."
    push, again = read([body[:7], body[7:120], body[120:]])
    assert push.references == ("refs/heads/topic", "refs/heads/main")
    assert push.capabilities == set(CAPABILITIES.split())
    assert again == body


def test_the_probe_of_a_large_push_names_no_reference() -> None:
    push, again = read([b"0000"])
    assert push.references == ()
    assert again == b"0000"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"zzzz",
        b"0003",
        update("refs/heads/topic"),
        packet("push-cert\0report-status\n") + update("refs/heads/main") + b"0000",
        packet(f"{OLD} {NEW} HEAD\n") + b"0000",
    ],
)
def test_what_cannot_be_authorized_is_refused(body: bytes) -> None:
    with pytest.raises(NotAPushError):
        read([body])


def test_a_denied_push_names_each_reference_with_a_reason() -> None:
    push = Push(("refs/heads/topic", "refs/heads/main"), frozenset({"report-status"}))
    answer = report(push, {"refs/heads/main": "denied"})
    assert b"ng refs/heads/topic denied\n" in answer
    assert b"ng refs/heads/main denied\n" in answer
    assert answer.startswith(b"000eunpack ok\n")
    assert answer.endswith(b"0000")
