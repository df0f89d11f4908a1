"""Durability: a mutating request is answered after its effect is on disk, so SIGKILL cannot undo it."""

import re
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_aws.core.clients import INTERNAL

# Read operations, by the first word of their names; and logs and metrics, which come by the hundred.
READS = re.compile("Describe|Get|List|BatchGet|BatchCheck|Head|Lookup|Filter|Receive|PutLogEvents|PutMetric")
# What changes nothing, as a signature, and the layers of images, which are files already.
UNSAVED = frozenset(
    (
        *("Decrypt", "Encrypt", "GenerateDataKey", "GenerateMac", "Sign", "Verify", "VerifyMac"),
        *("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload"),
    )
)
LAYERS = re.compile(r"/v2/.+/blobs/")
_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
_HEAD_BYTES = 4096


class DurabilityMiddleware:
    """ASGI middleware around `app`; `saved` returns once the present state is on disk.

    Calls of local_aws's own services do not wait: their effects are saved twice a second, and resumed.
    """

    def __init__(self, app: ASGIApp, saved: Callable[[], Awaitable[None]]) -> None:
        self.app = app
        self.saved = saved

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        head = b""

        async def receive_and_read() -> Message:
            nonlocal head
            message = await receive()
            head = (head + message.get("body", b""))[:_HEAD_BYTES]
            return message

        async def send_once_saved(message: Message) -> None:
            if message["type"] == "http.response.start" and is_mutating(scope, head):
                await self.saved()
            await send(message)

        await self.app(scope, receive_and_read, send_once_saved)


def is_mutating(scope: Scope, head: bytes) -> bool:
    """Return whether a request may change state, by its operation; `head` is the start of its body."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    if INTERNAL.encode() in headers.get(b"user-agent", b""):
        return False
    target = headers.get(b"x-amz-target", b"").rpartition(b".")[2]
    form = _ACTION.search(head)
    operation = target or (form[1] if form else b"")
    name = operation.decode("latin-1")
    return not (READS.match(name) or name in UNSAVED or LAYERS.match(scope["path"]))
