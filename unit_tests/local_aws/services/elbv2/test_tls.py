"""HTTPS listeners: their certificate, their security policy, and changes of both."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from local_aws.ministack import elbv2
from local_aws.ministack.elbv2_snapshot import acm, alb
from local_aws.services.elbv2.records import ElbSnapshot, Tls
from local_aws.services.elbv2.service import LoadBalancing
from unit_tests.local_aws.services.elbv2.backends import (
    LISTENER,
    Backend,
    Loop,
    balancing,
    certificate,
    forwarding,
    make_context,
    target_group,
    wait_until,
)
from unit_tests.local_aws.services.elbv2.control_plane import Refused, balancer, call, forward, group

POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
UNKNOWN = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A certificate as a file, and it and its key as PEM."""
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[LoadBalancing]:
    with balancing(make_context(tmp_path)) as running:
        yield running


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[list[ElbSnapshot]]:
    """The snapshots that the data plane gets."""
    alb.reset()
    acm.reset()
    snapshots: list[ElbSnapshot] = []
    elbv2.patch_elbv2(make_context(tmp_path), snapshots.append, lambda _arn, _asked: [])
    yield snapshots
    alb.reset()
    acm.reset()


def ask_acm(operation: str, **given: object) -> dict[str, Any]:
    """Call ACM as boto3 does; an error raises."""
    headers = {"x-amz-target": f"CertificateManager.{operation}"}
    status, _, body = asyncio.run(acm.handle_request("POST", "/", headers, json.dumps(given), {}))
    answer: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise Refused(f"{answer['__type']}: {answer['message']}")
    return answer


def imported(pair: tuple[Path, str, str], **given: object) -> str:
    _, pem, key = pair
    encoded = {"Certificate": base64.b64encode(pem.encode()).decode()}
    encoded["PrivateKey"] = base64.b64encode(key.encode()).decode()
    return str(ask_acm("ImportCertificate", **encoded, **given)["CertificateArn"])


def https_listener(arn: str, **given: Any) -> str:
    secure = {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": arn}], "SslPolicy": POLICY, **given}
    actions = forward(**{group("blue"): 1})
    answer = call("CreateListener", LoadBalancerArn=balancer(), Port=443, DefaultActions=actions, **secure)
    return str(answer["Listeners"][0]["ListenerArn"])


def served(snapshot: ElbSnapshot, tls: Tls | None) -> ElbSnapshot:
    """The same snapshot with its listener on port 443 and this certificate."""
    listener = replace(snapshot.listeners[LISTENER], port=443, tls=tls)
    return replace(snapshot, listeners={LISTENER: listener})


def address(plane: LoadBalancing) -> str:
    return plane.addresses()["lb.elb:443"]


def test_the_configured_certificate_is_presented_and_the_target_gets_https_as_the_protocol(
    plane: LoadBalancing, pair: tuple[Path, str, str]
) -> None:
    loop = Loop()

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(text=request.headers["X-Forwarded-Proto"])

    trust, pem, key = pair
    plane.apply(served(forwarding({target_group("a", Backend(loop, answer)): 1}), Tls(pem, key, POLICY)))
    assert requests.get(f"https://{address(plane)}/", verify=str(trust), timeout=10).text == "https"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://{address(plane)}/", timeout=10)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"http://{address(plane)}/", timeout=10)
    loop.close()


def test_a_client_older_than_the_security_policy_is_refused(
    plane: LoadBalancing, pair: tuple[Path, str, str]
) -> None:
    trust, pem, key = pair
    context = ssl.create_default_context(cafile=trust)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    for policy, fits in ((POLICY, True), ("ELBSecurityPolicy-TLS13-1-3-2021-06", False)):
        plane.apply(served(forwarding({target_group("a"): 1}), Tls(pem, key, policy)))
        wait_until(lambda: _shakes_hands(address(plane), context) is fits)  # noqa: B023 - waits right here


def _shakes_hands(where: str, context: ssl.SSLContext) -> bool:
    host, _, port = where.partition(":")
    try:
        with (
            socket.create_connection((host, int(port)), 5) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except (ssl.SSLError, OSError):
        return False


def test_a_listener_changes_to_https_and_to_another_certificate(
    plane: LoadBalancing, pair: tuple[Path, str, str], tmp_path: Path
) -> None:
    loop = Loop()
    snapshot = forwarding({target_group("a", Backend(loop, _hello)): 1})
    plane.apply(served(snapshot, None))
    assert requests.get(f"http://{address(plane)}/", timeout=10).text == "hello"
    for trust, pem, key in (pair, certificate(tmp_path / "second")):
        plane.apply(served(snapshot, Tls(pem, key, POLICY)))
        assert requests.get(f"https://{address(plane)}/", verify=str(trust), timeout=10).text == "hello"
    loop.close()


async def _hello(_: web.BaseRequest) -> web.Response:
    return web.Response(text="hello")


def test_certificate_key_and_policy_reach_the_data_plane_and_no_log(
    seen: list[ElbSnapshot], pair: tuple[Path, str, str]
) -> None:
    _, pem, key = pair
    arn = https_listener(imported(pair))
    tls = seen[-1].listeners[arn].tls
    assert tls is not None
    assert (tls.certificate.strip(), tls.key, tls.policy) == (pem.strip(), key, POLICY)
    assert "PRIVATE" not in repr(seen[-1])
    described = call("DescribeListeners", ListenerArns=[arn])["Listeners"][0]
    assert (described["Protocol"], described["SslPolicy"]) == ("HTTPS", POLICY)


def test_shifting_the_traffic_of_an_https_listener_keeps_its_certificate(
    seen: list[ElbSnapshot], pair: tuple[Path, str, str]
) -> None:
    """CodeDeploy's calls do not name certificates."""
    arn = https_listener(imported(pair))
    before = seen[-1].listeners[arn].tls
    call("ModifyListener", ListenerArn=arn, DefaultActions=forward(**{group("green"): 1}))
    assert before is not None
    assert seen[-1].listeners[arn].tls == before


def test_a_certificate_that_does_not_exist_is_not_found(seen: list[ElbSnapshot]) -> None:
    with pytest.raises(Refused, match=f"CertificateNotFound: Certificate '{UNKNOWN}' not found"):
        https_listener(UNKNOWN)
    assert not seen[-1].listeners


def test_a_certificate_without_a_key_is_refused_by_name(seen: list[ElbSnapshot]) -> None:
    issued = ask_acm("RequestCertificate", DomainName="example.com")["CertificateArn"]
    with pytest.raises(Refused, match=r"UnsupportedOperation: .* certificates that ACM issues"):
        https_listener(issued)


def test_a_key_of_another_certificate_is_refused(
    seen: list[ElbSnapshot], pair: tuple[Path, str, str], tmp_path: Path
) -> None:
    trust, pem, _ = pair
    _, _, other = certificate(tmp_path)
    with pytest.raises(Refused, match="UnsupportedCertificate: "):
        https_listener(imported((trust, pem, other)))


def test_a_policy_that_allows_old_tls_is_refused_by_name(
    seen: list[ElbSnapshot], pair: tuple[Path, str, str]
) -> None:
    arn = imported(pair)
    with pytest.raises(Refused, match=r"UnsupportedOperation: .*ELBSecurityPolicy-2016-08"):
        https_listener(arn, SslPolicy="ELBSecurityPolicy-2016-08")


def test_an_http_listener_accepts_no_certificate(
    seen: list[ElbSnapshot], pair: tuple[Path, str, str]
) -> None:
    with pytest.raises(
        Refused, match="ValidationError: A certificate cannot be specified for HTTP listeners"
    ):
        https_listener(imported(pair), Protocol="HTTP")


def test_a_certificate_in_use_cannot_be_deleted(seen: list[ElbSnapshot], pair: tuple[Path, str, str]) -> None:
    certificate_arn = imported(pair)
    arn = https_listener(certificate_arn)
    with pytest.raises(Refused, match="ResourceInUseException: "):
        ask_acm("DeleteCertificate", CertificateArn=certificate_arn)
    call("DeleteListener", ListenerArn=arn)
    assert ask_acm("DeleteCertificate", CertificateArn=certificate_arn) == {}


def test_a_certificate_that_is_imported_again_is_presented_at_once(
    seen: list[ElbSnapshot], pair: tuple[Path, str, str], tmp_path: Path
) -> None:
    certificate_arn = imported(pair)
    arn = https_listener(certificate_arn)
    renewed = certificate(tmp_path)
    imported(renewed, CertificateArn=certificate_arn)
    tls = seen[-1].listeners[arn].tls
    assert tls is not None
    assert tls.certificate.strip() == renewed[1].strip()
