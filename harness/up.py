"""`python -m harness.up`: deploy an environment on local_aws and keep it running."""

import argparse
import sys

from harness import folders
from harness.cloud import PROJECT, HarnessError
from harness.dashboard.process import start
from harness.local import cloud_of, find_local_aws, start_local_aws
from harness.progress import Progress
from harness.scenario import Scenario, ScenarioError
from operations.__main__ import environment_suffix
from operations.errors import OperationsError

SUFFIX = "dev"
PORT = 4566
FOLDER = "up"

WHAT_TO_TRY = """
{suffix} runs on local_aws at {endpoint} (AWS's waits pass at {time_scale:g} of their length).
Containers: {containers}.

  service   {url}
  clone     {clone}

Try:
  git clone {clone} greeter && cd greeter
  sed -i 's/^GREETING = .*/GREETING = "Hello from me"/' */*/greeting.py
  git commit -am "Greet" && git push origin HEAD:main
  watch -n 1 curl -si {url}

  export AWS_ENDPOINT_URL={endpoint} AWS_ACCESS_KEY_ID=123456789012 AWS_SECRET_ACCESS_KEY=local \\
         AWS_DEFAULT_REGION=us-east-1
  {aws} codepipeline get-pipeline-state --name {pipeline}
  {aws} deploy list-deployments --application-name {application} --deployment-group-name {group}
  {aws} logs filter-log-events --log-group-name /ecs/task-{suffix} --query 'events[].message' --output text

`make down` destroys it all, and every other environment that runs there."""


def main() -> int:
    """Start, deploy, wait for the seeded commit, and say what to try."""
    parser = argparse.ArgumentParser(prog="python -m harness.up", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="of local_aws (default %(default)s)")
    parser.add_argument(
        "--suffix", type=environment_suffix, default=SUFFIX, help="of the environment (default %(default)s)"
    )
    given = parser.parse_args()
    try:
        return _up(given.port, given.suffix)
    except (ScenarioError, OperationsError) as error:
        print(f"up: {error}", file=sys.stderr)
        return 1 if isinstance(error, ScenarioError) else 2


def _up(port: int, suffix: str) -> int:
    folder = folders.folder(FOLDER)
    state = folder / "local_aws"
    if (running := find_local_aws(state)) is None:
        if not state.exists():
            # What an earlier one left in its folder is nothing to a new server.
            folders.clear(FOLDER, lambda _: False)
        running = start_local_aws(state, port=port, keep=True)
    cloud = cloud_of(running, folder)
    # First, so that somebody can watch; beside local_aws's port, to be found there the next time too.
    print(f"watch it at {start(cloud, suffix, port=port + 1, until=running.pid)}", flush=True)
    scenario = Scenario(cloud, suffix, Progress(print, cloud.time_scale))
    try:
        scenario.deploy()
        scenario.seed()
    except HarnessError as error:
        raise HarnessError(
            f"{error}\nmend it and run `make up` again, or `make down` to take it all away"
        ) from error
    outputs = scenario.outputs
    print(
        WHAT_TO_TRY.format(
            endpoint=cloud.endpoint,
            time_scale=cloud.time_scale,
            containers=cloud.containers,
            url=scenario.progress.url,
            clone=outputs.clone_url_http,
            aws=PROJECT / ".venv/bin/aws",
            pipeline=outputs.pipeline_name,
            application=outputs.application_name,
            group=outputs.deployment_group_name,
            suffix=suffix,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
