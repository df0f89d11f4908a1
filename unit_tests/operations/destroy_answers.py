"""The answers of an account in which an environment is destroyed."""

from typing import Any

from botocore.exceptions import ClientError

NO_STACK = {"Error": {"Code": "ValidationError", "Message": "Stack with id stack-dev does not exist"}}


STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/stack-dev/1"


NESTED = "arn:aws:cloudformation:us-east-1:123456789012:stack/stack-dev-Network/2"


def no_stack(**_: Any) -> dict[str, Any]:
    raise ClientError(NO_STACK, "DescribeStacks")


def stack(status: str, **more: Any) -> dict[str, Any]:
    return {"Stacks": [{"StackId": STACK, "StackStatus": status, **more}]}


def event(stack_id: str, type_: str, name: str, status: str, reason: str = "") -> dict[str, Any]:
    return {
        "StackId": stack_id,
        "ResourceType": type_,
        "LogicalResourceId": name.rpartition("/")[2],
        "PhysicalResourceId": name,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def stuck(*failed: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Answers of an environment whose network, a nested stack, could not be deleted because of `failed`."""
    kind = "AWS::CloudFormation::Stack"
    events = {
        STACK: [
            event(STACK, kind, STACK, "DELETE_FAILED", "The following resource(s) failed to delete"),
            event(STACK, kind, NESTED, "DELETE_FAILED", "Stack with id stack-dev-Network was not deleted"),
            event(STACK, kind, NESTED, "DELETE_IN_PROGRESS"),
            event(STACK, kind, STACK, "DELETE_IN_PROGRESS"),
            event(STACK, "AWS::IAM::Role", "old-dev", "DELETE_FAILED", "of the time before last"),
        ],
        NESTED: [
            *failed,
            event(NESTED, "AWS::EC2::EIP", "1.2.3.4", "DELETE_COMPLETE"),
            event(NESTED, kind, NESTED, "DELETE_IN_PROGRESS"),
        ],
    }
    return {
        **at_rest(),
        ("cloudformation", "describe_stacks"): stack("DELETE_FAILED"),
        ("cloudformation", "describe_stack_events"): lambda StackName: {"StackEvents": events[StackName]},  # noqa: N803
    }


def groups_of(*environments: str) -> dict[str, Any]:
    """Security groups of these environments, and a VPC's own."""
    tags = [
        [{"Key": "project", "Value": "python-service-pipeline"}, {"Key": "environment", "Value": one}]
        for one in environments
    ]
    groups = [{"GroupId": f"sg-{number}", "Tags": one} for number, one in enumerate(tags, 1)]
    return {"SecurityGroups": [{"GroupId": "sg-default"}, *groups]}


def at_rest() -> dict[tuple[str, str], Any]:
    """Answers of an environment in which nothing runs and nothing remains."""
    return {
        ("cloudformation", "describe_stacks"): no_stack,
        ("ec2", "describe_vpcs"): {"Vpcs": [{"VpcId": "vpc-1"}]},
        ("ec2", "describe_security_groups"): groups_of("dev"),
        ("codepipeline", "disable_stage_transition"): {},
        ("codepipeline", "list_pipeline_executions"): {"pipelineExecutionSummaries": []},
        ("codebuild", "list_builds_for_project"): {"ids": []},
        ("codedeploy", "list_deployments"): {"deployments": []},
        ("ecs", "list_task_definitions"): {"taskDefinitionArns": []},
        ("ecs", "deregister_task_definition"): {},
        ("ecs", "delete_task_definitions"): {},
        ("ssm", "describe_parameters"): {"Parameters": []},
        ("ssm", "delete_parameter"): {},
        ("logs", "describe_log_groups"): {"logGroups": []},
        ("codebuild", "list_projects"): {"projects": []},
        ("codebuild", "list_report_groups"): {"reportGroups": []},
        ("codebuild", "delete_report_group"): {},
        ("sqs", "list_queues"): {},
        ("codecommit", "list_approval_rule_templates"): {"approvalRuleTemplateNames": []},
        ("iam", "list_policies"): {"Policies": []},
        ("sqs", "delete_queue"): {},
    }


class Running:
    """A deployment that runs until it is stopped."""

    def __init__(self) -> None:
        self.stopped = False

    def answers(self) -> dict[tuple[str, str], Any]:
        def stop(**_: Any) -> dict[str, Any]:
            self.stopped = True
            return {}

        def deployments(**_: Any) -> dict[str, Any]:
            return {"deployments": [] if self.stopped else ["d-1"]}

        return {
            **at_rest(),
            ("codedeploy", "list_deployments"): deployments,
            ("codedeploy", "stop_deployment"): stop,
        }


SUBNET = event(NESTED, "AWS::EC2::Subnet", "subnet-1", "DELETE_FAILED", "has dependencies and\n cannot go")
