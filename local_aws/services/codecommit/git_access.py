"""What IAM says to a git client: the references of a push are read before git gets them.

https://docs.aws.amazon.com/codecommit/latest/userguide/auth-and-access-control-permissions-reference.html
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from starlette.types import Message, Receive

# (access key, action, ARN of the repository, reference or "") -> why it is denied, or None.
Denial = Callable[[str, str, str, str], str | None]
# https://git-scm.com/docs/pack-protocol#_reference_update_request_and_packfile_transfer
COMMAND = re.compile(
    rb"[0-9a-f]{40} [0-9a-f]{40} (?P<reference>refs/[^\x00\n]+)(\x00(?P<capabilities>[^\n]*))?\n?"
)
SHALLOW = re.compile(rb"shallow [0-9a-f]{40}\n?")
# Of all commands of a push: thousands of references.
LONGEST = 1024 * 1024
FLUSH = b"0000"


class NotAPushError(Exception):
    """The body does not begin with commands that can be authorized."""


@dataclass(frozen=True)
class Push:
    """The references that a push changes, and the capabilities that the client asks for."""

    references: tuple[str, ...]
    capabilities: frozenset[str]


async def read_push(receive: Receive) -> tuple[Push, Receive]:
    """Read the commands of a push; return them, and what receives the whole body again.

    Raises `NotAPushError` for a body with anything else, such as a push certificate.
    """
    unread: list[Message] = []
    body = b""
    while (end := _end_of_commands(body)) is None:
        if len(body) > LONGEST:
            raise NotAPushError("the push has too many references")
        message = await receive()
        unread.append(message)
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            end = _end_of_commands(body)
            break

    async def receive_again() -> Message:
        return unread.pop(0) if unread else await receive()

    if end is None:
        raise NotAPushError("the push is incomplete")
    return _push(body[:end]), receive_again


def _end_of_commands(body: bytes) -> int | None:
    """Return the length of the commands with the flush packet that ends them, None if it is not there yet."""
    at = 0
    while len(body) >= at + 4:
        length = _length(body[at : at + 4])
        if length == 0:
            return at + 4
        at += length
    return None


def _push(body: bytes) -> Push:
    references, capabilities, at = [], set[str](), 0
    while (length := _length(body[at : at + 4])) != 0:
        line = body[at + 4 : at + length]
        found = COMMAND.fullmatch(line)
        if found is not None:
            references.append(found["reference"].decode(errors="replace"))
            capabilities |= set((found["capabilities"] or b"").decode(errors="replace").split())
        elif not SHALLOW.fullmatch(line):
            raise NotAPushError("the push has a command that is no update of a reference")
        at += length
    return Push(tuple(references), frozenset(capabilities))


def _length(header: bytes) -> int:
    """Return the length of a packet with its header, 0 for a flush packet."""
    try:
        length = int(header, 16)
    except ValueError as error:
        raise NotAPushError("the push has no packet lines") from error
    if length and length < 4:
        raise NotAPushError("the push has no packet lines")
    return length


async def denied_references(push: Push, deny: Callable[[str], str | None]) -> dict[str, str]:
    """Return why each denied reference is denied; without references, git only asks whether it may push."""
    found = {}
    for reference in push.references or ("",):
        reason = await asyncio.to_thread(deny, reference)
        if reason is not None:
            found[reference] = reason
    return found


def report(push: Push, reason: Mapping[str, str]) -> bytes:
    """Return git's report of a push of which nothing was updated: all references, or none, as on AWS."""
    refused = next(iter(reason.values()))
    lines = [b"unpack ok\n"]
    lines += [f"ng {each} {reason.get(each, refused)}\n".encode() for each in push.references]
    status = b"".join(_packets(lines)) + FLUSH
    if not {"side-band-64k", "side-band"} & push.capabilities:
        return status
    # One packet of side-band has a thousand bytes.
    parts = [b"\x01" + status[at : at + 900] for at in range(0, len(status), 900)]
    return b"".join(_packets(parts)) + FLUSH


def _packets(lines: Iterable[bytes]) -> Iterable[bytes]:
    return (b"%04x%b" % (len(line) + 4, line) for line in lines)
