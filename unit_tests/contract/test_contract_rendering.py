"""How a build fills taskdef.json and appspec.yaml, run as CodeBuild runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from infrastructure.constructs.release_files import fill
from unit_tests.contract.contract_files import ENVIRONMENT, ROOT, Contract
from unit_tests.contract.recorded_build import COMMIT, Build

RENDERED = ("taskdef-staging.json", "taskdef.json")


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a build of a commit without files, with the platform's."""
    platform, commit = tmp_path / "platform", tmp_path / "commit"
    for folder in (platform, commit):
        folder.mkdir()
    for path in (ROOT / "taskdef.json", ROOT / "appspec.yaml", Path(fill.__file__)):
        shutil.copy(path, platform)
    made = Build(commit)
    made.environment["PLATFORM"] = str(platform)
    return made


def written(build: Build) -> list[str]:
    """Return the names of the files of the release."""
    return sorted(path.name for pattern in ("taskdef*", "appspec*") for path in build.folder.glob(pattern))


def test_rendering_fills_every_placeholder_but_the_image(build: Build) -> None:
    assert build.run("fill.py").returncode == 0
    text = (build.folder / "taskdef.json").read_text()
    task = json.loads(text)
    (container,) = task["containerDefinitions"]
    assert "$" not in text
    assert container["image"] == "<IMAGE1_NAME>"
    assert container["dockerLabels"] == {"org.opencontainers.image.revision": COMMIT}
    assert (task["family"], task["cpu"], task["memory"]) == ("task-dev", "256", "512")
    roles = (ENVIRONMENT["TASK_ROLE_ARN"], ENVIRONMENT["EXECUTION_ROLE_ARN"])
    assert (task["taskRoleArn"], task["executionRoleArn"]) == roles
    assert container["portMappings"] == [{"containerPort": 8080, "protocol": "tcp"}]
    assert container["environment"] == [{"name": "PORT", "value": "8080"}]
    assert container["logConfiguration"]["options"]["awslogs-group"] == "/ecs/task-dev"


def test_rendering_names_the_hook_and_leaves_the_task_definition(build: Build) -> None:
    before = Contract.read().appspec
    assert build.run("fill.py").returncode == 0
    appspec = yaml.safe_load((build.folder / "appspec.yaml").read_text())
    assert appspec["Hooks"] == [{"AfterAllowTestTraffic": "test-traffic-hook-dev"}]
    (resource,), (ours,) = appspec["Resources"], before["Resources"]
    service = ours["TargetService"]["Properties"]
    service["LoadBalancerInfo"]["ContainerPort"] = 8080
    assert resource["TargetService"]["Properties"] == service


@pytest.mark.parametrize("missing", Contract.read().placeholders)
@pytest.mark.parametrize("value", [None, ""])
def test_rendering_names_a_missing_variable_and_writes_nothing(
    build: Build, missing: str, value: str | None
) -> None:
    del build.environment[missing]
    if value is not None:
        build.environment[missing] = value
    result = build.run("fill.py")
    assert result.returncode == 1
    assert f"needs '{missing}'" in result.stderr
    assert "Traceback" not in result.stderr
    assert written(build) == []


PROMOTED = {
    "TASK_FAMILY": "task-staging",
    "TASK_ROLE_ARN": "arn:aws:iam::222222222222:role/task-role-staging",
    "EXECUTION_ROLE_ARN": "arn:aws:iam::222222222222:role/execution-role-staging",
    "TASK_LOG_GROUP": "/ecs/task-staging",
    "TASK_CPU": "512",
    "TASK_MEMORY": "1024",
    "TEST_TRAFFIC_HOOK": "test-traffic-hook-staging",
}


def test_each_promotion_gets_a_task_definition_of_its_own_with_the_same_image(build: Build) -> None:
    build.environment["PROMOTE_TO"] = json.dumps({"staging": PROMOTED})
    assert build.run("fill.py").returncode == 0
    task, own = (json.loads((build.folder / name).read_text()) for name in RENDERED)
    (container,) = task["containerDefinitions"]
    assert (task["family"], task["cpu"], task["memory"]) == ("task-staging", "512", "1024")
    assert (task["taskRoleArn"], task["executionRoleArn"]) == (
        PROMOTED["TASK_ROLE_ARN"],
        PROMOTED["EXECUTION_ROLE_ARN"],
    )
    assert container["logConfiguration"]["options"]["awslogs-group"] == "/ecs/task-staging"
    assert container["image"] == own["containerDefinitions"][0]["image"] == "<IMAGE1_NAME>"
    assert container["portMappings"] == [{"containerPort": 8080, "protocol": "tcp"}]
    assert own["family"] == "task-dev"


def test_each_promotion_gets_the_hook_of_its_own_environment(build: Build) -> None:
    build.environment["PROMOTE_TO"] = json.dumps({"staging": PROMOTED})
    assert build.run("fill.py").returncode == 0
    text = [(build.folder / name).read_text() for name in ("appspec-staging.yaml", "appspec.yaml")]
    hooks = [yaml.safe_load(each)["Hooks"] for each in text]
    assert hooks == [
        [{"AfterAllowTestTraffic": "test-traffic-hook-staging"}],
        [{"AfterAllowTestTraffic": "test-traffic-hook-dev"}],
    ]


def stored(suffix: str, *names: str) -> str:
    return json.dumps([{"name": name, "valueFrom": f"/{suffix}/{name}"} for name in names])


def test_secrets_and_parameters_become_secrets_of_the_container_in_each_environment(build: Build) -> None:
    staging = {"TASK_SECRETS": stored("orders-staging", "API_KEY")}
    build.environment |= {
        "TASK_SECRETS": stored("orders-dev", "API_KEY"),
        "TASK_PARAMETERS": stored("orders-dev", "LOG_LEVEL"),
        "PROMOTE_TO": json.dumps({"staging": PROMOTED | staging}),
    }
    assert build.run("fill.py").returncode == 0
    texts = [(build.folder / name).read_text() for name in RENDERED]
    staged, own = (json.loads(text)["containerDefinitions"][0]["secrets"] for text in texts)
    assert own == json.loads(stored("orders-dev", "API_KEY", "LOG_LEVEL"))
    assert staged[0] == {"name": "API_KEY", "valueFrom": "/orders-staging/API_KEY"}


def test_a_commit_may_not_give_a_secret_another_value(build: Build) -> None:
    build.environment["TASK_SECRETS"] = stored("orders-dev", "API_KEY")
    own = {"name": "app", "environment": [{"name": "API_KEY", "value": "mine"}]}
    (build.folder / "taskdef.json").write_text(json.dumps({"containerDefinitions": [own]}))
    result = build.run("fill.py")
    assert result.returncode == 1
    assert "app.environment[API_KEY] is the platform's" in result.stderr


def test_without_a_promotion_there_is_one_file_of_each_kind(build: Build) -> None:
    assert build.run("fill.py").returncode == 0
    assert written(build) == ["appspec.yaml", "taskdef.json"]


def test_a_missing_variable_leaves_no_partial_task_definitions(build: Build) -> None:
    build.environment["PROMOTE_TO"] = json.dumps({"staging": PROMOTED})
    del build.environment["HEALTH_PATH"]
    assert build.run("fill.py").returncode == 1
    assert written(build) == []
