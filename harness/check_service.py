"""Builds and tries a service as its pipeline will, on a local_aws of its own and without a pipeline."""

import shutil
import sys
from functools import partial

from harness.build_project import BuildProject, BuildResult
from harness.catalogue import SAMPLE, check_catalogue
from harness.cloud import Cloud, HarnessError
from harness.folders import remove_finished_runs, run_folder
from harness.local import is_running_in, local_aws, local_cloud
from harness.progress import Progress
from harness.scenario import ScenarioError
from harness.signals import termination_as_keyboard_interrupt
from harness.stacks import CREATED, Stack
from harness.synthesized_app import SynthesizedApp, build_resources, synthesized
from operations import stored_variables
from operations.errors import OperationsError
from operations.why.log_lines import failed_command, significant

FOLDER = "check-service"
ENVIRONMENT = "dev"
LINES = 30


def check_service(name: str) -> int:
    """Audit, scan, test and build a service of the catalogue, and ask what a release will be asked.

    Raises `HarnessError` for a name that is not in the catalogue, `ScenarioError` for what is missing.
    """
    check_catalogue(name)
    suffix = ENVIRONMENT if name == SAMPLE else f"{name}-{ENVIRONMENT}"
    remove_finished_runs(FOLDER, is_running_in)
    folder = run_folder(FOLDER)
    try:
        with termination_as_keyboard_interrupt(), local_aws(folder) as server:
            build_and_try(local_cloud(server, folder), suffix, Progress(print))
    except (ScenarioError, OperationsError):
        print(f"check-service: the files of this run are in {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{name} can be released: make up SUFFIX={suffix}")
    return 0


def build_and_try(cloud: Cloud, suffix: str, progress: Progress) -> None:
    """Run both builds of the service with this suffix; raise `ScenarioError` for the first that fails."""
    progress.step("synthesizing")
    app = synthesized(cloud, suffix=suffix)
    progress.step("creating the two CodeBuild projects")
    stack = Stack(cloud, suffix, app)
    if stack.create({"Resources": build_resources(app)}) != CREATED:
        raise HarnessError(f"the projects were not created: {stack.failures()}")
    set_stand_ins(cloud, suffix)
    asked = {"name": "SMOKE_PATHS", "value": smoke_paths(app)}
    for action, project, variables in (("Test", "test", []), ("Build", "build", [asked])):
        progress.step(f"{action}: starting")
        build = BuildProject(stack, project).build(
            report=partial(report, progress, action),
            environmentVariablesOverride=variables,
        )
        if build.status != "SUCCEEDED":
            raise ScenarioError(f"{action}: {reason(build)}")
    print(*tried(build), sep="\n")


def set_stand_ins(cloud: Cloud, suffix: str) -> None:
    """Give every declared secret and parameter a value, without which Build builds no image."""
    for one in stored_variables.read(suffix, cloud.account):
        cloud.client("ssm").put_parameter(Name=one.parameter, Value="stand-in", Type=one.type)


def report(progress: Progress, action: str, phase: str) -> None:
    """Report a phase of an action's build."""
    progress.step(f"{action}: {phase}")


def smoke_paths(app: SynthesizedApp) -> str:
    """Return what the test-traffic hook of the app requests, as JSON."""
    (found,) = (
        variables["SMOKE_PATHS"]
        for resource in app.resources.values()
        if resource["Type"] == "AWS::Lambda::Function"
        and "SMOKE_PATHS" in (variables := resource["Properties"].get("Environment", {}).get("Variables", {}))
    )
    return str(found)


def reason(build: BuildResult) -> str:
    """Return what the failed command of a build printed last, and in the last line what is wrong."""
    lines = build.log.splitlines()
    failed = failed_command(lines)
    if failed is None:
        return "\n".join(lines[-LINES:])
    found = significant(failed.output)
    return "\n".join(
        [failed.step, *failed.output[-LINES:], *([f"{failed.step}: {found.text}"] if found else [])]
    )


def tried(build: BuildResult) -> list[str]:
    """Return the lines of a build that name what its image answered."""
    return [line for line in build.log.splitlines() if " responds with " in line]
