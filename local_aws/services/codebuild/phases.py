"""A build's run through its phases.

Pitfalls F1, F3, F4, F7.
https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Protocol

from botocore.exceptions import ClientError

from local_aws.core.context import Context
from local_aws.host.disk import is_full, no_space
from local_aws.services.codebuild.artifacts import ArtifactUpload
from local_aws.services.codebuild.build_request import BuildRequest
from local_aws.services.codebuild.buildspec import Buildspec, BuildspecPhase
from local_aws.services.codebuild.environment import (
    BuildFolders,
    aws_variables,
    install_python,
    machine_variables,
    offer_python,
    write_programs,
)
from local_aws.services.codebuild.errors import (
    PHASE_ERRORS,
    FilesError,
    InterruptedBuildError,
    PhaseError,
    status_code,
)
from local_aws.services.codebuild.images import default_python, python_versions, select_python
from local_aws.services.codebuild.junit import read_reports
from local_aws.services.codebuild.log import BuildLog
from local_aws.services.codebuild.records import BuildRecord
from local_aws.services.codebuild.shell import Shell, kill_build
from local_aws.services.codebuild.source import read_buildspec
from local_aws.services.codebuild.source_download import download_source
from local_aws.services.codebuild.validation import TIMEOUT_SCALE, timeout_scale
from local_aws.services.codebuild.variables import codebuild_variables, declared_variables

COMMAND_PHASES = {
    "INSTALL": "install",
    "PRE_BUILD": "pre_build",
    "BUILD": "build",
    "POST_BUILD": "post_build",
}
# A failed phase of these ends the build by default; a failed BUILD is followed by POST_BUILD.
BUILD_ENDING_PHASES = ("INSTALL", "PRE_BUILD")


class DockerProvider(Protocol):
    """The part of the container engine that a build uses: a `docker` for its PATH."""

    def write_docker(self, directory: Path, *, privileged: bool) -> Path: ...

    def end_docker(self, directory: Path) -> None: ...


class BuildRun:
    """Runs one build. `state` is CodeBuild's state folder."""

    def __init__(
        self,
        context: Context,
        containers: DockerProvider,
        build: BuildRecord,
        request: BuildRequest,
        state: Path,
    ) -> None:
        self.context = context
        self.containers = containers
        self.build = build
        self.request = request
        self.state = state
        self.folders = BuildFolders(state / "builds" / build.id.rpartition(":")[2])
        self.timeout_scale = timeout_scale(request.environment)
        self.timeout_seconds = 60 * build.shape["timeoutInMinutes"] * self.timeout_scale
        self.deadline = time.monotonic() + self.timeout_seconds
        self.process_tag = f"CODEBUILD_BUILD_ID={build.id}"
        self.log = BuildLog(None, None, "")
        self.shell: Shell | None = None
        self.succeeding = True

    def run(self) -> None:
        """Run the build to its end, and kill the processes that it leaves."""
        status = "FAULT"
        try:
            status = self._run_phases()
        finally:
            self.build.start_phase("FINALIZING")
            self.containers.end_docker(self.folders.programs)
            kill_build(self.process_tag, self.shell.sessions if self.shell else set(), self.folders.root)
            if self.shell is not None:
                self.shell.close()
            self.log.close()
            self.folders.remove()
            self.build.end_phase("FAULT" if status == "FAULT" else "SUCCEEDED")
            self.build.complete(status)

    def _run_phases(self) -> str:
        self.build.send_state_event()
        self.build.end_phase()
        try:
            with self._phase("QUEUED"):
                pass
            with self._phase("PROVISIONING"):
                self._provision()
            with self._phase("DOWNLOAD_SOURCE"):
                spec = self._download_source()
            if self._run_buildspec(spec):
                with self._phase("UPLOAD_ARTIFACTS"):
                    self._upload_artifacts(spec)
        except InterruptedBuildError as error:
            # A build that timed out is FAILED; only its phase is TIMED_OUT (measured on AWS, 2026-08-31).
            return "STOPPED" if error.status == "STOPPED" else "FAILED"
        except PhaseError:
            return "FAILED"
        return "SUCCEEDED" if self.succeeding else "FAILED"

    @contextmanager
    def _phase(self, phase_type: str) -> Iterator[None]:
        """Run the block as a phase; what it raises ends the phase, and the caller gets a `PhaseError`."""
        self.build.start_phase(phase_type)
        try:
            self._check_interrupted()
            yield
        except PhaseError as error:
            self._end_phase(phase_type, error.status, error.code, error.message)
            raise
        except PHASE_ERRORS as error:
            self._end_phase(phase_type, "FAILED", status_code(error), str(error))
            raise PhaseError(status_code(error), str(error)) from error
        except BaseException as error:
            if isinstance(error, OSError) and is_full(error):
                self._end_phase(phase_type, "FAILED", "CLIENT_ERROR", no_space(error))
                raise PhaseError("CLIENT_ERROR", no_space(error)) from error
            self.build.end_phase("FAULT", "INTERNAL_ERROR", "local_aws failed, see its log")
            raise
        else:
            self._end_phase(phase_type, "SUCCEEDED", "", "")

    def _end_phase(self, phase_type: str, status: str, code: str, message: str) -> None:
        if status != "SUCCEEDED":
            self.succeeding = False
        if phase_type not in ("QUEUED", "PROVISIONING"):
            self.log.line(f"Phase complete: {phase_type} State: {status}")
            self.log.line(f"Phase context status code: {code} Message: {message}")
            self.log.flush()
        self.build.end_phase(status, code, message)

    def _check_interrupted(self) -> None:
        if self.build.stopping.is_set():
            raise InterruptedBuildError("", "", "STOPPED")
        if time.monotonic() > self.deadline:
            raise InterruptedBuildError("BUILD_TIMED_OUT", "Build has timed out.", "TIMED_OUT")

    def _interrupted(self) -> bool:
        return self.build.stopping.is_set() or time.monotonic() > self.deadline

    def _provision(self) -> None:
        request = self.request
        python_versions(request.environment["image"])
        try:
            self.credentials = self.context.credentials(request.service_role)
        except ClientError as error:
            raise PhaseError(
                "CLIENT_ERROR",
                f"CodeBuild is not authorized to perform: sts:AssumeRole on {request.service_role}",
            ) from error
        logs = self.context.client("logs", request.service_role)
        self.log = BuildLog(logs, request.log_group, request.log_stream)
        self.folders.create()
        write_programs(self.folders)
        privileged = bool(request.environment.get("privilegedMode", False))
        self.containers.write_docker(self.folders.programs, privileged=privileged)
        self.log.line("Running on CodeBuild On-demand")
        if self.timeout_scale != 1:
            minutes = self.build.shape["timeoutInMinutes"]
            self.log.line(
                f"local_aws: {TIMEOUT_SCALE} scales the timeout of {minutes} minutes "
                f"by {self.timeout_scale:g}, to {self.timeout_seconds:g} s"
            )
        self.log.line("Waiting for agent ping")

    def _download_source(self) -> Buildspec:
        request, folders = self.request, self.folders
        self.log.line("Phase is DOWNLOAD_SOURCE")
        download_source(self.context, self.build, request, folders, self.credentials)
        self.log.line(f"CODEBUILD_SRC_DIR={folders.source}")
        spec = read_buildspec(request.source, folders.source, self.log.line)
        self.log.line("Processing environment variables")
        ssm = self.context.client("ssm", request.service_role)
        declared = declared_variables(request.environment, spec, ssm, self.log.line)
        runtimes = spec.phases.get("install", BuildspecPhase()).runtime_versions
        self.python = select_python(request.environment["image"], runtimes)
        if self.python is None:
            self.log.line("No runtime version selected in buildspec.")
            offer_python(folders, default_python(request.environment["image"]))
        else:
            self.log.line(f"Selecting 'python' runtime version '{self.python}' based on manual selections...")
        variables = {
            **machine_variables(folders, self.state / "pip-cache"),
            **aws_variables(self.context, self.credentials),
            **declared,
            **codebuild_variables(self.build.copy_shape(), folders.source, request),
        }
        self.log.line(f"Moving to directory {folders.source}")
        self.log.line(f"Phases found in YAML: {len(spec.phases)}")
        for name, phase in spec.phases.items():
            self.log.line(f" {name.upper()}: {len(phase.commands)} commands")
        self.shell = Shell(
            spec.shell,
            folders.work,
            folders.source,
            variables,
            self.log.output,
            self._interrupted,
            self.context.sandboxed,
        )
        return spec

    def _run_buildspec(self, spec: Buildspec) -> bool:
        """Run the four phases of the buildspec; return whether UPLOAD_ARTIFACTS follows."""
        for phase_type, name in COMMAND_PHASES.items():
            phase = spec.phases.get(name, BuildspecPhase())
            try:
                with self._phase(phase_type):
                    self.log.line(f"Entering phase {phase_type}")
                    if phase_type == "INSTALL" and self.python is not None:
                        install_python(self.folders, self.python, self.context.state / "pythons")
                    self._run_commands(phase)
            except InterruptedBuildError:
                raise
            except PhaseError:
                default = "ABORT" if phase_type in BUILD_ENDING_PHASES else "CONTINUE"
                if (phase.on_failure or default) == "ABORT":
                    return False
            self._export_variables(spec)
        return True

    def _run_commands(self, phase: BuildspecPhase) -> None:
        failure = self._run_until_failure(phase.commands)
        failure = self._run_until_failure(phase.finally_) or failure
        if failure is not None:
            raise failure

    def _run_until_failure(self, commands: tuple[str, ...]) -> PhaseError | None:
        shell = self.shell
        if shell is None:
            raise RuntimeError("a command runs before DOWNLOAD_SOURCE")
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

    def _export_variables(self, spec: Buildspec) -> None:
        variables = self.shell.variables if self.shell else {}
        exported = [
            {"name": name, "value": variables[name]} for name in spec.exported_variables if name in variables
        ]
        self.build.update(exportedEnvironmentVariables=exported)

    def _upload_artifacts(self, spec: Buildspec) -> None:
        request = self.request
        failure: Exception | None = None
        if spec.artifacts is not None and request.artifacts["type"] != "NO_ARTIFACTS":
            s3 = self.context.client("s3", request.service_role)
            try:
                upload = ArtifactUpload(s3, request, self.build.id)
                uploaded = upload.upload(self.folders.source, spec.artifacts, self.log.line)
                self.build.update(artifacts=uploaded)
            except (FilesError, ClientError) as error:
                # Raised after the reports are added: the report of a failed build shows which tests failed.
                failure = error
        for key, files in spec.reports.items():
            # A variable may stand for the group: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
            group = Template(key).safe_substitute(self.shell.variables if self.shell else {})
            request.add_report(group, read_reports(self.folders.source, group, files, self.log.line))
        if failure is not None:
            raise failure


def remove_leftovers(state: Path) -> None:
    """Remove the folders of builds that an earlier local_aws could not remove."""
    shutil.rmtree(state / "builds", ignore_errors=True)
