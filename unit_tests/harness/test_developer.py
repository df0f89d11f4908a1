"""The developer, with a bare repository on this machine."""

import subprocess
from pathlib import Path

import pytest

from harness.cloud import Cloud, HarnessError
from harness.developer import GREETING, Developer


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Seeder", "-c", "user.email=seeder@example.com"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - a test's own git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A bare repository with a greeting on `main`."""
    bare, seed = tmp_path / "bare", tmp_path / "seed"
    (seed / GREETING).parent.mkdir(parents=True)
    (seed / GREETING).write_text('"""The greeting."""\n\nGREETING = "Hello from the seed"\n')
    (seed / "sample_service/tests").mkdir()
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git(seed, "init", "--quiet", "--initial-branch=main")
    git(seed, "add", "--all")
    git(seed, "commit", "--quiet", "-m", "Seed")
    git(seed, "push", "--quiet", str(bare), "main")
    return bare


@pytest.fixture
def developer(repository: Path, tmp_path: Path) -> Developer:
    cloud = Cloud("local_aws", tmp_path / "cloud", "http://127.0.0.1:9")
    return Developer(cloud, tmp_path / "developer", str(repository))


def test_a_greeting_is_pushed_as_one_commit_to_main(developer: Developer, repository: Path) -> None:
    commit = developer.greet("Hello from a test")
    developer.push()
    assert git(repository, "rev-parse", "main") == commit
    assert 'GREETING = "Hello from a test"' in git(repository, "show", f"main:{GREETING}")
    assert git(repository, "rev-list", "--count", "main") == "2"


def test_a_push_to_another_branch_leaves_main(developer: Developer, repository: Path) -> None:
    before = git(repository, "rev-parse", "main")
    commit = developer.greet("Hello from a branch")
    developer.push("feature")
    assert git(repository, "rev-parse", "feature") == commit
    assert git(repository, "rev-parse", "main") == before


def test_the_callers_git_configuration_is_not_used(
    developer: Developer, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody else")
    developer.greet("Hello")
    assert developer.git("log", "-1", "--format=%an") == "Developer"


def test_the_callers_files_of_git_are_not_used(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".gitconfig").write_text("[user]\n    name = Somebody else\n")
    (home / ".config" / "git" / "ignore").write_text("*\n")
    monkeypatch.setenv("HOME", str(home))
    developer = Developer(Cloud("AWS", tmp_path / "cloud"), tmp_path / "developer", str(repository))
    (developer.clone / "new.txt").write_text("new\n")
    developer.commit("Add a file")
    assert developer.git("log", "-1", "--format=%an", "--name-only").split() == ["Developer", "new.txt"]


def test_a_repository_without_the_greeting_is_an_error(developer: Developer) -> None:
    (developer.clone / GREETING).write_text("")
    with pytest.raises(HarnessError, match="has no line GREETING"):
        developer.greet("Hello")


def test_a_rejected_push_is_an_error_with_gits_message(developer: Developer, repository: Path) -> None:
    hook = repository / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'the branch is locked' >&2\nexit 1\n")
    hook.chmod(0o755)
    developer.greet("Hello")
    with pytest.raises(HarnessError, match="the branch is locked"):
        developer.push()


def test_on_aws_git_uses_codecommits_credential_helper(repository: Path, tmp_path: Path) -> None:
    developer = Developer(Cloud("AWS", tmp_path), tmp_path / "live", str(repository))
    assert developer.git("config", "credential.helper") == "!aws codecommit credential-helper $@"


def test_on_aws_the_credential_helper_finds_the_callers_profiles(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    developer = Developer(Cloud("AWS", tmp_path), tmp_path / "live", str(repository))
    # git runs a helper as it runs this alias: by a shell, with its own environment.
    assert developer.git("-c", "alias.home=!echo ~/.aws", "home") == str(tmp_path / "home" / ".aws")
