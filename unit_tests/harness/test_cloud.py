"""One interface for both clouds."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.aws import aws_cloud, check_ready, time_limit
from harness.cloud import Cloud, HarnessError
from harness.signals import termination_as_keyboard_interrupt
from operations import preflight
from operations.account import Account
from operations.errors import OperationsError
from operations.preflight.check import Subject, failed, ok

NAME = "load-balancer-dev-1.us-east-1.elb.amazonaws.com"


class Gateway(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = {f"{NAME}:{port}": f"127.0.0.1:{41000 + port}" for port in (80, 443, 8080)}
        body = json.dumps(known if self.path == "/_local_aws/listeners" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Cloud]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        keys = {"AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "local"}
        yield Cloud("local_aws", tmp_path, f"http://127.0.0.1:{server.server_port}", 0.02, keys)
        server.shutdown()


def test_a_load_balancers_url_resolves_to_its_loopback_port(local: Cloud) -> None:
    assert local.resolve(f"http://{NAME}/version?x=1") == "http://127.0.0.1:41080/version?x=1"
    assert local.resolve(f"http://{NAME}:8080/") == "http://127.0.0.1:49080/"
    assert local.resolve(f"https://{NAME}/") == "https://127.0.0.1:41443/"


def test_a_missing_listener_is_an_error_with_its_name(local: Cloud) -> None:
    with pytest.raises(HarnessError, match="no listener elsewhere:80"):
        local.resolve("http://elsewhere/")


def test_on_aws_a_url_is_unchanged(tmp_path: Path) -> None:
    assert Cloud("AWS", tmp_path).resolve(f"http://{NAME}/") == f"http://{NAME}/"


def test_the_callers_account_does_not_reach_local_aws(local: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL_ECS",
        "CDK_DEFAULT_ACCOUNT",
        "GIT_DIR",
    ):
        monkeypatch.setenv(name, "the caller's")
    assert "the caller's" not in local.environment.values()
    assert local.environment["AWS_ENDPOINT_URL"] == local.endpoint
    assert local.environment["CDK_HOME"].startswith(str(local.folder))


def test_on_aws_the_callers_credentials_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    assert Cloud("AWS", tmp_path).environment["AWS_PROFILE"] == "mine"


def test_a_second_accounts_profile_outweighs_keys_in_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "the first account's")
    assert "the first account's" in Cloud("AWS", tmp_path).environment.values()
    second = Cloud("AWS", tmp_path, keys={"AWS_PROFILE": "second"})
    assert "the first account's" not in second.environment.values()


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS"])
def test_live_rejects_another_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:4566")
    with pytest.raises(HarnessError, match=f"{name} is set: unset it"):
        aws_cloud(tmp_path, say=print)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("endpoint_url = http://127.0.0.1:4566", "the profile sets endpoint_url"),
        ("services = local", "the profile sets services"),
    ],
)
def test_live_rejects_a_profile_with_another_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, message: str
) -> None:
    configuration = tmp_path / "config"
    configuration.write_text(f"[profile mine]\n{settings}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    with pytest.raises(HarnessError, match=message):
        aws_cloud(tmp_path, say=print)


def test_live_with_a_profile_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with pytest.raises(HarnessError, match=r"\(nope\) could not be found: `aws configure list-profiles`"):
        aws_cloud(tmp_path, "nope", say=print)


def test_the_time_scale_applies_to_awss_minutes_and_not_to_real_work(local: Cloud, tmp_path: Path) -> None:
    assert local.minutes(50, own=1) == pytest.approx(120)
    assert Cloud("AWS", tmp_path).minutes(50, own=1) == pytest.approx(51 * 60)


def test_an_account_that_is_not_ready_is_an_error_before_the_deployment(
    local: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = failed("CDK bootstrap", "there is none", "cdk bootstrap aws://1/us-east-1")
    checks = (ok("account", "us-east-1"), broken)
    asked = []

    def inspect(subject: Subject) -> preflight.Preflight:
        asked.append(subject.suffix)
        return preflight.Preflight(subject, checks)

    monkeypatch.setattr(preflight, "inspect", inspect)
    local.account.identity = {"Account": "123456789012"}
    with pytest.raises(HarnessError) as refused:
        check_ready(local, "it1")
    assert asked == ["it1"]
    assert str(refused.value).splitlines() == [
        "the account 123456789012 is not ready, nothing was deployed:",
        "  CDK bootstrap: there is none. cdk bootstrap aws://1/us-east-1",
    ]


def test_a_time_limit_ends_a_scenario_as_ctrl_c_does() -> None:
    said: list[str] = []
    with (
        termination_as_keyboard_interrupt(),
        pytest.raises(KeyboardInterrupt),
        time_limit(0.001, said.append),
    ):
        time.sleep(20)
    assert said == ["\nthe time limit of 0.001 minutes has passed: destroying the environments"]
    with time_limit(None, said.append):
        time.sleep(0.1)


def test_live_says_the_account_the_price_and_what_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(
        "harness.aws.check_credentials", lambda _profile, limit: f"unknown, {limit:g} minutes"
    )
    monkeypatch.setattr(Account, "identity", {"Account": "123456789012"})
    aws_cloud(tmp_path, limit=30, say=said.append)
    assert said[0].startswith("Account 123456789012, us-east-1. An environment takes one to two hours")
    assert said[1:] == ["unknown, 30 minutes"]


def test_credentials_that_aws_does_not_accept_are_one_line_without_advice_that_live_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.aws.check_credentials", lambda *_: "")

    def refuse(_account: Account) -> None:
        raise OperationsError("set AWS_ENDPOINT_URL") from ValueError("ExpiredToken")

    monkeypatch.setattr(Account, "identity", property(refuse))
    with pytest.raises(HarnessError, match="AWS does not accept the credentials: ExpiredToken") as caught:
        aws_cloud(tmp_path, say=print)
    assert "ENDPOINT" not in str(caught.value)


def test_states_that_pass_fast_are_looked_for_often_on_local_aws_only(local: Cloud, tmp_path: Path) -> None:
    assert local.interval(0.05) == 0.05
    assert Cloud("AWS", tmp_path).interval(0.05) >= 5
