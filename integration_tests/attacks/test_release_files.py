"""What a commit may not decide of its release: fill.py refuses it before an image is built."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.cloud import PROJECT

PROGRAM = PROJECT / "infrastructure/constructs/release_files/fill.py"
EXECUTION_ROLE = "arn:aws:iam::123456789012:role/execution-role-dev"
# What the project gives the build.
VARIABLES = {
    "AWS_REGION": "us-east-1",
    "COMMIT": "0" * 40,
    "CONTAINER_NAME": "app",
    "CONTAINER_PORT": "8080",
    "EXECUTION_ROLE_ARN": EXECUTION_ROLE,
    "HEALTH_PATH": "/health",
    "TASK_CPU": "512",
    "TASK_FAMILY": "task-dev",
    "TASK_LOG_GROUP": "/ecs/task-dev",
    "TASK_MEMORY": "1024",
    "TASK_ROLE_ARN": "arn:aws:iam::123456789012:role/task-role-dev",
    "TEST_TRAFFIC_HOOK": "test-traffic-hook-dev",
}
PUBLIC = "public.ecr.aws/aws-observability/aws-otel-collector"
DIGEST = "sha256:" + "a" * 64
Task = dict[str, Any]


class Commit:
    """A commit's folder, with the platform's files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.platform = folder / "commit", folder / "platform"
        for place in (self.folder, self.platform):
            place.mkdir()
        for path in (PROGRAM, PROJECT / "taskdef.json", PROJECT / "appspec.yaml"):
            (self.platform / path.name).write_text(path.read_text())

    def fill(self, files: Mapping[str, str]) -> str:
        """Fill the release of a commit with these files; return what is refused, or nothing."""
        for name, text in files.items():
            (self.folder / name).write_text(text)
        command = [sys.executable, str(self.platform / PROGRAM.name)]
        done = subprocess.run(  # noqa: S603 - the project's own program
            command, cwd=self.folder, env=VARIABLES, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr
        assert (done.returncode == 0) == (done.stderr == "")
        return done.stderr.strip()

    def fill_task(self, **changed: Any) -> str:
        """Fill the release of a commit whose taskdef.json is the platform's with changes of its container."""
        task = json.loads((self.platform / "taskdef.json").read_text())
        task["containerDefinitions"][0] |= changed
        return self.fill({"taskdef.json": json.dumps(task)})

    @property
    def task(self) -> Task:
        """The task definition that is released."""
        return dict(json.loads((self.folder / "taskdef.json").read_text()))


@pytest.fixture
def commit(tmp_path: Path) -> Iterator[Commit]:
    made = Commit(tmp_path)
    yield made
    # A build writes it after it has pushed.
    assert not (made.folder / "imageDetail.json").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user", "0:0"),
        ("readonlyRootFilesystem", False),
        ("privileged", True),
        ("linuxParameters", {"capabilities": {"drop": [], "add": ["SYS_PTRACE"]}}),
        ("linuxParameters", {"initProcessEnabled": True}),
        ("image", "public.ecr.aws/somebody/else:latest"),
        ("command", ["sh", "-c", "anything"]),
        ("entryPoint", ["sh"]),
        ("secrets", [{"name": "A", "valueFrom": "/docker-hub-dev/password"}]),
        ("dockerLabels", {"org.opencontainers.image.revision": "f" * 40}),
        ("healthCheck", {"command": ["CMD", "true"]}),
        ("portMappings", [{"containerPort": 9090}]),
        ("logConfiguration", {"logDriver": "awsfirelens"}),
        ("essential", False),
    ],
)
def test_a_commit_does_not_weaken_its_container(commit: Commit, field: str, value: object) -> None:
    """attack C13: a user with privileges, a writable file system, another image, no health check."""
    refused = commit.fill_task(**{field: value})
    assert refused.startswith(f"taskdef.json: app.{field}")
    assert "is the platform's: remove it from the commit" in refused


@pytest.mark.parametrize(
    "field",
    [
        {"taskRoleArn": "${EXECUTION_ROLE_ARN}"},
        {"taskRoleArn": EXECUTION_ROLE},
        {"executionRoleArn": "arn:aws:iam::123456789012:role/pipeline-role-dev"},
        {"family": "task-prod"},
        {"networkMode": "host"},
        {"volumes": [{"name": "host", "host": {"sourcePath": "/"}}]},
        {"pidMode": "task"},
        {"ephemeralStorage": {"sizeInGiB": 200}},
    ],
    ids=str,
)
def test_a_commit_takes_no_other_role_family_or_place(commit: Commit, field: Task) -> None:
    """attack C14: the execution role as the task role, or the task family of another environment."""
    refused = commit.fill({"taskdef.json": json.dumps(field)})
    assert refused.startswith(f"taskdef.json: {next(iter(field))} is the platform's")


@pytest.mark.parametrize(
    ("size", "value"), [("cpu", "1024"), ("memory", "2048"), ("cpu", 4096), ("memory", "-1"), ("cpu", "0x1")]
)
def test_a_commit_takes_no_larger_task(commit: Commit, size: str, value: object) -> None:
    """attack C15: a size that somebody else pays for."""
    assert f"{size} is " in commit.fill({"taskdef.json": json.dumps({size: value})})


@pytest.mark.parametrize(
    "image",
    [f"public.ecr.aws/somebody/else@{DIGEST}", f"{PUBLIC}:latest", f"docker.io/library/redis@{DIGEST}", ""],
)
def test_a_sidecar_is_of_a_known_publisher_by_its_digest(commit: Commit, image: str) -> None:
    """attack C16: a second container brings the code that no test has seen."""
    given = {"containerDefinitions": [{"name": "helper", "image": image}]}
    assert "the image of helper is not one of" in commit.fill({"taskdef.json": json.dumps(given)})


HELPER = {"name": "helper", "image": f"{PUBLIC}@{DIGEST}"}


@pytest.mark.parametrize("field", ["privileged", "user", "secrets", "linuxParameters", "mountPoints"])
def test_a_sidecar_sets_no_limit_of_its_own(commit: Commit, field: str) -> None:
    """attack C17: the second container is the one with privileges."""
    given = {"containerDefinitions": [{**HELPER, field: True}]}
    refused = commit.fill({"taskdef.json": json.dumps(given)})
    assert refused.startswith(f"taskdef.json: helper.{field} is the platform's")


def test_a_sidecar_has_the_limits_of_the_platform(commit: Commit) -> None:
    """attack C17: the second container is the one that may write and keep every capability."""
    assert commit.fill({"taskdef.json": json.dumps({"containerDefinitions": [HELPER]})}) == ""
    sidecar = commit.task["containerDefinitions"][1]
    assert sidecar["readonlyRootFilesystem"] is True
    assert sidecar["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}}


def appspec(change: tuple[str, str]) -> str:
    """Return the platform's appspec.yaml with a change."""
    text = (PROJECT / "appspec.yaml").read_text()
    assert change[0] in text
    return text.replace(*change)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("Hooks:", "X:"), "X:"),
        (('  - AfterAllowTestTraffic: "${TEST_TRAFFIC_HOOK}"\n', ""), "- AfterAllowTestTraffic"),
        (("ContainerName: app", "ContainerName: helper"), "ContainerName: helper"),
    ],
)
def test_a_commit_takes_no_hook_out(commit: Commit, change: tuple[str, str], line: str) -> None:
    """attack C12: appspec.yaml without the function that tests the new version."""
    refused = commit.fill({"appspec.yaml": appspec(change)})
    assert refused.startswith(
        f"appspec.yaml of the commit is not read, and differs from the platform's in `{line}"
    )


@pytest.mark.parametrize("name", ["buildspec.yml", "buildspec-image.yml"])
def test_a_commit_brings_no_buildspec(commit: Commit, name: str) -> None:
    """attack C2: a build without tests, and without a scan."""
    refused = commit.fill({name: "version: 0.2"})
    assert refused == f"{name} of the commit is not read, the platform's is: remove it from the commit"


def test_a_variable_of_the_build_is_not_written_into_the_task(commit: Commit) -> None:
    """attack C18: `${NAME}` in a value would be replaced by what only the build knows."""
    stolen = {"name": "STOLEN", "value": "${AWS_CONTAINER_CREDENTIALS_RELATIVE_URI}"}
    refused = commit.fill_task(environment=[stolen])
    assert refused == "taskdef.json: app.environment[STOLEN] is no text: write the value itself"


@pytest.mark.parametrize(
    "variables",
    [7, None, "PORT", {"name": "A", "value": "b"}, [7], [{"name": "A"}], [{"name": "A", "value": 7}]],
)
def test_variables_of_another_form_are_refused_in_one_line(commit: Commit, variables: object) -> None:
    """attack C18: a value that the program did not expect."""
    refused = commit.fill_task(environment=variables)
    assert refused.startswith("taskdef.json: app.environment")
    assert "\n" not in refused


def test_a_variable_of_the_platform_is_not_replaced(commit: Commit) -> None:
    """attack C19: another port, where another program answers the health check."""
    refused = commit.fill_task(environment=[{"name": "PORT", "value": "9090"}])
    assert refused.startswith("taskdef.json: app.environment[PORT] is the platform's")


def test_a_file_of_the_commit_is_not_taken_for_one_of_the_release(commit: Commit) -> None:
    """attack C20: a task definition for prod, and the image of somebody else, lie ready in the commit."""
    prepared = {"taskdef-prod.json": "{}", "appspec-prod.yaml": "", "imageDetail.json": '{"ImageURI": "x"}'}
    assert commit.fill(prepared) == ""
    assert sorted(path.name for path in commit.folder.iterdir()) == ["appspec.yaml", "taskdef.json"]


BOMBS = {
    "deep": "[" * 60_000,
    "deep object": '{"a":' * 10_000,
    "deep value": json.dumps({"containerDefinitions": [{"name": "app", "environment": []}]})[:-5]
    + "[" * 9_000
    + "]" * 9_000
    + "}]}",
    "long": json.dumps({"family": "x" * 70_000}),
    "no text": "\x00\xff",
    "long number": '{"cpu": ' + "9" * 5_000 + "}",
    "long digits": json.dumps({"cpu": "9" * 5_000}),
    "other digits": json.dumps({"cpu": "²"}),
    "infinite": '{"cpu": Infinity}',
    "null": "null",
    "wide": json.dumps({"containerDefinitions": [{}] * 20_000}),
    "aliases": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("name", ["taskdef.json", "appspec.yaml"])
def test_a_bomb_in_a_release_file_is_refused_in_one_line(commit: Commit, name: str, text: str) -> None:
    """attack C24: a file that takes all memory or all time of the build, or fails it without a reason."""
    refused = commit.fill({name: text})
    assert refused.startswith(name)
    assert "\n" not in refused
    assert len(refused) < 1000


@pytest.mark.parametrize("name", ["taskdef.json", "appspec.yaml"])
@pytest.mark.parametrize("target", ["/dev/zero", "/proc/self/environ", "nowhere"])
def test_a_link_in_place_of_a_release_file_is_refused(commit: Commit, name: str, target: str) -> None:
    """attack C25: a link to a device that never ends, or to what only the build may read."""
    (commit.folder / name).symlink_to(target)
    assert commit.fill({}) == f"{name} is no file of at most 65536 bytes: write it anew"


def test_what_a_service_decides_is_released(commit: Commit) -> None:
    """attack C13: the refusals do not stop a service that keeps to its part."""
    colour = {"name": "COLOUR", "value": "red"}
    given = {
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "app", "environment": [colour], "stopTimeout": 90}],
    }
    assert commit.fill({"taskdef.json": json.dumps(given)}) == ""
    (app,) = commit.task["containerDefinitions"]
    assert (commit.task["cpu"], commit.task["memory"], app["stopTimeout"]) == ("256", "512", 90)
    assert app["environment"] == [{"name": "PORT", "value": "8080"}, colour]
    assert (app["user"], app["readonlyRootFilesystem"]) == ("10001:10001", True)
