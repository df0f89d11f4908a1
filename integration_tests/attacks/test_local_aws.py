"""What a commit's code can read and write on the developer's machine: it runs there as the developer."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.build_project import BuildProject, BuildResult
from harness.cloud import Cloud
from harness.local import find_local_aws, local_aws, local_cloud
from harness.stacks import CREATED, archive, temporary_stack
from integration_tests.pitfalls.builds import project
from operations.waiting import NotYetError, wait_for

ASSUMED = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": ["lambda.amazonaws.com", "ecs-tasks.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    },
}
ALLOWED = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}}
FUNCTION = """
import os, pathlib
def handler(event, context):
    files = [pathlib.Path(path) for path in event]
    return [dict(os.environ), [path.read_text() for path in files if path.exists()]]
"""
# Nine lists of nine, each in the next: 387 million commands for whoever follows every alias.
LISTS = [f"l{n}: &l{n} [{', '.join(['x' if n == 0 else f'*l{n - 1}'] * 9)}]" for n in range(9)]
BOMB = "\n".join(["version: 0.2", *LISTS, "phases: {build: {commands: *l8}}"])
IMAGE = "public.ecr.aws/docker/library/python:3.9-slim"


@dataclass
class Laptop:
    """A developer's machine: a home folder with credentials, a variable with one, and local_aws."""

    home: Path
    secret: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def credentials(self) -> Path:
        """The file of the AWS CLI."""
        return self.home / ".aws/credentials"

    def fill(self) -> None:
        """Write the credentials and a shell's start file."""
        self.credentials.parent.mkdir(parents=True)
        self.credentials.write_text(f"[default]\naws_secret_access_key = {self.secret}\n")
        (self.home / ".bashrc").write_text("# mine\n")


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    made = Laptop(tmp_path_factory.mktemp("home"))
    made.fill()
    return made


@pytest.fixture(scope="module")
def cloud(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder, home = tmp_path_factory.mktemp("run"), Path.home()
    with pytest.MonkeyPatch.context() as patch:
        # Where uv and pyenv have their interpreters, whatever HOME is.
        patch.setenv("XDG_DATA_HOME", os.environ.get("XDG_DATA_HOME", str(home / ".local/share")))
        patch.setenv("PYENV_ROOT", os.environ.get("PYENV_ROOT", str(home / ".pyenv")))
        patch.setenv("HOME", str(laptop.home))
        patch.setenv("GITHUB_TOKEN", laptop.secret)
        patch.setenv("LOCAL_AWS_CONTAINERS", "processes")
        with local_aws(folder) as server:
            yield local_cloud(server, folder)


@pytest.fixture(scope="module")
def isolated(cloud: Cloud) -> Cloud:
    """The cloud, on a machine that can hide files."""
    if cloud.isolation.startswith("NOT ISOLATED"):
        pytest.skip(cloud.isolation)
    return cloud


@pytest.fixture(scope="module")
def builds(cloud: Cloud) -> Iterator[BuildProject]:
    with temporary_stack(cloud, project(cloud)) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        yield BuildProject(stack)


def build(builds: BuildProject, *commands: str, artifacts: str = "Dockerfile") -> BuildResult:
    """Build a commit with these commands."""
    phases = {"build": {"commands": list(commands)}}
    spec = {"version": 0.2, "phases": phases, "artifacts": {"files": [artifacts]}}
    return builds.build(json.dumps(spec))


def output(built: BuildResult) -> str:
    """Return what the commands of a build printed."""
    return "\n".join(line for line in built.log.splitlines() if "Running command" not in line)


READ_EVERY_ENVIRONMENT = (
    "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -aE 'MY|GITHUB_TOKEN' || echo none"
)


def test_a_build_reads_the_environment_of_the_server(builds: BuildProject, laptop: Laptop) -> None:
    """attack L1: a commit's build reads /proc/PID/environ of the server, which has the caller's tokens."""
    server = find_local_aws(builds.cloud.folder / "local_aws")
    assert server is not None
    built = build(builds, f"tr '\\0' '\\n' < /proc/{server.pid}/environ | grep -a _TOKEN || echo none")
    assert laptop.secret not in built.log
    environment = Path(f"/proc/{server.pid}/environ").read_bytes()
    assert laptop.secret.encode() not in environment
    assert b"PATH=" in environment


def check_variables(pid: int, laptop: Laptop) -> None:
    """Raise NotYetError until a process that has just been forked has its own variables."""
    if laptop.secret.encode() not in Path(f"/proc/{pid}/environ").read_bytes():
        raise NotYetError("not yet")


def test_a_build_reads_the_environment_of_the_developers_shell(
    isolated: Cloud, builds: BuildProject, laptop: Laptop
) -> None:
    """attack L2: a commit's build reads /proc/PID/environ of the other processes of the developer."""
    with subprocess.Popen(["sleep", "600"], env={**os.environ, "MY_TOKEN": laptop.secret}) as shell:  # noqa: S607
        try:
            wait_for("the variables of the shell", lambda: check_variables(shell.pid, laptop), deadline=10)
            built = build(builds, READ_EVERY_ENVIRONMENT, f"ls /proc/{shell.pid}/root {laptop.home} || true")
        finally:
            shell.kill()
    assert built.status == "SUCCEEDED", built
    assert laptop.secret not in built.log
    assert "none" in output(built)


def test_a_build_reads_the_home_folder(isolated: Cloud, builds: BuildProject, laptop: Laptop) -> None:
    """attack L3: a commit's build reads ~/.aws, also after it tries to undo what hides it."""
    built = build(
        builds,
        f"cat {laptop.credentials} || true",
        f"umount {laptop.home} || true",
        f"unshare -Urm sh -c 'umount {laptop.home}; cat {laptop.credentials}' || true",
        f"echo mine >> {laptop.home}/.bashrc || true",
    )
    assert built.status == "SUCCEEDED", built
    assert laptop.secret not in built.log
    assert f"{laptop.credentials}: No such file" in built.log
    assert (laptop.home / ".bashrc").read_text() == "# mine\n"


def test_a_build_reads_the_state_folder(isolated: Cloud, builds: BuildProject) -> None:
    """attack L4: a commit's build reads the saved state, and writes to the state folder's repositories."""
    state = isolated.folder / "local_aws"
    assert (state / "codecommit").is_dir()
    built = build(builds, f"ls -A {state}", f"touch {state}/codecommit/planted || true")
    assert built.status == "SUCCEEDED", built
    assert "codecommit\n" not in output(built)
    assert not (state / "codecommit/planted").exists()


def test_an_artifact_is_a_link_to_a_file_of_the_developer(builds: BuildProject, laptop: Laptop) -> None:
    """attack L5: the server, which sees the home folder, uploads the file that a link of the build names."""
    built = build(builds, f"ln -s {laptop.credentials} taken", artifacts="taken")
    assert built.status == "FAILED"
    assert "taken leads to a file outside of the build's folders" in built.contexts["UPLOAD_ARTIFACTS"]


def test_a_source_has_a_file_outside_of_the_build(builds: BuildProject) -> None:
    """attack L25: the names in the zip of a build's source lead out of its folder."""
    spec = json.dumps({"version": 0.2, "phases": {"build": {"commands": ["true"]}}})
    for name in ("../evil", "a/../../evil", "/evil", "..\\evil"):
        built = builds.build(spec, files={name: "x"})
        assert built.status == "FAILED", name
        assert "illegal file path" in built.contexts["DOWNLOAD_SOURCE"]
    assert not list(builds.cloud.folder.rglob("evil"))
    assert not Path("/evil").exists()


def test_a_buildspec_is_a_yaml_bomb(builds: BuildProject) -> None:
    """attack L26: aliases of aliases in a buildspec take all memory of the server."""
    built = builds.build(BOMB)
    assert built.status == "FAILED"
    assert "Expected" in built.contexts["DOWNLOAD_SOURCE"]


def test_a_build_replaces_the_files_of_its_shell_by_links(builds: BuildProject, laptop: Laptop) -> None:
    """attack L6: the server writes a command's output through a link, and reads variables through one."""
    work = "$CODEBUILD_SRC_DIR/../work"
    built = build(
        builds,
        f"ln -s {laptop.home}/.bashrc {work}/output.2; ln -s {laptop.home}/.bashrc {work}/run.sh.new",
        "echo planted",
        f"trap 'rm {work}/environment.3; ln -s {laptop.credentials} {work}/environment.3' EXIT; exit 0",
        "env",
    )
    assert built.status == "SUCCEEDED", built
    assert "planted" in output(built)
    assert (laptop.home / ".bashrc").read_text() == "# mine\n"
    assert laptop.secret not in built.log


@pytest.fixture(scope="module")
def role(cloud: Cloud) -> str:
    """The ARN of a role for a function and a task."""
    iam = cloud.client("iam")
    document = json.dumps(ASSUMED)
    arn: str = iam.create_role(RoleName="laptop", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName="laptop", PolicyName="logs", PolicyDocument=json.dumps(ALLOWED))
    return arn


def test_a_function_inherits_the_environment_of_the_server(cloud: Cloud, role: str, laptop: Laptop) -> None:
    """attacks L7, L8: a commit's function has the caller's variables, and reads ~/.aws."""
    functions = cloud.client("lambda")
    code = {"ZipFile": archive({"index.py": FUNCTION})}
    functions.create_function(
        FunctionName="reading", Runtime="python3.12", Handler="index.handler", Role=role, Code=code
    )
    answer = functions.invoke(FunctionName="reading", Payload=json.dumps([str(laptop.credentials)]))
    variables, files = json.loads(answer["Payload"].read())
    assert laptop.secret not in json.dumps(variables)
    assert not {"HOME", "GITHUB_TOKEN", "PYENV_ROOT"} & set(variables)
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "reading"
    if not cloud.isolation.startswith("NOT ISOLATED"):
        assert files == []


def test_a_task_reads_the_home_folder(isolated: Cloud, role: str, laptop: Laptop) -> None:
    """attack L9: a commit's task reads ~/.aws, and the environment of the developer's processes."""
    ecs, logs = isolated.client("ecs"), isolated.client("logs")
    ecs.create_cluster(clusterName="laptop")
    logs.create_log_group(logGroupName="laptop")
    options = {"awslogs-group": "laptop", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "task"}
    script = f"cat {laptop.credentials}; {READ_EVERY_ENVIRONMENT}"
    definition = ecs.register_task_definition(
        family="laptop",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=role,
        containerDefinitions=[
            {
                "name": "app",
                "image": IMAGE,
                "command": ["sh", "-c", script],
                "logConfiguration": {"logDriver": "awslogs", "options": options},
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    network = {"awsvpcConfiguration": {"subnets": [_subnet(isolated)]}}
    task = ecs.run_task(
        cluster="laptop", taskDefinition=definition, launchType="FARGATE", networkConfiguration=network
    )["tasks"][0]["taskArn"]

    def ended() -> dict[str, Any]:
        found: dict[str, Any] = ecs.describe_tasks(cluster="laptop", tasks=[task])["tasks"][0]
        if found["lastStatus"] != "STOPPED":
            raise NotYetError(found["lastStatus"])
        return found

    found = wait_for("the task", ended, deadline=120, interval=0.2)
    messages = [one["message"] for one in logs.filter_log_events(logGroupName="laptop")["events"]]
    assert "none" in messages, (found, messages)
    assert laptop.secret not in "".join(messages)


def _subnet(cloud: Cloud) -> str:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet: str = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    return subnet
