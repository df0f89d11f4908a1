"""The image keeper's function: what invokes it, and what it may do (pitfall F13)."""

from __future__ import annotations

from unit_tests.infrastructure.synthesized import Templates, plain, role, statements

NAME = "image-keeper-dev"


def test_every_change_of_a_deployment_and_every_day_invokes_it(templates: Templates) -> None:
    function = templates.only("AWS::Lambda::Function", FunctionName=NAME)
    rules = [
        templates.only("AWS::Events::Rule", Name=f"image-keeper-{each}-dev").properties
        for each in ("deployments", "daily")
    ]
    for rule in rules:
        assert [plain(target["Arn"]) for target in rule["Targets"]] == [f"<{function.id}.Arn>"]
    deployments, daily = rules
    assert deployments["EventPattern"]["detail"] == {
        "application": ["application-dev"],
        "deploymentGroup": ["deployment-group-dev"],
        "state": ["START", "SUCCESS", "FAILURE", "STOP"],
    }
    assert daily["ScheduleExpression"] == "rate(1 day)"


def test_eventbridge_may_invoke_it_for_both_rules(templates: Templates) -> None:
    function = templates.only("AWS::Lambda::Function", FunctionName=NAME)
    sources = {
        plain(each.properties["SourceArn"])
        for each in templates.resources("AWS::Lambda::Permission")
        if plain(each.properties["FunctionName"]) == f"<{function.id}.Arn>"
        and each.properties["Principal"] == "events.amazonaws.com"
    }
    names = [f"image-keeper-{each}-dev" for each in ("deployments", "daily")]
    assert sources == {f"<{templates.only('AWS::Events::Rule', Name=name).id}.Arn>" for name in names}


def test_it_may_read_what_is_in_use_and_tag_images_of_its_own_repository(templates: Templates) -> None:
    allowed = {
        action: each["Resource"]
        for each in statements(role(templates, "image-keeper-role-dev"))
        for action in each["Action"]
        if not action.startswith("logs:")
    }
    account = "us-east-1:<AWS::AccountId>"
    group = f"arn:aws:codedeploy:{account}:deploymentgroup:application-dev/deployment-group-dev"
    images = {action: resource for action, resource in allowed.items() if action.startswith("ecr:")}
    assert {action: resource for action, resource in allowed.items() if action not in images} == {
        "ecs:DescribeServices": [f"arn:aws:ecs:{account}:service/cluster-dev/service-dev"],
        "ecs:DescribeTaskDefinition": ["*"],
        "codedeploy:GetDeployment": [group],
        "codedeploy:GetDeploymentGroup": [group],
        "codedeploy:GetApplicationRevision": [f"arn:aws:codedeploy:{account}:application:application-dev"],
    }
    assert images.keys() == {
        "ecr:BatchDeleteImage",
        "ecr:BatchGetImage",
        "ecr:ListImages",
        "ecr:PutImage",
    }
    assert all("Images" in resource for resources in images.values() for resource in resources)


def test_its_log_group_keeps_30_days(templates: Templates) -> None:
    group = templates.only("AWS::Logs::LogGroup", LogGroupName=f"/lambda/{NAME}")
    assert group.properties["RetentionInDays"] == 30
