"""What AWS answers about a promotion that waits for its approval."""

from __future__ import annotations

from datetime import UTC, datetime

from unit_tests.operations.account_fakes import Answer

COMMIT, OTHER = "a" * 40, "b" * 40
DIGEST, OTHER_DIGEST = f"sha256:{'c' * 64}", f"sha256:{'d' * 64}"
# When the pipeline and its project were created, and when the execution ran.
MADE, RAN = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
MARY = "arn:aws:sts::222222222222:assumed-role/approver-role-prod/mary"


def state(status: str = "InProgress") -> Answer:
    latest = {"status": status, "token": "the-token"}
    return {
        "stageStates": [
            {"stageName": "Source", "actionStates": [{"actionName": "Source"}]},
            {
                "stageName": "Promote-prod",
                "latestExecution": {"pipelineExecutionId": "run"},
                "actionStates": [{"actionName": "Approve-prod", "latestExecution": latest}],
            },
        ]
    }


def runs(image: str = f"images-dev@{DIGEST}") -> Answer:
    def run(stage: str, **variables: str) -> dict[str, object]:
        named = {"stageName": stage, "actionName": stage, "startTime": RAN, "pipelineVersion": 3}
        return {**named, "output": {"outputVariables": variables}}

    return {
        "actionExecutionDetails": [
            run("Promote-prod", IMAGE_URI="another"),
            run("Build", IMAGE_URI=image),
            # Of the first attempt, before the stage was retried.
            run("Build", IMAGE_URI=f"images-dev@{OTHER_DIGEST}"),
            run("Source", CommitId=COMMIT),
        ]
    }


def pipeline(version: int = 3, created: datetime = MADE) -> Answer:
    action = {"actionTypeId": {"provider": "CodeBuild"}, "configuration": {"ProjectName": "build-dev"}}
    source = {"actionTypeId": {"provider": "CodeCommit"}, "configuration": {"RepositoryName": "r"}}
    return {
        "pipeline": {"version": version, "stages": [{"actions": [source]}, {"actions": [action]}]},
        "metadata": {"created": created, "updated": created},
    }


def projects(modified: datetime = MADE, buildspec: str = "version: 0.2") -> Answer:
    project = {"name": "build-dev", "source": {"buildspec": buildspec}, "lastModified": modified}
    return {"projects": [project]}


def history(*values: str, by: str = MARY) -> Answer:
    """Return the history of the parameter, in no order."""
    versions = [
        {"Version": number, "Value": value, "LastModifiedUser": by, "LastModifiedDate": RAN}
        for number, value in enumerate(values, 1)
    ]
    return {"Parameters": versions[::-1]}
