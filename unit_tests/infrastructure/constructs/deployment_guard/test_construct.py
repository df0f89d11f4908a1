"""The deployment guard's function: what invokes it, what it may do, and whom it tells."""

from __future__ import annotations

import json

from unit_tests.infrastructure.synthesized import Templates, plain, role, statements

NAME = "deployment-guard-dev"
ACCOUNT = "us-east-1:<AWS::AccountId>"
RULES = [f"deployment-guard-{each}-dev" for each in ("deployments", "tasks")]


def test_the_start_of_a_deployment_and_of_its_tasks_invokes_it(templates: Templates) -> None:
    function = templates.only("AWS::Lambda::Function", FunctionName=NAME)
    patterns = []
    for name in RULES:
        rule = templates.only("AWS::Events::Rule", Name=name).properties
        assert [plain(target["Arn"]) for target in rule["Targets"]] == [f"<{function.id}.Arn>"]
        patterns.append(plain(rule["EventPattern"]))
    assert patterns == [
        {
            "source": ["aws.codedeploy"],
            "detail-type": ["CodeDeploy Deployment State-change Notification"],
            "detail": {
                "application": ["application-dev"],
                "deploymentGroup": ["deployment-group-dev"],
                "state": ["START"],
            },
        },
        {
            "source": ["aws.ecs"],
            "detail-type": ["ECS Task State Change"],
            "detail": {
                "clusterArn": [f"arn:aws:ecs:{ACCOUNT}:cluster/cluster-dev"],
                "group": ["service:service-dev"],
                "lastStatus": ["PENDING"],
            },
        },
    ]


def test_it_may_read_its_own_deployments_and_stop_them(templates: Templates) -> None:
    allowed = {
        action: each["Resource"]
        for each in statements(role(templates, "deployment-guard-role-dev"))
        for action in each["Action"]
        if not action.startswith("logs:")
    }
    group = f"arn:aws:codedeploy:{ACCOUNT}:deploymentgroup:application-dev/deployment-group-dev"
    assert allowed == {
        "codedeploy:GetDeployment": [group],
        "codedeploy:GetDeploymentGroup": [group],
        "codedeploy:ListDeployments": [group],
        "codedeploy:StopDeployment": ["*"],
        "codedeploy:GetApplicationRevision": [f"arn:aws:codedeploy:{ACCOUNT}:application:application-dev"],
        "ecs:DescribeTaskDefinition": ["*"],
        "events:PutEvents": [f"arn:aws:events:{ACCOUNT}:event-bus/default"],
    }


def test_the_topic_is_told_what_was_refused_and_why(templates: Templates) -> None:
    rule = templates.only("AWS::Events::Rule", Name="deployment-refused-dev").properties
    assert rule["EventPattern"] == {
        "source": [NAME],
        "detail-type": ["Deployment Refused"],
        "detail": {"deploymentGroup": ["deployment-group-dev"]},
    }
    (target,) = rule["Targets"]
    assert plain(target["Arn"]) == f"<{templates.only('AWS::SNS::Topic').id}>"
    sentence = json.loads(target["InputTransformer"]["InputTemplate"])
    assert sentence.startswith("Deployment <detail-deploymentId> to deployment-group-dev was refused, and ")
    assert "<detail-outcome>: <detail-reason>." in sentence


def test_its_variables_are_within_the_4_kb_of_lambda(templates: Templates) -> None:
    function = templates.only("AWS::Lambda::Function", FunctionName=NAME).properties
    variables = plain(function["Environment"]["Variables"])
    assert sum(len(key) + len(str(value)) for key, value in variables.items()) < 4096
