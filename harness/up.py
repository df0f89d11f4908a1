"""Deploys an environment on local_aws and keeps it running."""

from harness import folders
from harness.cloud import PROJECT, HarnessError
from harness.dashboard.process import start_dashboard
from harness.local import find_local_aws, local_cloud, start_local_aws
from harness.progress import Progress
from harness.scenario import Scenario

FOLDER = "up"

WHAT_TO_TRY = """
{suffix} runs on local_aws at {endpoint} (AWS's waits take {time_scale:g} of their length).
Containers: {containers}; {isolation}.

  service   {url}
  clone     {clone}

Try, in a shell with its credentials:
  . {credentials}
  git clone {clone} greeter && cd greeter
  sed -i 's/^GREETING = .*/GREETING = "Hello from me"/' */*/greeting.py
  git commit -am "Greet" && git push origin HEAD:main
  watch -n 1 curl -si {url}

  {aws} codepipeline get-pipeline-state --name {pipeline}
  {aws} deploy list-deployments --application-name {application} --deployment-group-name {group}
  {aws} logs filter-log-events --log-group-name {tasks} --query 'events[].message' --output text

`make down` destroys this environment and every other one on this local_aws."""


def up(port: int, suffix: str) -> int:
    """Start local_aws, deploy, wait for the seeded commit, and print what to try."""
    folder = folders.folder(FOLDER)
    state = folder / "local_aws"
    if (server := find_local_aws(state)) is None:
        if not state.exists():
            # Files of an earlier server mean nothing to a new one.
            folders.remove_finished_runs(FOLDER, lambda _: False)
        server = start_local_aws(state, port=port, keep=True)
    cloud = local_cloud(server, folder)
    # Before the deployment, which the page shows. On the port after local_aws's, so that its URL stays.
    page = start_dashboard(cloud, suffix, port=port + 1, until=server.pid)
    print(f"dashboard: {page}", flush=True)
    scenario = Scenario(cloud, suffix, Progress(print, cloud.time_scale))
    try:
        scenario.deploy()
        scenario.wait_for_seed()
    except HarnessError as error:
        raise HarnessError(
            f"{error}\nfix this and run `make up` again, or run `make down` to tear everything down"
        ) from error
    outputs = scenario.outputs
    print(
        WHAT_TO_TRY.format(
            endpoint=cloud.endpoint,
            time_scale=cloud.time_scale,
            containers=cloud.containers,
            isolation=cloud.isolation,
            credentials=server.credentials_file,
            url=scenario.progress.url,
            clone=outputs.clone_url_http,
            aws=PROJECT / ".venv/bin/aws",
            pipeline=outputs.pipeline_name,
            application=outputs.application_name,
            group=outputs.deployment_group_name,
            tasks=outputs.task_log_group_name,
            suffix=suffix,
        )
    )
    return 0
