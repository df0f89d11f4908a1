"""A build's way through its phases: what each does, what its failure leaves out, and an end to everything.

CodeBuild user guide, "Build phase transitions"; pitfalls F1, F3, F4, F7.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError
from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.host.disk import is_full, no_space
from local_aws.services.codebuild.archives import FilesError
from local_aws.services.codebuild.artifacts import Artifacts
from local_aws.services.codebuild.buildspec import Buildspec, Phase
from local_aws.services.codebuild.environment import (
    Folders,
    aws_variables,
    install_python,
    machine_variables,
    write_programs,
)
from local_aws.services.codebuild.images import pythons, select_python
from local_aws.services.codebuild.log import BuildLog
from local_aws.services.codebuild.records import Build
from local_aws.services.codebuild.reports import read_reports
from local_aws.services.codebuild.request import ERROR_CODES, InterruptedBuildError, PhaseError, Request
from local_aws.services.codebuild.shell import Shell, kill_build
from local_aws.services.codebuild.source import download, read_buildspec
from local_aws.services.codebuild.variables import codebuild_variables, declared_variables

COMMAND_PHASES = {
    "INSTALL": "install",
    "PRE_BUILD": "pre_build",
    "BUILD": "build",
    "POST_BUILD": "post_build",
}
# A failure in any of these ends the build; one in BUILD still goes on to POST_BUILD.
ENDS_BUILD = ("INSTALL", "PRE_BUILD")


# A build is real work, so its timeout passes in real time. A project that has this plain variable asks for
# another pace, from above 0 to 1, to see a hung build end; on AWS it is a variable like any other.
TIMEOUT_PACE = "LOCAL_AWS_TIMEOUT_PACE"


class Docker(Protocol):
    """What a build needs of the container engine: a `docker` for its PATH."""

    def write_docker(self, directory: Path, *, privileged: bool) -> Path: ...

    def end_docker(self, directory: Path) -> None: ...


class BuildRun:
    """Runs one build, on a thread of its own. `state` is CodeBuild's folder."""

    def __init__(
        self, context: Context, containers: Docker, build: Build, request: Request, state: Path
    ) -> None:
        self.context = context
        self.containers = containers
        self.build = build
        self.request = request
        self.state = state
        self.folders = Folders(state / "builds" / build.id.rpartition(":")[2])
        self.pace = timeout_pace(request.environment)
        self.deadline = time.monotonic() + 60 * build.record["timeoutInMinutes"] * self.pace
        self.mark = f"CODEBUILD_BUILD_ID={build.id}"
        self.log = BuildLog(None, None, "")
        self.shell: Shell | None = None
        self.succeeding = True

    def run(self) -> None:
        """Run the build to its end; whatever happens, nothing of it is left running."""
        status = "FAULT"
        try:
            status = self._run()
        finally:
            self.build.begin("FINALIZING")
            self.containers.end_docker(self.folders.programs)
            kill_build(self.mark, self.shell.sessions if self.shell else set(), self.folders.root)
            self.log.close()
            self.folders.remove()
            self.build.end("FAULT" if status == "FAULT" else "SUCCEEDED")
            self.build.complete(status)

    def _run(self) -> str:
        self.build.announce_state()
        self.build.end()
        try:
            with self._phase("QUEUED"):
                pass
            with self._phase("PROVISIONING"):
                self._provision()
            with self._phase("DOWNLOAD_SOURCE"):
                spec = self._prepare()
            if self._run_commands(spec):
                with self._phase("UPLOAD_ARTIFACTS"):
                    self._upload(spec)
        except InterruptedBuildError as error:
            # A build out of time is FAILED, only its phase is TIMED_OUT (measured on AWS, 2026-08-31).
            return "STOPPED" if error.status == "STOPPED" else "FAILED"
        except PhaseError:
            return "FAILED"
        return "SUCCEEDED" if self.succeeding else "FAILED"

    @contextmanager
    def _phase(self, kind: str) -> Iterator[None]:
        """Enter a phase and leave it as its block ends; what the block raises becomes a `PhaseError`."""
        self.build.begin(kind)
        try:
            self._check_interrupted()
            yield
        except PhaseError as error:
            self._leave(kind, error.status, error.code, error.message)
            raise
        except tuple(ERROR_CODES) as error:
            code = next(code for raised, code in ERROR_CODES.items() if isinstance(error, raised))
            self._leave(kind, "FAILED", code, str(error))
            raise PhaseError(code, str(error)) from error
        except BaseException as error:
            if isinstance(error, OSError) and is_full(error):
                self._leave(kind, "FAILED", "CLIENT_ERROR", no_space(error))
                raise PhaseError("CLIENT_ERROR", no_space(error)) from error
            self.build.end("FAULT", "INTERNAL_ERROR", "local_aws failed, see its log")
            raise
        else:
            self._leave(kind, "SUCCEEDED", "", "")

    def _leave(self, kind: str, status: str, code: str, message: str) -> None:
        if status != "SUCCEEDED":
            self.succeeding = False
        if kind not in ("QUEUED", "PROVISIONING"):
            self.log.line(f"Phase complete: {kind} State: {status}")
            self.log.line(f"Phase context status code: {code} Message: {message}")
            self.log.flush()
        self.build.end(status, code, message)

    def _check_interrupted(self) -> None:
        if self.build.stopping.is_set():
            raise InterruptedBuildError("", "", "STOPPED")
        if time.monotonic() > self.deadline:
            raise InterruptedBuildError("BUILD_TIMED_OUT", "Build has timed out.", "TIMED_OUT")

    def _interrupted(self) -> bool:
        return self.build.stopping.is_set() or time.monotonic() > self.deadline

    def _provision(self) -> None:
        request = self.request
        pythons(request.environment["image"])
        try:
            self.credentials = self.context.credentials(request.service_role)
        except ClientError as error:
            raise PhaseError(
                "CLIENT_ERROR",
                f"CodeBuild is not authorized to perform: sts:AssumeRole on {request.service_role}",
            ) from error
        logs = self.context.client("logs", request.service_role)
        self.log = BuildLog(logs, request.log_group, request.log_stream)
        self.folders.make()
        write_programs(self.folders)
        privileged = bool(request.environment.get("privilegedMode", False))
        self.containers.write_docker(self.folders.programs, privileged=privileged)
        self.log.line("Running on CodeBuild On-demand")
        if self.pace != 1:
            minutes = self.build.record["timeoutInMinutes"]
            self.log.line(
                f"local_aws: {TIMEOUT_PACE} lets the timeout of {minutes} minutes pass "
                f"at {self.pace:g} of its length, in {60 * minutes * self.pace:g} s"
            )
        self.log.line("Waiting for agent ping")

    def _prepare(self) -> Buildspec:
        request, folders = self.request, self.folders
        self.log.line("Phase is DOWNLOAD_SOURCE")
        download(self.context.client("s3", request.service_role), request.source, folders.source)
        self.log.line(f"CODEBUILD_SRC_DIR={folders.source}")
        spec = read_buildspec(request.source, folders.source, self.log.line)
        self.log.line("Processing environment variables")
        ssm = self.context.client("ssm", request.service_role)
        declared = declared_variables(request.environment, spec, ssm, self.log.line)
        wanted = spec.phases["install"].runtime_versions if "install" in spec.phases else {}
        self.python = select_python(request.environment["image"], wanted)
        if self.python is None:
            self.log.line("No runtime version selected in buildspec.")
        else:
            self.log.line(f"Selecting 'python' runtime version '{self.python}' based on manual selections...")
        variables = {
            **machine_variables(folders, self.state / "pip-cache"),
            **aws_variables(self.context, self.credentials),
            **declared,
            **codebuild_variables(self.build.shown(), folders.source, request),
        }
        self.log.line(f"Moving to directory {folders.source}")
        self.log.line(f"Phases found in YAML: {len(spec.phases)}")
        for name, phase in spec.phases.items():
            self.log.line(f" {name.upper()}: {len(phase.commands)} commands")
        self.shell = Shell(
            spec.shell, folders.work, folders.source, variables, self.log.output, self._interrupted
        )
        return spec

    def _run_commands(self, spec: Buildspec) -> bool:
        """Run the four phases; False when the build ends before its artifacts are looked for."""
        for kind, name in COMMAND_PHASES.items():
            phase = spec.phases.get(name, Phase())
            try:
                with self._phase(kind):
                    self.log.line(f"Entering phase {kind}")
                    if kind == "INSTALL" and self.python is not None:
                        install_python(self.folders, self.python, self.state / "pythons")
                    self._run_phase(phase)
            except InterruptedBuildError:
                raise
            except PhaseError:
                ends = kind in ENDS_BUILD if phase.on_failure is None else phase.on_failure == "ABORT"
                if ends:
                    return False
            self._take_exports(spec)
        return True

    def _run_phase(self, phase: Phase) -> None:
        failure = self._run_list(phase.commands)
        failure = self._run_list(phase.finally_) or failure
        if failure is not None:
            raise failure

    def _run_list(self, commands: tuple[str, ...]) -> PhaseError | None:
        shell = self.shell
        if shell is None:
            raise RuntimeError("commands before DOWNLOAD_SOURCE")
        for command in commands:
            self.log.line(f"Running command {command}")
            shell.variables["CODEBUILD_BUILD_SUCCEEDING"] = str(int(self.succeeding))
            status = shell.run(command)
            if status is None:
                self._check_interrupted()
                raise RuntimeError("a command was interrupted without a reason")
            shell.variables["CODEBUILD_LAST_EXIT"] = str(status)
            if status:
                self.log.line(f"Command did not exit successfully {command} exit status {status}")
                message = f"Error while executing command: {command}. Reason: exit status {status}"
                return PhaseError("COMMAND_EXECUTION_ERROR", message)
        return None

    def _take_exports(self, spec: Buildspec) -> None:
        variables = self.shell.variables if self.shell else {}
        exported = [
            {"name": name, "value": variables[name]} for name in spec.exported_variables if name in variables
        ]
        self.build.set(exportedEnvironmentVariables=exported)

    def _upload(self, spec: Buildspec) -> None:
        request = self.request
        artifacts = Artifacts(self.context.client("s3", request.service_role), request, self.build.id)
        failure: Exception | None = None
        if spec.artifacts is not None and request.artifacts["type"] != "NO_ARTIFACTS":
            try:
                uploaded = artifacts.upload(self.folders.source, spec.artifacts, self.log.line)
                self.build.set(artifacts=uploaded)
            except (FilesError, ClientError) as error:
                # The reports are still to come; a test report of a failed build is what one wants to see.
                failure = error
        for group, files in spec.reports.items():
            request.add_report(group, read_reports(self.folders.source, group, files, self.log.line))
        if failure is not None:
            raise failure


def timeout_pace(environment: dict[str, Any]) -> float:
    """Return the pace at which a build's timeout passes: 1, unless its project asks for another.

    Raises InvalidInputException for what is no pace.
    """
    for variable in environment.get("environmentVariables", []):
        if variable["name"] == TIMEOUT_PACE:
            try:
                return Clock(float(variable["value"])).time_scale
            except ValueError as error:
                raise AwsError("InvalidInputException", f"{TIMEOUT_PACE}: {error}") from error
    return 1.0


def remove_leftovers(state: Path) -> None:
    """Remove the folders of builds that a killed server left."""
    shutil.rmtree(state / "builds", ignore_errors=True)
