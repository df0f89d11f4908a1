"""One environment, deployed and destroyed with the CDK CLI."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from harness.assembly import Assembly, Edit
from harness.cloud import PROJECT, Cloud, HarnessError
from infrastructure.outputs import Outputs
from operations import leftovers
from operations.cdk_cli import CDK
from operations.destroy import destroy
from operations.interruptible import run
from operations.leftovers import Leftovers
from operations.root_stack import root_stack
from operations.waiting import NotYetError, wait_for

LAST_LINES = 25
LOG = "cdk.log"
# A random suffix gets dev's settings, which shift all traffic at once and end the old tasks soon. Scenarios
# need a canary, and time after it: these are staging's.
TRAFFIC_SHIFT = {
    "deploymentConfig": "CodeDeployDefault.ECSCanary10Percent5Minutes",
    "terminationWaitMinutes": "5",
}
DEPLOYED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})


class Environment:
    """The stacks of `suffix` on `cloud`, with additional `context`; the CDK CLI's output goes to cdk.log."""

    def __init__(self, cloud: Cloud, suffix: str, context: Mapping[str, str] = MappingProxyType({})) -> None:
        self.cloud = cloud
        self.suffix = suffix
        self.context = {"environmentSuffix": suffix, **TRAFFIC_SHIFT, **context}
        self.folder = cloud.folder / suffix
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / LOG

    def deploy(self, **settings: str) -> tuple[Outputs, bool]:
        """Deploy with these context keys; return the outputs, and whether CloudFormation changed anything."""
        self.bootstrap()
        return self._deploy(*self._context(settings))

    def begin_deploy(self) -> subprocess.Popen[bytes]:
        """Start `cdk deploy` in a session of its own, so that it can be interrupted."""
        self.bootstrap()
        arguments = ("deploy", *self._context({}), "--require-approval", "never", "--no-notices")
        with self.log.open("a") as log:
            return subprocess.Popen(  # noqa: S603 - our own CDK CLI with our own arguments
                [str(CDK), *arguments],
                cwd=PROJECT,
                env=self.cloud.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def deploy_edited(self, edits: Mapping[str, Edit], **settings: str) -> tuple[Outputs, bool]:
        """Deploy with these context keys, and the resources of these types edited in the templates."""
        folder = self.synthesize(**settings)
        Assembly(folder).edit(edits)
        return self._deploy("--app", str(folder))

    def synthesize(self, **settings: str) -> Path:
        """Synthesize with these context keys; return the folder of the assembly."""
        folder = self.folder / "synthesized"
        self._cdk("synth", "--quiet", *self._context(settings), "--output", str(folder))
        return folder

    def _context(self, settings: Mapping[str, str]) -> list[str]:
        context = {**self.context, **settings}
        return [word for key, value in context.items() for word in ("-c", f"{key}={value}")]

    def _deploy(self, *arguments: str) -> tuple[Outputs, bool]:
        outputs_file = self.folder / "outputs.json"
        output = self._cdk(
            "deploy", *arguments, "--require-approval", "never", "--outputs-file", str(outputs_file)
        )
        outputs = Outputs.from_stack(json.loads(outputs_file.read_text())[f"stack-{self.suffix}"])
        return outputs, "(no changes)" not in output

    @property
    def destroy_command(self) -> str:
        """What a person types to destroy it."""
        return self.command("destroy")

    def command(self, operation: str) -> str:
        """What a person types to run one of the operations on it."""
        endpoint = f"AWS_ENDPOINT_URL={self.cloud.endpoint} " if self.cloud.endpoint else ""
        return f"{endpoint}python -m operations {operation} {self.suffix}"

    def destroy(self, say: Callable[[str], None]) -> None:
        """Destroy everything; idempotent."""
        environment = self.cloud.environment
        destroy(self.suffix, self.cloud.account, say, environment=environment, cdk_log=self.log)

    def begun(self) -> tuple[str, set[str]]:
        """Return the root stack's status ("" if it does not exist) and the logical ids in its events."""
        stack = root_stack(self.suffix, self.cloud.account)
        if stack is None:
            return "", set()
        pages = self.cloud.account.pages
        events = pages("cloudformation", "describe_stack_events", "StackEvents", StackName=stack["StackId"])
        return stack["StackStatus"], {event["LogicalResourceId"] for event in events}

    def leftovers(self) -> Leftovers:
        """Look for leftovers with every API."""
        return leftovers.find(self.suffix, self.cloud.account)

    def wait_for_no_leftovers(self) -> Leftovers:
        """Wait until nothing is listed: S3 and SNS list what was deleted for a few minutes more."""

        def look() -> Leftovers:
            left = self.leftovers()
            if left.remaining:
                raise NotYetError(", ".join(f"{thing.kind} {thing.name}" for thing in left.remaining))
            return left

        seconds = self.cloud.minutes(5, own=0)
        return wait_for("no leftovers", look, deadline=seconds, interval=4 * self.cloud.poll_seconds)

    def bootstrap(self) -> None:
        """Bootstrap local_aws's account once; on AWS, the account's owner does it (see the README)."""
        if self.cloud.endpoint is None:
            return
        stacks = self.cloud.account.pages("cloudformation", "list_stacks", "StackSummaries")
        if any(one["StackName"] == "CDKToolkit" and one["StackStatus"] in DEPLOYED for one in stacks):
            return
        # In a folder without cdk.json: with one, the CLI synthesizes the app first.
        account = self.cloud.account
        self._cdk("bootstrap", f"aws://{account.id}/{account.region}", folder=self.folder)

    def _cdk(self, *arguments: str, folder: Path = PROJECT) -> str:
        if not CDK.exists():
            raise HarnessError("the CDK CLI is not installed: run `make setup`")
        with self.log.open("a+") as log:
            log.write(f"$ cdk {' '.join(arguments)}\n")
            log.flush()
            began = log.tell()
            # Into the log while it runs: on AWS, it takes long enough to be followed.
            command = [str(CDK), *arguments, "--no-notices"]
            code = run(command, folder=folder, environment=self.cloud.environment, output=log)
            log.seek(began)
            output = log.read()
        if code:
            failed = f"cdk {arguments[0]} ended with exit code {code}, see {self.log}"
            raise HarnessError(f"{failed}:\n{failure_summary(output)}")
        return output


def failure_summary(output: str) -> str:
    """Return the summary of failed resources in the CDK CLI's output, or its last lines."""
    _, summary, resources = output.partition("Failed resources:")
    return (summary + resources).strip() or "\n".join(output.splitlines()[-LAST_LINES:])
