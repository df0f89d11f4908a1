"""User, network and mount namespaces in which every name of AWS is this machine, and nothing else answers.

https://man7.org/linux/man-pages/man7/user_namespaces.7.html
"""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from integration_tests.rehearsal import keeper

PROGRAMS = ("unshare", "nsenter", "mount")
# A person's own user, not root, where root is not at hand.
UNSHARE = ("unshare", "--user", "--map-current-user", "--keep-caps", "--net", "--mount")
# What libcurl of git reads, on Debian and on Fedora.
TRUST_STORES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
HTTPS, LISTENER_PORTS = 443, (80, 8080)


def problem() -> str:
    """Say why this machine cannot rehearse, or return nothing."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"there is no {', '.join(missing)}: install util-linux"
    tried = subprocess.run(  # noqa: S603 - our own arguments
        [*UNSHARE, "mount", "--bind", "/etc/hosts", "/etc/hosts"],
        capture_output=True,
        text=True,
        check=False,
    )
    reason = " ".join(tried.stderr.split()) or f"exit code {tried.returncode}"
    return f"this machine allows no user, network and mount namespaces ({reason})" if tried.returncode else ""


@dataclass(frozen=True)
class Namespace:
    """The namespaces of the process `pid`, and their sockets: of DNS, of TLS, and of the load balancers."""

    pid: int
    names: socket.socket
    tls: socket.socket
    listeners: Mapping[int, socket.socket]

    def command(self, words: Sequence[str], folder: Path) -> list[str]:
        """Return the command that runs `words` inside, in `folder`; each program replaces the one before."""
        enter = ("nsenter", "--preserve-credentials", f"--target={self.pid}", "--user", "--net", "--mount")
        # A shell starts what runs in the background with Ctrl-C ignored, and nohup ignores SIGHUP.
        return [*enter, "--", "env", f"--chdir={folder}", "--default-signal=INT,HUP", *words]


@contextmanager
def namespace(folder: Path, authority: Path) -> Iterator[Namespace]:
    """Keep namespaces while the context is open; inside, the certificate in `authority` is trusted."""
    ours, theirs = socket.socketpair()
    mounts = json.dumps(_mounts(folder, authority.read_text()))
    ports = (HTTPS, *LISTENER_PORTS)
    keep = [*UNSHARE, sys.executable, keeper.__file__, mounts, json.dumps(ports), str(theirs.fileno())]
    with ours, subprocess.Popen(keep, stdin=subprocess.PIPE, pass_fds=[theirs.fileno()]) as process:  # noqa: S603
        theirs.close()
        ours.settimeout(30)
        _, descriptors, _, _ = socket.recv_fds(ours, 64, len(ports) + 1)
        names, tls, *listeners = (socket.socket(fileno=each) for each in descriptors)
        try:
            yield Namespace(process.pid, names, tls, dict(zip(LISTENER_PORTS, listeners, strict=True)))
        finally:
            for each in (names, tls, *listeners):
                each.close()
            process.communicate()


def _mounts(folder: Path, authority: str) -> dict[str, str]:
    """Write the files that replace those of the machine; return them by what they replace."""
    services = Path("/etc/nsswitch.conf")
    texts = {
        "/etc/hosts": f"{keeper.LOOPBACK} localhost\n",
        "/etc/resolv.conf": f"nameserver {keeper.LOOPBACK}\n",
    }
    if services.exists():
        # Without the resolvers that ask a daemon of the machine.
        others = [line for line in services.read_text().splitlines() if not line.startswith("hosts:")]
        texts[str(services)] = "\n".join([*others, "hosts: files dns", ""])
    for store in filter(Path.exists, map(Path, TRUST_STORES)):
        texts[str(store)] = f"{store.read_text()}\n{authority}"
    mounts = {}
    for target, text in texts.items():
        source = folder / Path(target).name
        source.write_text(text)
        mounts[target] = str(source)
    return mounts
