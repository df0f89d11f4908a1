"""`python -m harness.dashboard SUFFIX`: a page on loopback with what goes on in an environment.

The cloud is the one that AWS_ENDPOINT_URL and your credentials lead to.
"""

import argparse
import asyncio
import os
import socket
import sys

from harness.cloud import Cloud
from harness.dashboard.environment_view import Road
from harness.dashboard.process import listen
from harness.dashboard.server import serve
from harness.folders import folder

PORT = 4567


def main() -> int:
    """Serve until Ctrl-C, or until the process that was named has ended."""
    parser = argparse.ArgumentParser(prog="python -m harness.dashboard", description=__doc__)
    parser.add_argument("suffix", help="the environmentSuffix of what is deployed")
    parser.add_argument("--port", type=int, default=PORT, help="of the page (default %(default)s)")
    parser.add_argument("--time-scale", type=float, default=1.0, help="how fast AWS's minutes pass there")
    parser.add_argument("--socket", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--until", type=int, metavar="PID", help="end when this process has ended")
    given = parser.parse_args()
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    cloud = Cloud("local_aws" if endpoint else "AWS", folder("page"), endpoint, given.time_scale)
    try:
        listener = socket.socket(fileno=given.socket) if given.socket else listen(given.port)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        print(
            f"page: cannot listen on port {given.port} ({why}): choose another with --port", file=sys.stderr
        )
        return 2
    try:
        asyncio.run(serve(Road(cloud, given.suffix), listener, given.until))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
