"""What goes wrong during `--live`: each ends with nothing left, or with the line that says what to type.

The tests look at what the terminal shows. The environments are small, or deployed once for several faults.
"""

import re
import shlex
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness.suffixes import random_suffix
from integration_tests.rehearsal.faults import (
    Fault,
    LateName,
    denied,
    expired_token,
    injected,
    not_started,
    throttled,
)
from integration_tests.rehearsal.rehearsal import Rehearsal
from integration_tests.rehearsal.terminal import Terminal
from operations import leftovers
from operations.root_stack import root_stack
from operations.waiting import NotYetError, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.local_only("it rehearses --live itself"),
]

# Of the first scenario: what deploys nothing, and the first that needs an environment with a release.
NO_DEPLOY, FIRST_RELEASE = "test_preflight", "test_listener_drift"
DESTROYING = "destroying {suffix} takes 20 to 45 minutes"
WHAT_TO_TYPE = (
    "{suffix} may still exist and cost money; to destroy it: (python -m operations destroy {suffix})"
)
INTERRUPTED = 2


@dataclass
class Run:
    """A run of `--live` with the environment of `suffix`."""

    aws: Rehearsal
    suffix: str
    terminal: Terminal

    @property
    def last_line(self) -> str:
        """The last line of the terminal."""
        return self.terminal.text.splitlines()[-1]

    def wait_for_stack(self) -> None:
        """Wait until CloudFormation creates the environment."""

        def look() -> None:
            if root_stack(self.suffix, self.aws.cloud.account) is None:
                raise NotYetError(self.terminal.text[-500:])

        wait_for("the root stack", look, deadline=300)

    def assert_nothing_left(self) -> None:
        """Assert that every API lists nothing of the environment."""
        assert not leftovers.find(self.suffix, self.aws.cloud.account).remaining

    def assert_destroyed(self) -> None:
        """Assert that the terminal says that nothing is left, and that it is so."""
        assert "destroyed: 0 leftovers" in self.terminal.text, self.terminal.text
        assert self.last_line == f"nothing of {self.suffix} is left"
        self.assert_nothing_left()

    def type_what_it_says(self) -> None:
        """Type the command that the last line shows; assert that nothing is left after it."""
        command = re.fullmatch(WHAT_TO_TYPE.format(suffix=self.suffix), self.last_line)
        assert command, self.terminal.text
        self.aws.run(*shlex.split(command[1]))
        self.assert_nothing_left()


def begin(aws: Rehearsal, tests: str, *options: str, suffix: str = "") -> Run:
    """Start `--live` with some tests of the first scenario."""
    suffix = suffix or random_suffix("it")
    return Run(aws, suffix, aws.live("-k", tests, "--suffix", suffix, *options))


@pytest.fixture
def small(aws: Rehearsal) -> str:
    """The suffix of an environment of which only one resource was created."""
    suffix, client = random_suffix("it"), aws.cloud.client("cloudformation")
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"notifications-{suffix}"}}
    template = {"Resources": {"Topic": topic}}
    client.create_stack(StackName=f"stack-{suffix}", TemplateBody=str(template).replace("'", '"'))
    client.get_waiter("stack_create_complete").wait(StackName=f"stack-{suffix}", WaiterConfig={"Delay": 1})
    return suffix


def test_a_denied_inventory_call_does_not_keep_an_environment(aws: Rehearsal, small: str) -> None:
    # Without a key, nobody asks for one.
    aws.cloud.client("kms").create_key(Description="of another team")
    with injected(aws.front, fault := denied("DescribeKey")):
        run = begin(aws, NO_DEPLOY, suffix=small)
        run.terminal.end()
    assert fault.met
    shown = run.terminal.text
    assert f"destroying {small} in any case" in shown
    assert "destroyed, but cannot list the KMS keys, so some may remain" in shown
    assert run.last_line.endswith(f"to look again: python -m operations leftovers {small}")
    run.assert_nothing_left()


def test_a_second_ctrl_c_in_the_destroy_leaves_it_with_what_to_type(aws: Rehearsal, small: str) -> None:
    run = begin(aws, NO_DEPLOY, suffix=small)
    run.terminal.wait_for(f"destroying stack-{small}")
    run.terminal.interrupt(signal.SIGINT)
    run.terminal.wait_for(DESTROYING.format(suffix=small))
    run.terminal.interrupt(signal.SIGINT)
    assert run.terminal.end() == INTERRUPTED
    run.type_what_it_says()


def test_ctrl_c_in_the_deploy_and_twice_in_the_destroy_leaves_it_with_what_to_type(aws: Rehearsal) -> None:
    run = begin(aws, FIRST_RELEASE)
    run.wait_for_stack()
    run.terminal.interrupt(signal.SIGINT)
    run.terminal.wait_for(f"destroying stack-{run.suffix}")
    run.terminal.interrupt(signal.SIGINT)
    run.terminal.wait_for(DESTROYING.format(suffix=run.suffix))
    run.terminal.interrupt(signal.SIGINT)
    assert run.terminal.end() == INTERRUPTED
    assert "Traceback" not in run.terminal.text
    run.type_what_it_says()


def test_a_session_that_ends_before_the_destroy_says_what_to_type(aws: Rehearsal, small: str) -> None:
    run = begin(aws, NO_DEPLOY, suffix=small)
    run.terminal.wait_for("if this is killed")
    with injected(aws.front, fault := expired_token()):
        assert run.terminal.end() != 0
    assert fault.met
    run.type_what_it_says()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_deploy_and_one_in_the_destroy_leave_nothing(
    aws: Rehearsal, number: signal.Signals
) -> None:
    run = begin(aws, FIRST_RELEASE)
    run.wait_for_stack()
    run.terminal.interrupt(number)
    run.terminal.wait_for(f"destroying stack-{run.suffix}")
    run.terminal.interrupt(number)
    assert run.terminal.end() == INTERRUPTED
    assert DESTROYING.format(suffix=run.suffix) in run.terminal.text
    run.assert_destroyed()


def test_a_time_limit_ends_a_run_and_leaves_nothing(aws: Rehearsal, small: str) -> None:
    # Its stack exists, because a busy machine creates none in this time, and a fast one would be done later.
    run = begin(aws, FIRST_RELEASE, "--time-limit", "0.75", suffix=small)
    assert run.terminal.end() == INTERRUPTED
    assert "the time limit of 0.75 minutes has passed: destroying the environments" in run.terminal.text
    run.assert_destroyed()


def test_a_session_that_ends_in_the_deploy_says_what_to_type(aws: Rehearsal) -> None:
    run = begin(aws, FIRST_RELEASE)
    run.wait_for_stack()
    with injected(aws.front, fault := expired_token()):
        assert run.terminal.end() != 0
    assert fault.met
    run.type_what_it_says()


@dataclass
class Kept:
    """A run with `--keep` that met three faults, all of which a wait survives."""

    run: Run
    code: int
    throttled: Fault
    not_started: Fault
    late: LateName


@pytest.fixture(scope="module")
def kept(aws: Rehearsal) -> Iterator[Kept]:
    """An environment that is kept; afterwards, it is destroyed by the command that the last line says."""
    late, busy, early = LateName(20), throttled("codepipeline", seconds=30), not_started(3)
    run = begin(aws, FIRST_RELEASE, "--keep")
    aws.front.hidden = late
    with injected(aws.front, busy, early):
        code = run.terminal.end()
    yield Kept(run, code, busy, early, late)
    found = re.search(rf"kept: {run.suffix}, .*; to destroy it: (.+)", run.last_line)
    if root_stack(run.suffix, aws.cloud.account) is not None:
        aws.run(*shlex.split(found[1] if found else f"python -m operations destroy {run.suffix}"))
    run.assert_nothing_left()


def test_keep_says_what_is_kept_and_how_to_end_it(kept: Kept) -> None:
    shown = kept.run.terminal.text
    url, suffix = r"http://load-balancer-[\w-]+\.us-east-1\.elb\.amazonaws\.com", kept.run.suffix
    says = rf"kept: {suffix}, {url}; to destroy it: python -m operations destroy {suffix}"
    assert re.fullmatch(says, kept.run.last_line), shown
    assert "destroying" not in shown
    assert "Traceback" not in shown, shown


def test_thirty_seconds_of_throttling_do_not_end_a_run(kept: Kept) -> None:
    assert kept.throttled.met
    assert kept.code == 0, kept.run.terminal.text


def test_a_deployment_that_has_not_started_is_waited_for(kept: Kept) -> None:
    assert kept.not_started.met
    assert kept.code == 0, kept.run.terminal.text


def test_a_name_that_resolves_late_is_waited_for(kept: Kept) -> None:
    assert kept.late.asked
    assert kept.code == 0, kept.run.terminal.text
