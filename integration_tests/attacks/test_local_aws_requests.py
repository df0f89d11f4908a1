"""Requests that are made to break local_aws: paths in account numbers, and malformed HTTP at a listener."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.local import find_local_aws, local_aws, local_cloud
from operations.waiting import NotYetError, wait_for

MALFORMED = [
    b"GET / HTTP/1.1\r\nHost: x\r\nNot a header\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET http://169.254.169.254/latest HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_AWS_CONTAINERS", "processes")
        # Its end fails after a background error.
        with local_aws(folder) as server:
            yield local_cloud(server, folder)


# Each is sent with a second request in its body, behind what ends a body for whoever reads it otherwise.
SECOND = b"0\r\n\r\nGET /second HTTP/1.1\r\nHost: x\r\n\r\n"
WHOLE = b"Content-Length: %d\r\n" % len(SECOND)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
AMBIGUOUS = [
    *(
        WHOLE + encoding
        for encoding in (
            CHUNKED,
            b"Transfer-Encoding : chunked\r\n",
            b" Transfer-Encoding: chunked\r\n",
            b"Transfer-Encoding:\tchunked\r\n",
            b"Transfer-Encoding:\r\n chunked\r\n",
            b"Transfer-Encoding: xchunked\r\n",
            b"Transfer-Encoding: chunked, identity\r\n",
            b"Transfer-Encoding: identity, chunked\r\n",
            b"Transfer-Encoding: identity\r\n",
            b"Transfer-Encoding: \x0bchunked\r\n",
            b'Transfer-Encoding: "chunked"\r\n',
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
            b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
            b"TRANSFER-ENCODING: CHUNKED\r\n",
            b"Transfer_Encoding: chunked\r\n",
            b"X: y\nTransfer-Encoding: chunked\r\n",
            b"X: y\rTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding\x00: chunked\r\n",
        )
    ),
    CHUNKED + WHOLE,
    *(
        b"Content-Length: %s\r\n" % length
        for length in (b"+5", b"-5", b"0x5", b"5, 6", b"5 6", b"5\x00", b"1e1", b"", b"5_0", b"\xb9")
    ),
    b"Content-Length: 5\r\n" + WHOLE,
    WHOLE + b"Content-Length: 5\r\n",
    b"Content-Length : 5\r\n",
    b"Content_Length: 5\r\n" + WHOLE,
    WHOLE + b"Expect: 100-continue\r\n",
    WHOLE + b"Upgrade: h2c\r\nConnection: Upgrade, Content-Length\r\n",
]


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the names of a request's headers, and keeps the connection for the next one."""

    protocol_version = "HTTP/1.1"
    # The requests that reached it: the path, and whether the load balancer forwarded it as one.
    received: ClassVar[list[tuple[str, bool]]] = []

    def do_POST(self) -> None:
        """Read the body as its length says, and answer."""
        if self.headers["Transfer-Encoding"] == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.do_GET()

    def do_GET(self) -> None:
        """Answer a request."""
        self.received.append((self.path, "X-Amzn-Trace-Id" in self.headers))
        body = json.dumps(list(self.headers)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def target() -> Iterator[int]:
    """The port of a target."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def listener(cloud: Cloud, target: int) -> tuple[str, int]:
    """The address of a listener, with the attribute that the templates set."""
    ec2, elb = cloud.client("ec2"), cloud.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    ranges = zip("ab", ("10.8.1.0/24", "10.8.2.0/24"), strict=True)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for zone, block in ranges
    ]
    balancer = elb.create_load_balancer(Name="attacked", Subnets=[one["SubnetId"] for one in subnets])[
        "LoadBalancers"
    ][0]
    arn = balancer["LoadBalancerArn"]
    attribute = {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"}
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])
    about = {"Protocol": "HTTP", "Port": target, "VpcId": vpc, "TargetType": "ip"}
    group = elb.create_target_group(Name="echo", **about)["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": target}])
    action = {"Type": "forward", "TargetGroupArn": group}
    elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[action])
    found = urlsplit(cloud.resolve(f"http://{balancer['DNSName']}/"))
    address = (str(found.hostname), int(found.port or 0))

    def healthy() -> None:
        if b" 200 " not in answer(address, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
            raise NotYetError("the target is not healthy")

    wait_for("the target", healthy, deadline=60, interval=0.2)
    return address


def answer(address: tuple[str, int], request: bytes) -> bytes:
    """Send bytes to a listener; return what it answers until it closes the connection."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


@pytest.mark.parametrize("request_bytes", MALFORMED, ids=[str(one[:30]) for one in MALFORMED])
def test_a_malformed_request_is_answered_with_400(
    cloud: Cloud, listener: tuple[str, int], request_bytes: bytes
) -> None:
    """attack L21: a malformed request, absolute-form or CONNECT ends a run as an error of local_aws."""
    received = answer(listener, request_bytes)
    assert received.startswith((b"HTTP/1.1 400 Bad Request\r\n", b"HTTP/1.0 400 Bad Request\r\n"))
    assert b"Server: awselb/2.0" in received
    server = find_local_aws(cloud.folder / "local_aws")
    assert server is not None
    assert server.background_errors() == []


@pytest.mark.parametrize("headers", AMBIGUOUS, ids=[repr(one) for one in AMBIGUOUS])
def test_a_request_does_not_hide_another_one(cloud: Cloud, listener: tuple[str, int], headers: bytes) -> None:
    """attack L24: a request hides a second one, which the load balancer takes for a body."""
    Echo.received.clear()
    answer(listener, b"POST /first HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + b"\r\n" + SECOND)
    # On the connection to the target that may be kept.
    answer(listener, b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert ("/last", True) in Echo.received
    assert [path for path, forwarded in Echo.received if not forwarded and path != "/"] == []
    server = find_local_aws(cloud.folder / "local_aws")
    assert server is not None
    assert server.background_errors() == []


def test_a_target_would_read_a_hidden_request(target: int) -> None:
    """attack L24: the control, in which whoever forwards another end of the body loses."""
    Echo.received.clear()
    answer(
        ("127.0.0.1", target),
        b"POST /first HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
        + SECOND[:-2]
        + b"Connection: close\r\n\r\n",
    )
    assert ("/second", False) in Echo.received


def test_a_header_that_cgi_would_confuse_is_dropped(listener: tuple[str, int]) -> None:
    """attack L22: X_Forwarded_For reaches a service, which reads it as the client's address."""
    lines = (
        b"GET / HTTP/1.1\r\nHost: x\r\nX_Forwarded_For: 10.0.0.1\r\nX-Kept: 1\r\nConnection: close\r\n\r\n"
    )
    received = answer(listener, lines)
    names = json.loads(received.partition(b"\r\n\r\n")[2])
    assert "X-Kept" in names
    assert "X_Forwarded_For" not in names


OTHER_SITES = [
    b"Host: evil.example\r\n",
    b"Host: 127.0.0.1.evil.example\r\n",
    b"Host: localhost.evil.example\r\n",
    b"Host: evil.example@127.0.0.1.example\r\n",
    b"Host: 169.254.169.254\r\n",
    b"Host: 0.0.0.0\r\n",
    b"Host: \r\n",
    b"Host: [\r\n",
    b"Host: [::ffff:10.0.0.1]\r\n",
    *(
        b"Host: localhost\r\n" + more
        for more in (
            b"Origin: https://evil.example\r\n",
            b"Origin: http://localhost.evil.example\r\n",
            b"Origin: http://localhost:3000\r\n",
            b"Origin: http://[\r\n",
            b"Origin: null\r\n",
            b"Sec-Fetch-Site: cross-site\r\n",
            b"Sec-Fetch-Site: same-site\r\n",
        )
    ),
]


@pytest.mark.parametrize("headers", OTHER_SITES, ids=[repr(one) for one in OTHER_SITES])
@pytest.mark.parametrize("path", [b"/_local_aws/listeners", b"/_ministack/reset", b"/"])
def test_a_page_of_another_site_is_refused(cloud: Cloud, path: bytes, headers: bytes) -> None:
    """attack L29: a web page calls local_aws: from another site, or with a name that leads to 127.0.0.1."""
    found = urlsplit(cloud.endpoint or "")
    request = b"POST " + path + b" HTTP/1.1\r\n" + headers + b"Content-Length: 0\r\nConnection: close\r\n\r\n"
    received = answer((str(found.hostname), int(found.port or 0)), request)
    assert received.split(b" ", 2)[1] in (b"400", b"403"), received
    server = find_local_aws(cloud.folder / "local_aws")
    assert server is not None
    assert server.background_errors() == []


def test_an_account_that_is_a_path_makes_no_folder(cloud: Cloud) -> None:
    """attack L23: the account in a request or an ARN is a path, and becomes a folder elsewhere."""
    state = cloud.folder / "local_aws"
    before = sorted(path.name for path in cloud.folder.iterdir())
    ecr, sts, events = (cloud.client(name) for name in ("ecr", "sts", "events"))
    with pytest.raises(ClientError):
        ecr.describe_repositories(registryId="../../x")
    with pytest.raises(ClientError):
        sts.assume_role(RoleArn="arn:aws:iam::../../x:role/x", RoleSessionName="attack")
    arn = "arn:aws:codepipeline:us-east-1:../../x:p"
    events.put_rule(Name="planted", EventPattern=json.dumps({"source": ["planted"]}))
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.client("iam").create_role(
        RoleName="planted",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    events.put_targets(Rule="planted", Targets=[{"Id": "1", "Arn": arn, "RoleArn": role}])
    events.put_events(Entries=[{"Source": "planted", "DetailType": "x", "Detail": "{}"}])
    assert sorted(path.name for path in cloud.folder.iterdir()) == before
    assert not (Path(f"{state}/../../x")).resolve().exists()
    assert not (state / "..").resolve().joinpath("x").exists()
