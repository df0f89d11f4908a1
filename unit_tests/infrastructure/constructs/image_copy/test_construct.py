"""The project that copies images: what it may do, and what it runs."""

from __future__ import annotations

import json

from unit_tests.infrastructure.synthesized import PROJECT, Templates, plain, role, statements

NAME = "promotion-dev"


def test_only_an_environment_that_promotes_has_the_project(templates: Templates) -> None:
    names = [each.properties["Name"] for each in templates.resources("AWS::CodeBuild::Project")]
    assert sorted(names) == ["build-dev", "test-dev"]


def test_it_runs_the_program_and_leaves_the_image_of_the_copy(shared: Templates) -> None:
    project = shared.only("AWS::CodeBuild::Project", Name=NAME).properties
    spec = json.loads(plain(project["Source"]["BuildSpec"]))
    (command,) = spec["phases"]["build"]["commands"]
    program = PROJECT / "infrastructure/constructs/image_copy/copy_image.py"
    assert command == f"python - <<'PROGRAM'\n{program.read_text('utf-8')}PROGRAM\n"
    assert spec["artifacts"]["files"] == ["imageDetail.json"]
    assert project["Environment"]["PrivilegedMode"] is False


def test_it_may_pull_from_its_own_repository_and_push_to_those_of_the_promotions(shared: Templates) -> None:
    may = {each["Sid"]: each for each in statements(role(shared, "promotion-role-dev"))}
    assert may["PullTheImage"]["Action"] == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    (own,) = may["PullTheImage"]["Resource"]
    assert "Images" in own
    assert may["PushTheCopy"]["Resource"] == [
        "arn:aws:ecr:us-east-1:222222222222:repository/images-staging",
        "arn:aws:ecr:us-east-1:333333333333:repository/images-prod",
    ]
    assert "ecr:PutImage" in may["PushTheCopy"]["Action"]
    assert "ecr:BatchDeleteImage" not in json.dumps(list(may.values()))
