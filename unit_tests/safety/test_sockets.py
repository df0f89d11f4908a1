"""A running local_aws listens on loopback alone, and no page of another site drives any of its doors."""

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.running import Running, start

LISTENING = "0A"
LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = start(tmp_path_factory.mktemp("state"))
    yield server
    assert server.stop() == []


def processes(root: int) -> set[int]:
    """Return a process and all that descend from it."""
    found = {root}
    for task in Path(f"/proc/{root}/task").iterdir():
        for child in (task / "children").read_text().split():
            found |= processes(int(child))
    return found


def listening(pids: set[int]) -> set[str]:
    """Return the addresses (hexadecimal, `address:port`) on which these processes listen."""
    links = [
        str(link.readlink())
        for pid in pids
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if os.path.lexists(link)
    ]
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    rows = [
        line.split()
        for kind in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == LISTENING and row[9] in sockets}


def test_every_socket_that_it_listens_on_is_loopback(server: Running) -> None:
    found = listening(processes(server.pid))
    port = int(server.endpoint.rpartition(":")[2])
    assert f"0100007F:{port:04X}" in found
    assert {address.rpartition(":")[0] for address in found} <= {*LOOPBACK}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "path",
    [
        "/v1/repos/r/info/refs?service=git-receive-pack",
        "/v2/",
        "/_local_aws/iam",
        "/_local_aws/faults",
        "/",
        "/b/k",
    ],
)
def test_no_page_of_another_site_drives_it(server: Running, path: str, headers: dict[str, str]) -> None:
    form = b"Action=ListUsers&Version=2010-05-08" if "Content-Type" in headers else None
    asked = urllib.request.Request(server.endpoint + path, form, headers)  # noqa: S310 - our own loopback endpoint
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=10)  # noqa: S310 - the same
    assert refused.value.code == 403
    refused.value.close()
