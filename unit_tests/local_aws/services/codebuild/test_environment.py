"""The environment of a build."""

import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.codebuild.environment import (
    BuildFolders,
    aws_variables,
    install_python,
    machine_variables,
    offer_python,
    write_programs,
)
from local_aws.services.codebuild.images import PYTHON_VERSIONS, default_python


@pytest.fixture
def folders(tmp_path: Path) -> BuildFolders:
    folders = BuildFolders(tmp_path / "build")
    folders.create()
    return folders


def run(folders: BuildFolders, *command: str) -> str:
    variables = machine_variables(folders, folders.root / "cache")
    result = subprocess.run(  # noqa: S603 - programs that the test has created
        ["/usr/bin/env", *command],
        env=variables,
        cwd=folders.source,
        capture_output=True,
        text=True,
        check=True,
    )
    return (result.stdout + result.stderr).strip()


def run_failing(folders: BuildFolders, *command: str) -> str:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(folders, *command)
    return str(caught.value.stderr)


def test_only_network_settings_are_inherited_from_this_machine(
    folders: BuildFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the host")
    monkeypatch.setenv("PYTHONPATH", "/of/the/host")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example.com")
    monkeypatch.setenv("https_proxy", "http://proxy.example.com")
    variables = machine_variables(folders, folders.root / "cache")
    assert "of the host" not in variables.values()
    assert "PYTHONPATH" not in variables
    assert variables["PIP_INDEX_URL"] == "https://index.example.com"
    assert variables["https_proxy"] == "http://proxy.example.com"
    assert "127.0.0.1" in variables["no_proxy"]
    assert variables["HOME"] == str(folders.home)


def test_git_finds_no_repository_of_this_machine(folders: BuildFolders, tmp_path: Path) -> None:
    subprocess.run(["/usr/bin/env", "git", "init", "--quiet", str(tmp_path)], check=True)  # noqa: S603 - git
    variables = machine_variables(folders, folders.root / "cache")
    command = ["/usr/bin/env", "git", "rev-parse", "--show-toplevel"]
    found = subprocess.run(command, env=variables, cwd=folders.source, capture_output=True, check=False)  # noqa: S603 - git
    assert b"not a git repository" in found.stderr


def test_only_this_user_can_access_the_folders(folders: BuildFolders) -> None:
    assert folders.root.stat().st_mode & 0o077 == 0
    folders.remove()
    assert not folders.root.exists()


def test_the_aws_cli_uses_the_role_and_the_endpoint(tmp_path: Path) -> None:
    context = Context(tmp_path, "http://127.0.0.1:1", Clock(), "test", lambda *_: None)
    variables = aws_variables(context, {"AWS_SESSION_TOKEN": "t"})
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert {"AWS_SESSION_TOKEN": "t"}.items() <= variables.items()
    assert variables["AWS_REGION"] == "us-east-1"


def test_the_build_has_an_aws_cli(folders: BuildFolders) -> None:
    write_programs(folders)
    assert run(folders, "aws", "--version").startswith("aws-cli/")


def test_options_of_version_2_of_the_cli_are_accepted(folders: BuildFolders) -> None:
    write_programs(folders)
    option = ("--no-cli-pager", "--cli-binary-format", "raw-in-base64-out", "--no-cli-auto-prompt")
    assert run(folders, "aws", *option, "--version").startswith("aws-cli/")
    assert "Found invalid choice 'get-login'" in run_failing(folders, "aws", "ecr", "get-login")


def test_a_build_that_selects_no_runtime_has_a_python_and_a_pip_of_its_own(folders: BuildFolders) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    offer_python(folders, version)
    assert not folders.python.exists()
    assert run(folders, "pip", "--version").endswith(f"(python {version})")
    assert run(folders, "python3", "-c", "import sys; print(sys.prefix)") == str(folders.python)


def test_a_build_that_selects_no_runtime_may_use_no_python(folders: BuildFolders) -> None:
    offer_python(folders, "3.0")
    assert not (folders.programs / "python").exists()


def test_every_image_has_a_default_python() -> None:
    assert all(default_python(image) in versions for image, versions in PYTHON_VERSIONS.items())
    assert default_python("aws/codebuild/amazonlinux2-x86_64-standard:5.0") == "3.11"


def test_the_build_has_its_own_python_and_pip(folders: BuildFolders, tmp_path: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    install_python(folders, version, tmp_path / "templates")
    assert run(folders, "python", "-c", "import sys; print(sys.prefix)") == str(folders.python)
    assert run(folders, "pip", "--version").endswith(f"(python {version})")
    packages = run(folders, "pip", "list", "--format=freeze")
    assert "pytest" not in packages
