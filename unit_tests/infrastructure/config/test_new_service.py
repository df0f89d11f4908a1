"""`make new-service`: the folder that it writes, and the templates of the service."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from infrastructure.config.catalogue import (
    shadowed_environment,
)
from infrastructure.constructs.source import copy_service_seed
from infrastructure.errors import AppError
from local_aws.containers.images.build_context import BuildContext
from tools.__main__ import main
from tools.new_service import changes, new_service
from unit_tests.infrastructure.config.catalogue_entry import ORDERS
from unit_tests.infrastructure.synthesized import PROJECT, Templates, synthesize


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what `make new-service` reads, with a service that it wrote."""
    copy: Path = tmp_path_factory.mktemp("project")
    for name in ("cdk.json", "Dockerfile", ".dockerignore"):
        shutil.copyfile(PROJECT / name, copy / name)
    # Independent of this project's own catalogue.
    settings = json.loads((copy / "cdk.json").read_text())
    settings["context"]["services"] = {"earlier": {"tasks": 1}}
    (copy / "cdk.json").write_text(json.dumps(settings))
    shutil.copytree(PROJECT / "sample_service", copy / "sample_service")
    new_service(copy, "big-orders")
    return copy


def test_the_new_service_is_in_the_catalogue_and_nothing_else_changed(project: Path) -> None:
    written = json.loads((project / "cdk.json").read_text())
    assert written["context"].pop("services") == {
        "earlier": {"tasks": 1},
        "big-orders": {"folder": "services/big-orders"},
    }
    before = json.loads((PROJECT / "cdk.json").read_text())
    before["context"].pop("services", None)
    assert written == before


def test_what_another_application_must_change_is_in_the_copy(project: Path) -> None:
    lines = changes(project / "services/big-orders", "big_orders")
    named = [Path(line.partition(":")[0]) for line in lines if line.startswith(str(project))]
    assert [path.name for path in named] == ["pyproject.toml", "tests", "Dockerfile", "gunicorn.conf.py"]
    assert all(path.exists() for path in named)
    code = project / "services/big-orders"
    assert "big_orders:create_app()" in (code / "Dockerfile").read_text()
    assert "big_orders.logs" in (code / "service/gunicorn.conf.py").read_text()
    assert 'filterwarnings = ["error"]' in (code / "service/pyproject.toml").read_text()


def test_the_image_can_copy_a_package_of_any_name_and_no_tests(project: Path) -> None:
    """A Django project has two: the image of the second was not found, whatever the Dockerfile said."""
    folder = project / "services/big-orders"
    (folder / "service/mysite").mkdir()
    (folder / "service/mysite/settings.py").touch()
    context = BuildContext(folder, folder / "Dockerfile")
    copied = context.resolve(["service"], "/srv/")
    assert "srv/mysite/settings.py" in copied
    assert "srv/big_orders/__init__.py" in copied
    assert not [path for path in copied if path.startswith("srv/tests")]


def test_no_name_of_the_sample_is_in_the_new_service(project: Path) -> None:
    for path in (project / "services/big-orders").rglob("*"):
        assert "greeter" not in path.name
        if path.is_file():
            assert not {"greeter", "sample_service"} & set(path.read_text().replace("/", " ").split())


def test_the_new_services_own_tests_pass(project: Path) -> None:
    python = PROJECT / ".tools/sample-service/bin/python"
    done = subprocess.run(  # noqa: S603 - the service's own Python
        [python, "-m", "pytest", "service", "-q", "-p", "no:cacheprovider"],
        cwd=project / "services/big-orders",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_its_repository_is_seeded_with_its_folder(project: Path, tmp_path: Path) -> None:
    copy_service_seed(project / "services/big-orders", tmp_path / "seed")
    assert (tmp_path / "seed/service/big_orders/__init__.py").is_file()
    assert "big_orders:create_app()" in (tmp_path / "seed/Dockerfile").read_text()
    (project / "services/big-orders/Dockerfile").rename(tmp_path / "Dockerfile")
    with pytest.raises(AppError, match=r"Dockerfile is missing"):
        copy_service_seed(project / "services/big-orders", tmp_path / "again")
    (tmp_path / "Dockerfile").rename(project / "services/big-orders/Dockerfile")


def everything(project: Path) -> list[tuple[Path, bytes]]:
    return [(path, path.read_bytes() if path.is_file() else b"") for path in sorted(project.rglob("*"))]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("big-orders", "a service big-orders exists already"),
        ("sample-service", "a service sample-service exists already"),
        ("Orders", "must be 1 to 16 lower-case letters"),
        ("", "must be 1 to 16 lower-case letters"),
        ("a" * 17, "must be 1 to 16 lower-case letters"),
        ("../orders", "must be 1 to 16 lower-case letters"),
        ("class", "a keyword of Python"),
        ("json", "Python's own module json"),
        ("flask", "needs another package flask"),
        ("gunicorn", "needs another package gunicorn"),
        ("pytest", "needs another package pytest"),
        ("py", "needs another package py"),
        ("importlib-metadata", "must be 1 to 16 lower-case letters"),
        ("tests", "a service's folder has another file tests"),
        ("conftest", "a service's folder has another file conftest"),
        ("test-answers", "a service's folder has another file test_answers"),
        ("service", "a service's folder has another file service"),
        ("reports", "a service's folder has another file reports"),
        ("dev", "the environment dev of cdk.json"),
        ("test", "Python's own module test"),
        ("-x", "required: name"),
    ],
)
def test_an_unusable_name_is_rejected_in_one_line_and_writes_nothing(
    project: Path,
    name: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tools.new_service.PROJECT", project)
    before = everything(project)
    try:
        code: object = main(["new-service", name])
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert words in said.err
    assert said.err.count("\n") == 1
    assert everything(project) == before


def test_a_service_may_not_shadow_an_environment_of_the_sample() -> None:
    assert shadowed_environment("prod", ["dev", "prod-eu"]) == "prod-eu", "its name would begin prod-eu, too"
    assert shadowed_environment("pro", ["dev", "prod-eu"]) is None


def test_an_error_midway_leaves_nothing_behind(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    before = everything(project)
    monkeypatch.setattr("tools.new_service.re.sub", full)
    with pytest.raises(OSError, match="No space left"):
        new_service(project, "payments")
    assert everything(project) == before


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Templates:
    """The templates of a service whose folder is in the copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infrastructure.constructs.source.PROJECT", project)
        catalogue = {"orders": {**ORDERS, "folder": "services/big-orders"}}
        return synthesize(
            tmp_path_factory.mktemp("orders.out"), environmentSuffix="orders-dev", services=catalogue
        )


def test_every_setting_of_the_entry_reaches_the_templates(orders: Templates) -> None:
    group = orders.only("AWS::ElasticLoadBalancingV2::TargetGroup", Name="target-group-blue-orders-dev")
    assert (group.properties["Port"], group.properties["HealthCheckPath"]) == (9000, "/ready")
    service = orders.only("AWS::ECS::Service", ServiceName="service-orders-dev")
    assert service.properties["DesiredCount"] == 4
    (task,) = orders.resources("AWS::ECS::TaskDefinition")
    assert (task.properties["Cpu"], task.properties["Memory"]) == ("512", "1024")
    project = orders.only("AWS::CodeBuild::Project", Name="build-orders-dev")
    given = project.properties["Environment"]["EnvironmentVariables"]
    variables = {one["Name"]: one["Value"] for one in given}
    assert json.loads(variables["TASK_ENVIRONMENT"]) == [{"name": "COLOUR", "value": "red"}]
    assert (variables["CONTAINER_PORT"], variables["HEALTH_PATH"]) == ("9000", "/ready")
    role = orders.only("AWS::IAM::Role", RoleName="task-role-orders-dev")
    (policy,) = role.properties["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("s3:GetObject", "arn:aws:s3:::orders/*")


def test_it_has_the_samples_resources_and_none_of_its_names(orders: Templates, templates: Templates) -> None:
    kinds = [sorted(one.type for one in found.resources()) for found in (orders, templates)]
    assert kinds[0] == kinds[1]
    text = json.dumps(orders.by_part).replace("requirements-dev.txt", "")
    assert "-dev" not in text.replace("orders-dev", "")
