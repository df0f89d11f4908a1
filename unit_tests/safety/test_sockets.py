"""local_aws listens on loopback only, and rejects web pages of other sites on every path."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from integration_tests.support.sockets import listening_addresses, non_loopback, process_tree
from local_aws.daemon import ServerHandle, start


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerHandle]:
    server = start(tmp_path_factory.mktemp("state"))
    yield server
    assert server.stop() == []


def test_it_listens_on_loopback_only(server: ServerHandle) -> None:
    found = listening_addresses(process_tree(server.pid))
    port = int(server.endpoint.rpartition(":")[2])
    assert f"0100007F:{port:04X}" in found
    assert non_loopback(found) == set()


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
        "/_local_aws/background-errors",
        "/",
        "/b/k",
    ],
)
def test_a_page_of_another_site_is_rejected(server: ServerHandle, path: str, headers: dict[str, str]) -> None:
    form = b"Action=ListUsers&Version=2010-05-08" if "Content-Type" in headers else None
    request = urllib.request.Request(server.endpoint + path, form, headers)  # noqa: S310 - our own loopback endpoint
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)  # noqa: S310 - the same
    assert caught.value.code == 403
    caught.value.close()


def test_an_address_that_others_can_reach_is_recognized() -> None:
    here = {"0100007F:1F90", "0203017F:1F90", f"{'0' * 24}01000000:1F90", f"{'0' * 16}FFFF00000100007F:1F90"}
    there = {"00000000:1F90", "0200000A:1F90", f"{'0' * 32}:1F90", "7F000001:1F90"}
    assert non_loopback(here | there) == there
