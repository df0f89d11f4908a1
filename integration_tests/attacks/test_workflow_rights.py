"""Attacks by what a GitHub job installs and by what it deploys: the job can ask for AWS credentials."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from harness.cloud import PROJECT, Cloud
from operations.cdk_cli import CDK

WORKFLOW = (PROJECT / "lib/ci-cd.yml").read_text("utf-8")
BIN = Path(sys.executable).parent


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """The file that the attacker's code writes."""
    return tmp_path / "marker"


def install_line(program: str) -> list[str]:
    """Return the words of the line with which each job that deploys installs its packages."""
    (line,) = set(re.findall(rf"^ +({program} .*)$", WORKFLOW, re.M))
    return shlex.split(line)


def setup_lines(program: str) -> list[list[str]]:
    """Return the words of the lines of `make setup` with which `program` installs packages."""
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    lines = re.findall(rf"\$\(VENV\)/bin/{program} ((?:ci|pip sync) .*)$", makefile, re.M)
    return [[program, *shlex.split(line.partition("--prefix")[0])] for line in lines]


def run(words: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the workflow in `folder`."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **variables}
    return subprocess.run(  # noqa: S603 - the commands of our own workflow
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def package_with_a_script(folder: Path, marker: Path) -> None:
    """Write a project whose one package has an install script; `package-lock.json` has its hash."""
    evil = {"name": "evil", "version": "1.0.0", "scripts": {"postinstall": f"echo token > {marker}"}}
    (folder / "package").mkdir()
    (folder / "package/package.json").write_text(json.dumps(evil))
    with tarfile.open(folder / "evil-1.0.0.tgz", "w:gz") as archive:
        archive.add(folder / "package", "package")
    mine = {"name": "mine", "private": True, "dependencies": {"evil": "file:evil-1.0.0.tgz"}}
    (folder / "package.json").write_text(json.dumps(mine))
    done = run(["npm", "install", "--package-lock-only", "--offline"], folder)
    assert "evil-1.0.0.tgz" in (folder / "package-lock.json").read_text(), done.stderr


@pytest.mark.local_only("it installs a package of its own")
def test_an_install_script_of_npm_does_not_run(tmp_path: Path, marker: Path) -> None:
    """attack G1: a dependency has a postinstall script, which asks for the job's token."""
    package_with_a_script(tmp_path, marker)
    without_configuration = run(["npm", "ci", "--offline"], tmp_path)
    assert without_configuration.returncode == 0
    assert marker.exists(), "npm runs it unless it is told not to"
    for words in (install_line("npm"), *setup_lines("npm")):
        marker.unlink(missing_ok=True)
        shutil.copy(PROJECT / ".npmrc", tmp_path)
        done = run([*words, "--offline"], tmp_path)
        assert done.returncode == 0, done.stderr
        assert not marker.exists(), words


def distribution_with_a_backend(folder: Path, marker: Path) -> Path:
    """Write a source distribution that brings its own build backend; return the lock file with its hash."""
    source = folder / "evil-1.0"
    source.mkdir()
    backend = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (source / "pyproject.toml").write_text(f'{backend}[project]\nname = "evil"\nversion = "1.0"\n')
    (source / "backend.py").write_text(f"open({str(marker)!r}, 'w').write('token')\n")
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    archive = folder / "index/evil-1.0.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(source, "evil-1.0")
    lock = folder / "lock.txt"
    lock.write_text(f"evil==1.0 --hash=sha256:{sha256(archive.read_bytes()).hexdigest()}\n")
    return lock


@pytest.mark.local_only("it installs a package of its own")
def test_code_that_builds_a_python_package_does_not_run(tmp_path: Path, marker: Path) -> None:
    """attack G2: a new version of a locked package is a source distribution, and its hash is in the lock."""
    lock = distribution_with_a_backend(tmp_path, marker)
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)  # noqa: S603 - our own Python
    pip, python = str(environment / "bin/pip"), str(environment / "bin/python")
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(lock.parent / "index")}
    run([pip, "install", "--require-hashes", "-r", str(lock)], tmp_path, **index)
    assert marker.exists(), "pip builds it unless it is told not to"

    marker.unlink()
    words = [str(lock) if word.endswith(".txt") else word for word in install_line("pip")]
    done = run([pip, *words[1:]], tmp_path, **index)
    assert "No matching distribution found for evil==1.0" in done.stderr
    (sync,) = (words for words in setup_lines("uv") if "requirements/dev.txt" in words)
    made = {"$(PYTHON)": python, "requirements/dev.txt": str(lock)}
    index = {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(lock.parent / "index"), "UV_NO_CACHE": "1"}
    done = run([made.get(word, word) for word in sync], tmp_path, **index)
    assert "has no usable wheels" in done.stderr
    assert not marker.exists()


def assembly_with_a_command(folder: Path, cloud: Cloud, marker: Path) -> Path:
    """Write the assembly of a small stack, whose template is made by a command when it is published."""
    folder.mkdir()
    template = {"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}
    (folder / "made.json").write_text(json.dumps(template))
    command = ["sh", "-c", f"echo $AWS_ACCESS_KEY_ID > {marker}; echo {folder / 'made.json'}"]
    bucket = f"cdk-hnb659fds-assets-{cloud.account.id}-us-east-1"
    target = {"bucketName": bucket, "objectKey": "made.json", "region": "us-east-1"}
    asset = {"source": {"executable": command}, "destinations": {"one": target}}
    assets = {"version": "36.0.0", "files": {"made": asset}}
    (folder / "assets.json").write_text(json.dumps(assets))
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{cloud.account.id}/us-east-1",
        "properties": {"templateFile": "made.json", "stackName": "stack-attacked"},
        "dependencies": ["Assets"],
    }
    artifacts = {
        "Assets": {"type": "cdk:asset-manifest", "properties": {"file": "assets.json"}},
        "Stack": stack,
    }
    (folder / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": artifacts}))
    return folder


@pytest.mark.local_only("it deploys what the attacker wrote")
def test_a_command_in_the_assembly_does_not_run_in_the_job_that_deploys(
    cloud: Cloud, tmp_path: Path, marker: Path
) -> None:
    """attack G3: code that runs at synthesis puts a command into the assembly; `cdk deploy` would run it."""
    folder = assembly_with_a_command(tmp_path / "assembly", cloud, marker)
    bucket = f"cdk-hnb659fds-assets-{cloud.account.id}-us-east-1"
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=bucket)
    deploy = [str(CDK), "deploy", "--app", str(folder), "--require-approval", "never", "--no-notices"]
    done = run(deploy, tmp_path, **cloud.environment)
    assert marker.read_text().strip(), f"the CDK CLI runs it, with credentials\n{done.stderr}"
    check = [sys.executable, "-m", "operations", "immutable", "attacked", "--templates", str(folder)]
    done = run(check, PROJECT, **cloud.environment)
    assert done.returncode == 1
    assert "asset made would run" in done.stderr
    assert "with the credentials of the deployment" in done.stderr
