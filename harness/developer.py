"""A developer, who uses plain git with a configuration of their own."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness.cloud import Cloud, HarnessError

GREETING = Path("sample_service/greeter/greeting.py")
BROKEN_TEST = Path("sample_service/tests/test_broken_on_purpose.py")
GIT_SECONDS = 120
CONFIGURATION = """\
[user]
    name = Developer
    email = developer@example.com
[init]
    defaultBranch = main
[advice]
    detachedHead = false
"""
# https://docs.aws.amazon.com/codecommit/latest/userguide/setting-up-https-unixes.html
CREDENTIAL_HELPER = """\
[credential]
    helper = "!aws codecommit credential-helper{options} $@"
    UseHttpPath = true
"""


class Developer:
    """A clone of the repository at `url`, in `folder`."""

    def __init__(self, cloud: Cloud, folder: Path, url: str) -> None:
        self.clone = folder / "clone"
        settings = folder / "git"
        settings.mkdir(parents=True)
        # local_aws has no host of AWS.
        options = " --ignore-host-check" if cloud.endpoint else ""
        credentials = CREDENTIAL_HELPER.replace("{options}", options)
        (settings / "config").write_text(CONFIGURATION + credentials)
        self.environment = {
            **cloud.environment,
            # Not another HOME: the credential helper finds the caller's profiles and SSO tokens in ~/.aws.
            "GIT_CONFIG_GLOBAL": str(settings / "config"),
            "GIT_CONFIG_NOSYSTEM": "1",
            # Where git looks for `git/ignore` and `git/attributes`.
            "XDG_CONFIG_HOME": str(folder),
            "GIT_TERMINAL_PROMPT": "0",
        }
        self._git(["clone", "--quiet", url, str(self.clone)], folder)

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        """Run git in the clone; return its output. Raises `HarnessError` with git's message if it fails."""
        return self._git(arguments, self.clone)

    def greet(self, greeting: str) -> str:
        """Commit a new greeting; return the commit."""
        path = self.clone / GREETING
        changed, count = re.subn(
            r'^GREETING = ".*"$', f'GREETING = "{greeting}"', path.read_text(), flags=re.M
        )
        if count != 1:
            raise HarnessError(f"{GREETING} of the deployed repository has no line GREETING")
        path.write_text(changed)
        return self.commit(f"Greet with {greeting}")

    def break_a_test(self) -> str:
        """Commit a test that fails; return the commit."""
        (self.clone / BROKEN_TEST).write_text("def test_that_fails_on_purpose():\n    assert False\n")
        return self.commit("Break a test on purpose")

    def revert(self) -> str:
        """Revert the last commit; return the commit."""
        self.git("revert", "--no-edit", "HEAD")
        return self.head

    def commit(self, message: str) -> str:
        """Commit everything; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.head

    def push(self, branch: str = "main") -> None:
        """Push what is checked out to `branch`."""
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")

    def _git(self, arguments: Sequence[str], folder: Path) -> str:
        done = subprocess.run(  # noqa: S603 - our own arguments
            ["git", *arguments],  # noqa: S607 - the git on PATH, as a person's
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=GIT_SECONDS,
        )
        if done.returncode:
            raise HarnessError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()
