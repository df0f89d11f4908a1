"""A run behind a proxy: each program that calls AWS uses it, and trusts the same certificates."""

from __future__ import annotations

import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError

from harness.cloud import Cloud, HarnessError
from harness.developer import Developer

CODECOMMIT = "git-codecommit.us-east-1.amazonaws.com:443"
STS = "sts.us-east-1.amazonaws.com:443"


class Proxy(socketserver.ThreadingTCPServer):
    """Records the hosts that it is asked for, and connects to none."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.hosts: list[str] = []


class Connection(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        method, host, _ = self.rfile.readline().decode().split()
        self.server.hosts.append(f"{method} {host}")
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with Proxy() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        for name in ("NO_PROXY", "no_proxy", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
            monkeypatch.delenv(name, raising=False)
        yield server
        server.shutdown()


def test_git_uses_the_proxy(proxy: Proxy, tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="403"):
        Developer(Cloud("AWS", tmp_path), tmp_path, f"https://{CODECOMMIT.removesuffix(':443')}/v1/repos/x")
    assert proxy.hosts == [f"CONNECT {CODECOMMIT}"]


def test_the_aws_cli_uses_the_proxy(proxy: Proxy, tmp_path: Path) -> None:
    environment = {**Cloud("AWS", tmp_path).environment, "AWS_MAX_ATTEMPTS": "1"}
    done = subprocess.run(
        ["aws", "sts", "get-caller-identity"],  # noqa: S607 - that of the virtual environment
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode, done.stdout
    assert set(proxy.hosts) == {f"CONNECT {STS}"}


def test_boto3_uses_the_proxy(proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(BotoCoreError, match="proxy"):
        Cloud("AWS", tmp_path).client("sts").get_caller_identity()
    assert set(proxy.hosts) == {f"CONNECT {STS}"}


def test_git_trusts_what_the_aws_cli_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that opens TLS has a certificate of its own. The CDK CLI reads AWS_CA_BUNDLE, too."""
    monkeypatch.delenv("GIT_SSL_CAINFO", raising=False)
    monkeypatch.setenv("AWS_CA_BUNDLE", "/etc/company.pem")
    monkeypatch.setenv("GIT_DIR", "/somewhere")
    environment = Cloud("AWS", tmp_path).environment
    assert environment["AWS_CA_BUNDLE"] == environment["GIT_SSL_CAINFO"] == "/etc/company.pem"
    assert "GIT_DIR" not in environment
    monkeypatch.setenv("GIT_SSL_CAINFO", "/etc/git.pem")
    assert Cloud("AWS", tmp_path).environment["GIT_SSL_CAINFO"] == "/etc/git.pem"
