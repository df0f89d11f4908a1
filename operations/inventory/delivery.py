"""The resources of CodeCommit, CodeBuild, CodeDeploy, CodePipeline and S3."""

from collections.abc import Callable, Iterator, Mapping

from botocore.exceptions import ClientError

from operations.account import Account, batches, code_of
from operations.ownership import Resource, normalize_tags

# BatchGetProjects and BatchGetReportGroups take a hundred.
AT_ONCE = 100


def repositories(account: Account) -> Iterator[Resource]:
    """Yield the CodeCommit repositories."""
    for found in account.pages("codecommit", "list_repositories", "repositories"):
        yield Resource("CodeCommit repository", found["repositoryName"])


def approval_rules(account: Account) -> Iterator[Resource]:
    """Yield the approval rule templates, which `operations protect` creates."""
    for name in account.pages("codecommit", "list_approval_rule_templates", "approvalRuleTemplateNames"):
        yield Resource("approval rule template", name)


def projects(account: Account) -> Iterator[Resource]:
    """Yield the CodeBuild projects."""
    names = list(account.pages("codebuild", "list_projects", "projects"))
    for some in batches(names, AT_ONCE):
        for project in account.client("codebuild").batch_get_projects(names=some)["projects"]:
            yield Resource("CodeBuild project", project["name"], normalize_tags(project.get("tags")))


def report_groups(account: Account) -> Iterator[Resource]:
    """Yield the report groups; CodeBuild creates those that a buildspec names (pitfall F8)."""
    arns = list(account.pages("codebuild", "list_report_groups", "reportGroups"))
    for some in batches(arns, AT_ONCE):
        answer = account.client("codebuild").batch_get_report_groups(reportGroupArns=some)
        for group in answer["reportGroups"]:
            yield Resource("CodeBuild report group", group["name"], normalize_tags(group.get("tags")))


def applications(account: Account) -> Iterator[Resource]:
    """Yield the CodeDeploy applications and their deployment groups."""
    for name in account.pages("codedeploy", "list_applications", "applications"):
        yield Resource("CodeDeploy application", name)
        groups = account.pages(
            "codedeploy", "list_deployment_groups", "deploymentGroups", applicationName=name
        )
        yield from (Resource("CodeDeploy deployment group", group, parents=(name,)) for group in groups)


def pipelines(account: Account) -> Iterator[Resource]:
    """Yield the pipelines."""
    for found in account.pages("codepipeline", "list_pipelines", "pipelines"):
        yield Resource("pipeline", found["name"])


def buckets(account: Account) -> Iterator[Resource]:
    """Yield the buckets; the note says whether one is empty, old versions included."""
    for found in account.pages("s3", "list_buckets", "Buckets"):
        name = found["Name"]
        yield Resource("S3 bucket", name, _bucket_tags(account, name), note=_content(account, name))


def _bucket_tags(account: Account, name: str) -> dict[str, str]:
    try:
        return normalize_tags(account.client("s3").get_bucket_tagging(Bucket=name)["TagSet"])
    except ClientError as error:
        # S3 returns an error instead of an empty list. A bucket may be deleted meanwhile; one whose policy
        # denies access is judged by its name.
        if code_of(error) in ("NoSuchTagSet", "NoSuchBucket", "AccessDenied"):
            return {}
        raise


def _content(account: Account, name: str) -> str:
    try:
        answer = account.client("s3").list_object_versions(Bucket=name, MaxKeys=1)
    except ClientError as error:
        if code_of(error) in ("NoSuchBucket", "AccessDenied"):
            return ""
        raise
    return "holds objects" if answer.get("Versions") or answer.get("DeleteMarkers") else "empty"


KINDS: Mapping[str, Callable[[Account], Iterator[Resource]]] = {
    "CodeCommit repositories": repositories,
    "approval rule templates": approval_rules,
    "CodeBuild projects": projects,
    "CodeBuild report groups": report_groups,
    "CodeDeploy applications": applications,
    "pipelines": pipelines,
    "S3 buckets": buckets,
}
