"""Deploys an environment on local_aws and keeps it running."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from harness import folders
from harness.catalogue import check_suffix, code_folder, page_path
from harness.cloud import PROJECT, Cloud, HarnessError
from harness.dashboard.process import start_dashboard
from harness.local import find_local_aws, local_cloud, start_local_aws
from harness.progress_lines import progress_lines, working
from harness.scenario import Scenario, ScenarioError
from operations import stored_variables
from operations.errors import OperationsError

FOLDER = "up"

WHAT_TO_TRY = """
{suffix} runs on local_aws at {endpoint} (AWS's waits take {time_scale:g} of their length).
Containers: {containers}; {isolation}.

  dashboard {page}
  service   {url}
  clone     {clone}

Try, in a shell with its credentials:
  . {credentials}
  git clone {clone} {name} && cd {name}
{change}
  watch -n 1 curl -si {asked}

  {aws} codepipeline get-pipeline-state --name {pipeline}
  {aws} deploy list-deployments --application-name {application} --deployment-group-name {group}
  {aws} logs filter-log-events --log-group-name {tasks} --query 'events[].message' --output text

`make down` destroys this environment and every other one on this local_aws."""


GREET = """\
  sed -i 's/^GREETING = .*/GREETING = "Hello from me"/' */*/greeting.py
  git commit -am "Greet" && git push origin HEAD:main"""
CHANGE = """\
  # change something, then:
  git commit -am "Change it" && git push origin HEAD:main"""
DEFAULT_PORT = 4566


def up(port: int, suffix: str) -> int:
    """Start local_aws, deploy, wait for the seeded commit, and print what to try.

    Return 1 if the newest release failed or still runs: the environment stays, to look at and to push to.
    """
    check_suffix(suffix)
    folder = folders.folder(FOLDER)
    state = folder / "local_aws"
    if (server := find_local_aws(state)) is None:
        if not state.exists():
            # Files of an earlier server mean nothing to a new one.
            folders.remove_finished_runs(FOLDER, lambda _: False)
        with working("starting local_aws"):
            server = start_local_aws(state, port=port, keep=True)
    elif port not in (DEFAULT_PORT, running := urlsplit(server.endpoint).port):
        raise HarnessError(f"local_aws runs on port {running}: make up PORT={running}, or first make down")
    cloud = local_cloud(server, folder)
    check_secrets(cloud, suffix, server.credentials_file)
    # Before the deployment, which the page shows. On the port after local_aws's, so that its URL stays.
    page = start_dashboard(cloud, suffix, port=port + 1, until=server.pid)
    print(f"containers: {cloud.containers}\ndashboard: {page}", flush=True)
    try:
        with progress_lines(cloud.time_scale) as progress:
            scenario = Scenario(cloud, suffix, progress)
            scenario.deploy()
            failure = _release_seed(scenario)
    except HarnessError as error:
        raise HarnessError(
            f"{error}\nfix this and run `make up` again, or run `make down` to tear everything down"
        ) from error
    _print_what_to_try(scenario, server.credentials_file, page)
    if failure:
        print(f"up: the environment runs, but {failure}", file=sys.stderr)
        return 1
    return 0


def check_secrets(cloud: Cloud, suffix: str, credentials: Path) -> None:
    """Raise `HarnessError` with the commands for what has no value: else the first release would fail."""
    missing = [one for one in stored_variables.read(suffix, cloud.account) if one.problem]
    if not missing:
        return
    commands = [f"  .venv/bin/python -m operations secrets set {suffix} {one.name}" for one in missing]
    state = ", ".join(f"{one.name} is {one.problem}" for one in missing)
    raise HarnessError(
        "\n".join([f"{suffix}: {state}. Set it, and run make up again:", f"  . {credentials}", *commands])
    )


def _release_seed(scenario: Scenario) -> str:
    """Wait for the release of the newest commit; return why it failed or still runs, or nothing."""
    try:
        scenario.wait_for_seed()
    except (ScenarioError, OperationsError) as error:
        return str(error)
    return ""


def _print_what_to_try(scenario: Scenario, credentials: Path, page: str) -> None:
    cloud, outputs = scenario.cloud, scenario.outputs
    suffix = scenario.environment.suffix
    folder = code_folder(suffix)
    print(
        WHAT_TO_TRY.format(
            endpoint=cloud.endpoint,
            time_scale=cloud.time_scale,
            containers=cloud.containers,
            isolation=cloud.isolation,
            credentials=credentials,
            page=page,
            url=scenario.progress.url,
            asked=scenario.progress.url + page_path(suffix),
            clone=outputs.clone_url_http,
            aws=PROJECT / ".venv/bin/aws",
            pipeline=outputs.pipeline_name,
            application=outputs.application_name,
            group=outputs.deployment_group_name,
            tasks=outputs.task_log_group_name,
            suffix=suffix,
            name=folder.name.replace("sample_service", "greeter"),
            change=GREET if list(folder.rglob("greeting.py")) else CHANGE,
        )
    )
