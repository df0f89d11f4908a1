"""`secrets` and `parameters` of the catalogue: what tasks get, and who may read or find the parameters."""

from __future__ import annotations

import json

import pytest

from infrastructure.config.catalogue import read_services
from infrastructure.config.context_key import ConfigError
from infrastructure.config.settings import Config
from infrastructure.constructs.stored_variables import stored_variables
from tools.synthesis import defaults
from unit_tests.infrastructure.synthesized import Templates, plain, synthesize

ENTRY = {"secrets": ["DATABASE_URL", "API_KEY"], "parameters": ["LOG_LEVEL"]}


@pytest.fixture(scope="module")
def declaring(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of a service with secrets, which is promoted to staging."""
    return synthesize(
        tmp_path_factory.mktemp("declaring.out"),
        environmentSuffix="dev",
        services={"sample-service": ENTRY},
        promoteTo="staging@222222222222",
    )


def test_secrets_and_parameters_are_names_of_variables() -> None:
    service = read_services({"orders": ENTRY})["orders"]
    assert (service.secrets, service.parameters) == (("API_KEY", "DATABASE_URL"), ("LOG_LEVEL",))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"secrets": {"KEY": "/key"}}, "a list of names of variables"),
        ({"secrets": ["api-key"]}, "a list of names of variables"),
        ({"parameters": []}, "a list of names of variables"),
        ({"secrets": ["A", "A"]}, 'the variable is "A": it must be in one of'),
        ({"secrets": ["A"], "parameters": ["A"]}, 'the variable is "A"'),
        ({"environment": {"A": ""}, "parameters": ["A"]}, 'the variable is "A"'),
        ({"secrets": ["PORT"]}, 'the variable is "PORT"'),
    ],
)
def test_a_declaration_that_ecs_would_refuse_is_refused(entry: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_services({"orders": entry})


def test_each_environment_has_parameters_of_its_own(declaring: Templates) -> None:
    project = declaring.only("AWS::CodeBuild::Project", Name="build-dev")
    given = project.properties["Environment"]["EnvironmentVariables"]
    variables = {one["Name"]: one["Value"] for one in given}
    assert json.loads(variables["TASK_SECRETS"]) == [
        {"name": "API_KEY", "valueFrom": "/dev/API_KEY"},
        {"name": "DATABASE_URL", "valueFrom": "/dev/DATABASE_URL"},
    ]
    assert json.loads(variables["TASK_PARAMETERS"]) == [{"name": "LOG_LEVEL", "valueFrom": "/dev/LOG_LEVEL"}]
    assert "/staging/API_KEY" in str(plain(variables["PROMOTE_TO"]))


def test_a_service_of_the_catalogue_has_its_name_in_the_path() -> None:
    context = {**defaults(), "environmentSuffix": "orders-dev", "services": {"orders": ENTRY}}
    config = Config.from_context(context)
    variables = stored_variables(config.service, config.names)
    assert json.loads(variables["TASK_PARAMETERS"])[0]["valueFrom"] == "/orders-dev/LOG_LEVEL"


@pytest.mark.parametrize(
    ("role", "sid", "action"),
    [
        ("execution-role-dev", "ReadTheSecretsOfTheService", "ssm:GetParameters"),
        ("build-role-dev", "FindTheSecretsOfTheService", "ssm:ListTagsForResource"),
    ],
)
def test_exactly_the_declared_parameters_are_read_by_tasks_and_found_by_builds(
    declaring: Templates, role: str, sid: str, action: str
) -> None:
    (policy,) = declaring.only("AWS::IAM::Role", RoleName=role).properties["Policies"]
    (statement,) = (one for one in policy["PolicyDocument"]["Statement"] if one.get("Sid") == sid)
    assert statement["Action"] == action
    names = [str(plain(one)).rpartition(":parameter/")[2] for one in statement["Resource"]]
    assert names == ["dev/API_KEY", "dev/DATABASE_URL", "dev/LOG_LEVEL"]


def test_no_template_has_a_parameter_of_the_service_or_its_value(declaring: Templates) -> None:
    """CloudFormation creates no SecureString (pitfall F5), and shows the values of a template."""
    names = {one.properties["Name"] for one in declaring.resources("AWS::SSM::Parameter")}
    assert names == {"/docker-hub-dev/username", "/drift-check-dev/told"}


def test_without_secrets_no_role_reads_parameters_of_the_service(templates: Templates) -> None:
    text = json.dumps(templates.by_part)
    assert "SecretsOfTheService" not in text
    assert '"Name": "TASK_SECRETS"' not in text
