"""The results of a run that is interrupted: pytest leaves out the test that it was in."""

import pytest

INTERRUPTED_IN = pytest.StashKey[str]()


class Interrupted:
    """Counts the test that was interrupted as an error in the JUnit results: without it, they say passed."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.running: tuple[str, tuple[str, int | None, str]] | None = None

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Keep the test that begins."""
        self.running = (nodeid, location)

    def pytest_runtest_logfinish(self) -> None:
        """Forget the test that has ended."""
        self.running = None

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Report the test to all but the terminal, which says by itself what happened."""
        if self.running is None:
            return
        nodeid, location = self.running
        self.config.stash[INTERRUPTED_IN] = nodeid
        why = f"interrupted: {excinfo.exconly()}"
        report = pytest.TestReport(nodeid, location, {}, "failed", why, "setup")
        terminal = self.config.pluginmanager.getplugin("terminalreporter")
        hook = self.config.pluginmanager.subset_hook_caller("pytest_runtest_logreport", [terminal])
        hook(report=report)
