"""An answer that says that something is done comes once it is kept: a kill -9 does not take it back."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from local_aws.core.clients import INTERNAL

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

# What only asks, by the first word of its name; and logs and metrics, which come by the hundred.
READS = re.compile("Describe|Get|List|BatchGet|BatchCheck|Head|Lookup|Filter|Receive|PutLogEvents|PutMetric")
_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
_LONGEST_HEAD = 4096


class DurabilityMiddleware:
    """The ASGI application `inner`; `kept` returns once all that is known is kept.

    Calls of local_aws's own services do not wait: what they do is kept twice a second, and taken up again.
    """

    def __init__(self, inner: Asgi, kept: Callable[[], Awaitable[None]]) -> None:
        self.inner = inner
        self.kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.inner(scope, receive, send)
            return
        head = b""

        async def listen() -> Message:
            nonlocal head
            message = await receive()
            head = (head + message.get("body", b""))[:_LONGEST_HEAD]
            return message

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and is_mutating(scope, head):
                await self.kept()
            await send(message)

        await self.inner(scope, listen, answer)


def is_mutating(scope: Scope, head: bytes) -> bool:
    """Say whether a request may have changed something, by its operation's name and the body's beginning."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    if INTERNAL.encode() in headers.get(b"user-agent", b""):
        return False
    target = headers.get(b"x-amz-target", b"").rpartition(b".")[2]
    form = _ACTION.search(head)
    operation = target or (form[1] if form else b"")
    return READS.match(operation.decode("latin-1")) is None
