"""Attacks on main of an environment that asks for approvals: `operations protect` has run."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.suffixes import random_suffix
from integration_tests.attacks.people import Person, role
from operations.protection import Protection, protect

pytestmark = pytest.mark.local_only("it creates people with roles")


@dataclass(frozen=True)
class Team:
    """A protected repository, its author and a colleague, who have the developers' policy."""

    protection: Protection
    author: Person
    colleague: Person
    clone: Path

    @property
    def repository(self) -> str:
        """The name of the repository."""
        return self.protection.names.repository

    def tip(self, branch: str = "main") -> str:
        """Return the commit of a branch."""
        found = self.protection.account.client("codecommit").get_branch(
            repositoryName=self.repository, branchName=branch
        )
        return str(found["branch"]["commitId"])

    def commit(self, branch: str) -> str:
        """Commit a change on a branch of the clone; return the commit."""
        self.author.git(self.clone, "checkout", "-q", "-B", branch, "origin/main")
        (self.clone / "app.py").write_text(f"# {branch} {random_suffix('x')}\n")
        self.author.git(self.clone, "add", ".")
        done = self.author.git(self.clone, "commit", "-q", "-m", f"Change on {branch}")
        assert done.returncode == 0, done.stderr
        return self.author.git(self.clone, "rev-parse", "HEAD").stdout.strip()


@pytest.fixture(scope="module")
def team(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A repository with a first commit on main, protected by one approval."""
    suffix = random_suffix("atk")
    protection = Protection(suffix, cloud.account)
    # As the deployed stack would have it.
    protection.__dict__["settings"] = {"requiredApprovals": "1"}
    codecommit, name = cloud.client("codecommit"), protection.names.repository
    url = codecommit.create_repository(repositoryName=name)["repositoryMetadata"]["cloneUrlHttp"]
    codecommit.put_file(repositoryName=name, branchName="main", filePath="app.py", fileContent=b"# 1\n")
    with role(cloud, f"developers-{suffix}") as developers:
        protect(protection, print, role=developers)
        author, colleague = (Person(cloud, developers, name) for name in ("author", "colleague"))
        folder = tmp_path_factory.mktemp("team")
        done = author.git(folder, "clone", "-q", url, "clone")
        assert done.returncode == 0, done.stderr
        yield Team(protection, author, colleague, folder / "clone")
    codecommit.delete_repository(repositoryName=name)
    codecommit.delete_approval_rule_template(approvalRuleTemplateName=protection.rule_name)


def pull_request(team: Team, branch: str) -> dict[str, Any]:
    """Push a change to a branch and open a pull request, as the author."""
    team.commit(branch)
    done = team.author.git(team.clone, "push", "-q", "origin", branch)
    assert done.returncode == 0, done.stderr
    target = {"repositoryName": team.repository, "sourceReference": branch, "destinationReference": "main"}
    opened = team.author.client("codecommit").create_pull_request(title=branch, targets=[target])
    found: dict[str, Any] = opened["pullRequest"]
    return found


def approve(person: Person, opened: dict[str, Any]) -> None:
    """Approve the current revision of a pull request."""
    codecommit, number = person.client("codecommit"), opened["pullRequestId"]
    revision = codecommit.get_pull_request(pullRequestId=number)["pullRequest"]["revisionId"]
    codecommit.update_pull_request_approval_state(
        pullRequestId=number, revisionId=revision, approvalState="APPROVE"
    )


def merge(person: Person, team: Team, opened: dict[str, Any]) -> None:
    """Merge a pull request."""
    person.client("codecommit").merge_pull_request_by_fast_forward(
        pullRequestId=opened["pullRequestId"], repositoryName=team.repository
    )


@pytest.mark.parametrize("words", [("main",), ("--force", "main"), ("topic:main",), (":main",)])
def test_a_push_to_main_is_denied(team: Team, words: tuple[str, ...]) -> None:
    """attack G7: a developer pushes to main, also with --force, from another branch, or to delete it."""
    before = team.tip()
    team.commit("main")
    team.author.git(team.clone, "commit", "-q", "--amend", "--allow-empty", "-m", "Rewritten")
    team.author.git(team.clone, "branch", "-f", "topic")
    done = team.author.git(team.clone, "push", "origin", *words)
    assert done.returncode != 0
    assert "[remote rejected]" in done.stderr
    assert "is not authorized to perform: codecommit:GitPush" in done.stderr
    assert "with an explicit deny" in done.stderr
    assert team.tip() == before


def test_a_push_of_several_branches_with_main_changes_none(team: Team) -> None:
    """attack G8: a developer hides main behind another branch of the same push."""
    before = team.tip()
    team.commit("main")
    team.author.git(team.clone, "branch", "-f", "beside")
    done = team.author.git(team.clone, "push", "origin", "beside", "main")
    assert "main -> main" in done.stderr
    assert "explicit deny" in done.stderr
    assert team.tip() == before
    branches = team.author.client("codecommit").list_branches(repositoryName=team.repository)["branches"]
    assert "beside" not in branches


def test_main_cannot_be_changed_by_the_api(team: Team) -> None:
    """attack G9: a developer changes main without git: a file, a commit, a merge of branches."""
    team.commit("api")
    team.author.git(team.clone, "push", "-q", "origin", "api")
    codecommit, tip = team.author.client("codecommit"), team.tip()
    where = {"repositoryName": team.repository, "branchName": "main", "parentCommitId": tip}
    attempts: list[Callable[[], object]] = [
        lambda: codecommit.put_file(**where, filePath="app.py", fileContent=b"# evil\n"),
        lambda: codecommit.delete_file(**where, filePath="app.py"),
        lambda: codecommit.create_commit(**where, putFiles=[{"filePath": "a", "fileContent": b"1"}]),
        lambda: codecommit.merge_branches_by_fast_forward(
            repositoryName=team.repository,
            sourceCommitSpecifier="api",
            destinationCommitSpecifier="main",
            targetBranch="main",
        ),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError, match="with an explicit deny"):
            attempt()
    assert team.tip() == tip


def test_an_author_cannot_approve_or_merge_alone(team: Team) -> None:
    """attack G10: an author merges a pull request that nobody approved, and then approves it."""
    opened, before = pull_request(team, "alone"), team.tip()
    with pytest.raises(ClientError, match="approval rules are not satisfied: approvals-"):
        merge(team.author, team, opened)
    with pytest.raises(ClientError, match="PullRequestCannotBeApprovedByAuthorException"):
        approve(team.author, opened)
    with pytest.raises(ClientError, match="approval rules are not satisfied"):
        merge(team.author, team, opened)
    assert team.tip() == before


def test_an_approval_is_for_one_revision(team: Team) -> None:
    """attack G11: an author pushes something else once the colleague has approved."""
    opened, before = pull_request(team, "revised"), team.tip()
    approve(team.colleague, opened)
    (team.clone / "app.py").write_text("# something else\n")
    team.author.git(team.clone, "commit", "-q", "-a", "-m", "Something else")
    assert team.author.git(team.clone, "push", "-q", "origin", "revised").returncode == 0
    with pytest.raises(ClientError, match="approval rules are not satisfied"):
        merge(team.author, team, opened)
    assert team.tip() == before
    approve(team.colleague, opened)
    merge(team.author, team, opened)
    assert team.tip() == team.tip("revised")


def test_the_rule_cannot_be_removed_by_whom_it_binds(team: Team) -> None:
    """attack G12: a developer loosens, removes or overrides the rule, or deletes the repository."""
    opened = pull_request(team, "rule")
    codecommit, rule = team.author.client("codecommit"), team.protection.rule_name
    content = json.dumps({**team.protection.rule(), "DestinationReferences": ["refs/heads/other"]})
    both = {"approvalRuleTemplateName": rule, "repositoryName": team.repository}
    attempts: list[Callable[[], object]] = [
        lambda: codecommit.update_approval_rule_template_content(
            approvalRuleTemplateName=rule, newRuleContent=content
        ),
        lambda: codecommit.disassociate_approval_rule_template_from_repository(**both),
        lambda: codecommit.delete_approval_rule_template(approvalRuleTemplateName=rule),
        lambda: codecommit.override_pull_request_approval_rules(
            pullRequestId=opened["pullRequestId"], revisionId=opened["revisionId"], overrideStatus="OVERRIDE"
        ),
        lambda: codecommit.update_default_branch(repositoryName=team.repository, defaultBranchName="rule"),
        lambda: codecommit.delete_repository(repositoryName=team.repository),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError, match="with an explicit deny"):
            attempt()
