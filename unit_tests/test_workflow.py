"""The workflows as GitHub reads them: who gets to AWS, who may write to the repository, and how."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.credentials import DESTROY_MINUTES, RUN_MINUTES

PROJECT = Path(__file__).resolve().parents[1]
SOURCE = PROJECT / "lib/ci-cd.yml"
WORKFLOW: dict[Any, Any] = yaml.safe_load(SOURCE.read_text("utf-8"))
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
RELEASE: dict[Any, Any] = yaml.safe_load((PROJECT / ".github/workflows/release.yml").read_text("utf-8"))
SETUP_MINUTES = 10
DEPLOYS = {"deploy-dev": "dev", "deploy-staging": "staging", "deploy-prod": "prod"}


def steps(job: str) -> list[dict[str, Any]]:
    return list(JOBS[job]["steps"])


def all_steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_github_reads_the_same_workflow_from_its_own_folder() -> None:
    """GitHub does not follow a symbolic link there (https://github.com/actions/runner/issues/1420)."""
    copy = PROJECT / ".github/workflows/ci-cd.yml"
    assert not copy.is_symlink()
    assert copy.read_bytes() == SOURCE.read_bytes(), "run: cp lib/ci-cd.yml .github/workflows/ci-cd.yml"


def test_every_action_is_pinned_by_commit_and_everywhere_by_the_same() -> None:
    files = sorted((PROJECT / ".github/workflows").glob("*.yml"))
    assert [path.name for path in files] == ["ci-cd.yml", "release.yml"]
    used = {name for path in files for name in re.findall(r"uses: (.*)", path.read_text("utf-8"))}
    assert used
    assert not [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", name)]
    assert len({name.partition("@")[0] for name in used}) == len(used), "one action, two commits"


def test_only_the_jobs_that_go_to_aws_may_ask_for_a_token() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    asking = {name for name, job in JOBS.items() if "id-token" in job.get("permissions", {})}
    going = {name for name in JOBS if "configure-aws-credentials" in json.dumps(steps(name))}
    assert asking == going == {*DEPLOYS, "live"}


def test_a_pull_request_is_checked_tested_and_synthesized_and_goes_no_further() -> None:
    # YAML 1.1 reads `on` as true.
    assert set(WORKFLOW[True]) == {"pull_request", "push", "workflow_dispatch"}
    ran = {name for name, job in JOBS.items() if job.get("if") == "github.event_name != 'workflow_dispatch'"}
    assert ran == {"check", "test", "synth"}
    assert JOBS["deploy-dev"]["if"] == "github.event_name == 'push' && github.ref == 'refs/heads/main'"
    assert JOBS["live"]["if"] == "github.event_name == 'workflow_dispatch'"


def test_each_environment_is_deployed_after_the_one_before() -> None:
    assert JOBS["deploy-dev"]["needs"] == ["check", "test", "synth"]
    assert JOBS["deploy-staging"]["needs"] == ["synth", "deploy-dev"]
    assert JOBS["deploy-prod"]["needs"] == ["synth", "deploy-staging"]


@pytest.mark.parametrize(("name", "environment"), DEPLOYS.items())
def test_an_environment_is_deployed_with_its_own_role_and_behind_its_own_gate(
    name: str, environment: str
) -> None:
    # GitHub's token names the branch for dev, and the GitHub environment for the others.
    assert JOBS[name].get("environment") == (None if environment == "dev" else environment)
    assert JOBS[name]["concurrency"] == {"group": f"deploy-{environment}", "cancel-in-progress": False}
    (role,) = [step["with"]["role-to-assume"] for step in steps(name) if "role-to-assume" in str(step)]
    assert role.endswith(f":role/github-role-{environment}")


@pytest.mark.parametrize(("name", "environment"), DEPLOYS.items())
def test_what_is_deployed_was_checked_and_its_listeners_are_checked_afterwards(
    name: str, environment: str
) -> None:
    """pitfalls C1, C5, C11; the shell of GitHub ends at the first command that fails."""
    _, *commands = steps(name)[-1]["run"].splitlines()
    assert commands == [
        f"python -m operations immutable {environment} --templates assemblies/{environment}",
        f"cdk deploy --app assemblies/{environment} --require-approval never --no-notices",
        f"python -m operations drift {environment} --wait 30",
    ]


def test_the_job_that_synthesizes_can_ask_for_no_token_and_passes_on_one_artifact() -> None:
    """Its id names it: whoever else uploads an artifact of the same name uploads another one."""
    assert "permissions" not in JOBS["synth"]
    assert JOBS["synth"]["outputs"] == {"assemblies": "${{ steps.assemblies.outputs.artifact-id }}"}
    *_, commands, upload = steps("synth")
    assert set(re.search(r"for suffix in (.+);", commands["run"])[1].split()) == set(DEPLOYS.values())  # type: ignore[index]
    assert (upload["id"], upload["with"]["path"]) == ("assemblies", "assemblies")
    # Without it, upload-artifact leaves out the .dockerignore of the first commit.
    assert upload["with"]["include-hidden-files"] is True


@pytest.mark.parametrize("name", DEPLOYS)
def test_a_job_that_deploys_synthesizes_nothing_and_gets_the_assembly_of_its_run(name: str) -> None:
    assert "synth" in JOBS[name]["needs"]
    download = steps(name)[1]
    assert download["uses"].startswith("actions/download-artifact@")
    assert download["with"] == {
        "artifact-ids": "${{ needs.synth.outputs.assemblies }}",
        "path": "assemblies",
    }
    commands = "\n".join(step.get("run", "") for step in steps(name))
    assert not re.search(r"synth|make |app\.py|-m tools", commands)


@pytest.mark.parametrize("name", DEPLOYS)
def test_nothing_runs_as_it_is_installed_where_a_token_can_be_asked_for(name: str) -> None:
    assert steps(name)[2]["run"].splitlines() == [
        "python3 -m venv .venv",
        'export PATH="$PWD/.venv/bin:$PATH"',
        "pip install --require-hashes --only-binary :all: --no-deps -r requirements/deploy.txt",
        "npm ci --ignore-scripts",
    ]


def test_a_deployment_installs_the_versions_that_were_tested() -> None:
    """And none but those that `operations` imports, and npm."""
    pins = {
        lock: set(re.findall(r"^(\S+==\S+)", (PROJECT / f"requirements/{lock}.txt").read_text("utf-8"), re.M))
        for lock in ("deploy", "dev")
    }
    assert pins["deploy"] <= pins["dev"]
    assert len(pins["deploy"]) < 20


def test_a_run_on_aws_has_the_time_to_destroy() -> None:
    run, destroy, _ = steps("live")[-3:]
    limit = float(re.search(r"--time-limit (\d+)", run["run"])[1])  # type: ignore[index]
    assert limit >= RUN_MINUTES
    assert limit + DESTROY_MINUTES <= run["timeout-minutes"]
    job = JOBS["live"]["timeout-minutes"]
    assert run["timeout-minutes"] + destroy["timeout-minutes"] + SETUP_MINUTES <= job
    assert destroy["timeout-minutes"] >= DESTROY_MINUTES
    (role,) = [step["with"] for step in steps("live") if "role-to-assume" in str(step)]
    assert role["role-duration-seconds"] >= 60 * job


def test_an_environment_on_aws_is_destroyed_whatever_happens_to_its_run() -> None:
    run, destroy, upload = steps("live")[-3:]
    assert destroy["run"].splitlines()[-1] == 'python -m operations destroy "$SUFFIX"'
    assert (destroy["if"], upload["if"]) == ("always()", "always()")
    assert destroy["env"] == run["env"]


def test_others_code_is_installed_before_there_are_credentials() -> None:
    for name in (*DEPLOYS, "live"):
        setup, credentials = (
            next(n for n, step in enumerate(steps(name)) if re.search(text, json.dumps(step)))
            for text in ("make setup|npm ci", "configure-aws-credentials")
        )
        assert setup < credentials


def test_nothing_that_a_caller_writes_becomes_a_command() -> None:
    commands = [step["run"] for one in (WORKFLOW, RELEASE) for step in all_steps(one) if "run" in step]
    expressions = {found for command in commands for found in re.findall(r"\${{\s*(.+?)\s*}}", command)}
    assert not expressions


def test_no_job_leaves_its_token_in_the_checkout_or_reads_a_secret() -> None:
    for workflow in (WORKFLOW, RELEASE):
        checkouts = [step for step in all_steps(workflow) if "checkout" in step.get("uses", "")]
        assert len(checkouts) == len(workflow["jobs"])
        assert all(step["with"] == {"persist-credentials": False} for step in checkouts)
        assert "secrets." not in json.dumps(workflow, default=str)


def test_a_release_is_made_of_a_tag_whose_commit_was_checked_and_tested() -> None:
    assert RELEASE[True] == {"push": {"tags": ["v*"]}}
    jobs = RELEASE["jobs"]
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "version": None,
        "check": "version",
        "test": "version",
        "sbom": "version",
        "release": ["check", "test", "sbom"],
    }
    ran = {name: job["steps"][-1]["run"] for name, job in jobs.items() if name != "sbom"}
    assert ran["check"] == "make check"
    assert ran["test"] == steps("test")[-1]["run"]
    for name in ("version", "release"):
        assert 'tools.release_notes "$GITHUB_REF_NAME"' in ran[name]


def test_only_the_job_that_makes_the_release_may_write_and_it_installs_nothing() -> None:
    assert RELEASE["permissions"] == {"contents": "read"}
    may = {name: job["permissions"] for name, job in RELEASE["jobs"].items() if "permissions" in job}
    assert may == {"release": {"contents": "write"}}
    holding = {name for name, job in RELEASE["jobs"].items() if "github.token" in json.dumps(job)}
    assert holding == {"release"}
    commands = RELEASE["jobs"]["release"]["steps"][-1]["run"].splitlines()
    assert [command.split()[0] for command in commands] == ["python3", "gh"]


def test_a_release_has_the_files_that_list_what_is_installed() -> None:
    _, made, uploaded = RELEASE["jobs"]["sbom"]["steps"]
    assert made["run"] == "make sbom"
    assert uploaded["with"] == {"name": "sbom", "path": "sbom/*.cdx.json", "if-no-files-found": "error"}
    _, downloaded, released = RELEASE["jobs"]["release"]["steps"]
    assert downloaded["with"] == {"name": "sbom", "path": "sbom"}
    assert released["run"].rstrip().endswith(" sbom/*.cdx.json")
