"""The IAM action and the resources of an operation.

Actions and ARN formats are those of https://docs.aws.amazon.com/service-authorization/latest/reference/ . An
operation without a rule is evaluated on `*`: only a statement for all resources allows it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from local_aws.iam.request_parser import Call

EVERYTHING = "*"

# Operations whose action has another name.
ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "sns:PublishBatch": "sns:Publish",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}


@dataclass(frozen=True)
class Rule:
    """The resource of a service's `operations`, by default of all that have the template's parameters.

    In the template, `{name}` is a parameter, and `{name|last}` is a parameter with a filter. An ARN
    as a value replaces the template; a parameter with several values yields several resources.
    """

    template: str
    operations: frozenset[str] = frozenset()


def _rule(template: str, *operations: str) -> Rule:
    return Rule(template, frozenset(operations))


RULES: dict[str, tuple[Rule, ...]] = {
    # The id of a target is its own, which no request has.
    "application-autoscaling": (
        _rule("*", "Describe*"),
        _rule("scalable-target/*"),
    ),
    "codecommit": (
        _rule("{repositoryName}"),
        _rule("{repositoryNames}"),
        _rule("{resourceArn}"),
        _rule("{targets}", "CreatePullRequest"),
        _rule("{oldName}", "UpdateRepositoryName"),
        _rule("{pullRequestId|pullrequest}"),
    ),
    "codebuild": (
        _rule("project/{projectName}"),
        _rule("project/{ids|build}", "BatchGetBuilds", "BatchDeleteBuilds"),
        _rule("project/{id|build}", "StopBuild", "RetryBuild"),
        _rule("project/{names}", "BatchGetProjects"),
        _rule("report-group/{name}", "CreateReportGroup"),
        _rule("project/{name}", "CreateProject", "UpdateProject", "DeleteProject"),
        _rule("{reportGroupArn}"),
        _rule("{reportGroupArns}"),
        _rule("{arn}", "UpdateReportGroup", "DeleteReportGroup"),
    ),
    "codepipeline": (
        _rule("{pipelineName}/{stageName}/{actionName}"),
        _rule("{pipelineName}/{stageName}"),
        _rule("{pipelineName}"),
        _rule("{pipeline.name}"),
        _rule("{name}"),
        _rule("{resourceArn}"),
    ),
    "codedeploy": (
        _rule("application:{applicationName}", "RegisterApplicationRevision", "GetApplicationRevision"),
        _rule("deploymentgroup:{applicationName}/{deploymentGroupName}"),
        _rule("deploymentgroup:{applicationName}/{currentDeploymentGroupName}"),
        # https://docs.aws.amazon.com/codedeploy/latest/userguide/auth-and-access-control-permissions-reference.html
        _rule(
            "deploymentgroup:{deploymentId|deployment}",
            *(
                "GetDeployment",
                "StopDeployment",
                "ContinueDeployment",
                "PutLifecycleEventHookExecutionStatus",
            ),
        ),
        _rule("deploymentgroup:{deploymentIds|deployment}", "BatchGetDeployments"),
        _rule("application:{applicationName}"),
        _rule("application:{applicationNames}"),
        _rule("deploymentconfig:{deploymentConfigName}"),
        _rule("{ResourceArn}"),
    ),
    "ec2": (_rule("security-group/{GroupId}", "*SecurityGroupIngress", "*SecurityGroupEgress"),),
    "ecs": (
        _rule("task-definition/{family}:*", "RegisterTaskDefinition"),
        _rule("task-set/{cluster|last}/{service|last}/*", "CreateTaskSet"),
        _rule("task-set/{cluster|last}/{service|last}/{taskSet|last}"),
        _rule("task-set/{cluster|last}/{service|last}/{taskSets|last}"),
        _rule("service/{cluster|last}/{services|last}"),
        _rule("service/{cluster|last}/{service|last}", "UpdateService", "DeleteService"),
        _rule("service/{cluster|last}/{service|last}", "UpdateServicePrimaryTaskSet"),
        _rule("service/{cluster|last}/{serviceName}", "CreateService"),
        _rule("task-definition/{taskDefinition|revision}", "RunTask", "StartTask"),
        _rule("task/{cluster|last}/{tasks|last}", "DescribeTasks"),
        _rule("task/{cluster|last}/{task|last}", "StopTask"),
        _rule("cluster/{clusters|last}", "DescribeClusters"),
        _rule("cluster/{clusterName}", "CreateCluster"),
        _rule("cluster/{cluster|last}", "UpdateCluster", "DeleteCluster"),
        _rule("{resourceArn}"),
    ),
    "ecr": (
        _rule("repository/{repositoryName}"),
        _rule("repository/{repositoryNames}"),
        _rule("repository/*", "DescribeRepositories"),
        _rule("{resourceArn}"),
    ),
    "elasticloadbalancing": (
        _rule("*", "Describe*"),
        _rule("{RuleArn}"),
        _rule("{ListenerArn}"),
        _rule("{TargetGroupArn}"),
        _rule("{LoadBalancerArn}"),
        _rule("{ResourceArns}"),
    ),
    "logs": (
        _rule("log-group:{logGroupName}:log-stream:{logStreamName}"),
        _rule("log-group:{logGroupName}:log-stream:"),
        _rule("log-group::log-stream:", "DescribeLogGroups"),
        _rule("{resourceArn}", "*Tag*"),
    ),
    "kms": (_rule("{KeyId|key}"),),
    "ssm": (
        _rule("parameter{Name|parameter}", "*Parameter*"),
        _rule("parameter{Names|parameter}", "*Parameters"),
        # Of the types of resources that have tags, only parameters are used here.
        _rule("parameter{ResourceId|parameter}", "*Tags*"),
    ),
    "sns": (
        _rule("{TopicArn}"),
        _rule("{TargetArn}"),
        _rule("{Name}", "CreateTopic"),
        _rule("{ResourceArn}"),
    ),
    "sqs": (_rule("{QueueUrl|last}"), _rule("{QueueName}", "CreateQueue", "GetQueueUrl")),
    "events": (
        _rule("event-bus/{Entries|bus}", "PutEvents"),
        _rule("rule/{Rule}", "*Targets*"),
        _rule("rule/{Name}", "*Rule*"),
        _rule("{ResourceARN}", "*Tag*"),
    ),
    "lambda": (
        _rule("function:{FunctionName|function}", "*Function*", "Invoke*", "*Permission", "GetPolicy"),
    ),
    # DescribeAlarms needs permission for all alarms, whichever it names.
    "cloudwatch": (_rule("alarm:*", "DescribeAlarms"), _rule("alarm:{AlarmName}"), _rule("{ResourceARN}")),
    "iam": (_rule("role/{RoleName}"), _rule("user/{UserName}"), _rule("{PolicyArn}")),
    "sts": (_rule("{RoleArn}"),),
    "cloudformation": (_rule("stack/{StackName|stack}/*"),),
}
# The services whose ARNs have no region.
GLOBAL = frozenset({"iam", "sts"})

_FIELD = re.compile(r"\{(?P<name>[A-Za-z.]+)(?:\|(?P<filter>[a-z]+))?\}")
Filter = Callable[[str], str]


@dataclass(frozen=True)
class ArnScope:
    """The partition, region and account of ARNs; `filters` look up what only the account knows."""

    partition: str
    region: str
    account: str
    filters: Mapping[str, Filter]

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of a service."""
        region = "" if service in GLOBAL else self.region
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"


def action_of(call: Call) -> str:
    """Return the action of an operation."""
    name = f"{call.service}:{call.operation}"
    return ACTIONS.get(name, name)


def resources_of(call: Call, scope: ArnScope) -> list[str]:
    """Return the ARNs of an operation's resources, or `*` if it has none or no rule."""
    if call.service == "ecr" and "registryId" in call.params:
        scope = replace(scope, account=str(call.params["registryId"]))
    for rule in RULES.get(call.service, ()):
        if rule.operations and not any(fnmatchcase(call.operation, name) for name in rule.operations):
            continue
        found = list(dict.fromkeys(_fill(rule.template, call, scope)))
        if found:
            return found
    return [EVERYTHING]


def _fill(template: str, call: Call, scope: ArnScope) -> Iterator[str]:
    """Yield the ARNs of a template, none if a parameter is missing."""
    if template == EVERYTHING:
        yield EVERYTHING
        return
    texts = [template]
    for field in _FIELD.finditer(template):
        values = _values(call.params, field["name"])
        if field["filter"]:
            filters = {**FILTERS, **scope.filters}
            values = [filters[field["filter"]](value) for value in values]
        texts = [text.replace(field[0], value, 1) for text in texts for value in values]
    for text in texts:
        yield text if text.startswith(("arn:", EVERYTHING)) else scope.arn(call.service, text)


def _values(params: Mapping[str, Any], name: str) -> list[str]:
    value: Any = params
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, list):
        return [str(each) if not isinstance(each, Mapping) else _named_in(each) for each in value]
    return [] if value is None else [str(value)]


def _named_in(item: Mapping[str, Any]) -> str:
    """Return what an item of a list names: the bus of an entry, the repository of a pull request's target."""
    return str(item.get("EventBusName") or item.get("repositoryName") or "")


def _parameter(name: str) -> str:
    """Return a parameter's name as in its ARN: with a leading slash, without version or label."""
    named = name.partition(":parameter")[2] if name.startswith("arn:") else name.partition(":")[0]
    return named if named.startswith("/") else f"/{named}"


FILTERS: dict[str, Filter] = {
    "last": lambda value: value.rpartition("/")[2],
    "build": lambda value: value.partition(":")[0] if not value.startswith("arn:") else value,
    "bus": lambda value: value.rpartition("/")[2] or "default",
    "parameter": _parameter,
    "function": lambda value: value.partition(":function:")[2] or value,
    "revision": lambda value: value.rpartition("/")[2],
    "stack": lambda value: value.split("/")[1] if value.startswith("arn:") else value,
}
