"""The deploy actions ECS and S3."""

import json
from typing import Any

import pytest

from unit_tests.local_aws.services.codepipeline.declarations import Json, action, build, source, stage
from unit_tests.local_aws.services.codepipeline.fakes import TASK_DEFINITION, FakeCloud, failed

OLD = TASK_DEFINITION.replace(":7", ":6")
READ_ONLY = {"taskDefinitionArn": OLD, "revision": 6, "status": "ACTIVE", "registeredBy": "somebody"}


def deploying(provider: str, **configuration: str) -> list[Json]:
    inputs = [{"name": "BuildOutput"}]
    last = action("Deploy", provider, "Deploy", configuration=configuration, inputArtifacts=inputs)
    return [stage("Source", source()), stage("Build", build()), stage("Deploy", last)]


class FakeService:
    """ECS with one service, whose update is complete after the second look."""

    def __init__(self, ecs: Any) -> None:
        self.ecs = ecs
        self.updates: list[Json] = []
        self.deployed, self.looks = OLD, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ecs, name)

    def describe_services(self, **request: Any) -> Json:
        assert request == {"cluster": "cluster-dev", "services": ["service-dev"]}
        self.looks += 1
        deployments = [{"taskDefinition": self.deployed, "rolloutState": "COMPLETED"}]
        if self.updates and self.looks < 4:
            deployments.append({"taskDefinition": OLD, "rolloutState": "COMPLETED"})
        return {"services": [{"status": "ACTIVE", "taskDefinition": OLD, "deployments": deployments}]}

    def describe_task_definition(self, **request: Any) -> Json:
        assert request == {"taskDefinition": OLD, "include": ["TAGS"]}
        containers = [{"name": "app", "image": "old"}, {"name": "log", "image": "same"}]
        definition = {"family": "task-dev", "containerDefinitions": containers, **READ_ONLY}
        return {"taskDefinition": definition, "tags": [{"key": "team", "value": "shop"}]}

    def update_service(self, **request: Any) -> None:
        self.updates.append(request)
        self.deployed = request["taskDefinition"]


@pytest.fixture
def service(cloud: FakeCloud) -> FakeService:
    found = FakeService(cloud.ecs)
    setattr(cloud, "ecs", found)  # noqa: B010 - a fake in place of another
    return found


ECS = {"ClusterName": "cluster-dev", "ServiceName": "service-dev"}


def test_ecs_updates_the_service_to_the_images_of_the_file(cloud: FakeCloud, service: FakeService) -> None:
    cloud.codebuild.files["imagedefinitions.json"] = json.dumps([{"name": "app", "imageUri": "new"}])
    assert cloud.ended(cloud.create(stages=deploying("ECS", **ECS))) == "Succeeded"
    containers = [{"name": "app", "image": "new"}, {"name": "log", "image": "same"}]
    tags = [{"key": "team", "value": "shop"}]
    registered = {"family": "task-dev", "containerDefinitions": containers, "tags": tags}
    assert service.registered == [registered]
    update = {"cluster": "cluster-dev", "service": "service-dev", "taskDefinition": TASK_DEFINITION}
    assert (service.updates, service.looks) == ([update], 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "Did not find the image definition file images.json in the input artifacts ZIP file."),
        ('{"ImageURI": "new"}', "The image definition file images.json contains invalid JSON format"),
        ('[{"name": "web", "imageUri": "new"}]', f"The task definition {OLD} has no container named web"),
    ],
)
def test_ecs_refuses_a_file_that_it_cannot_follow(
    cloud: FakeCloud, service: FakeService, content: str | None, message: str
) -> None:
    if content is not None:
        cloud.codebuild.files["images.json"] = content
    error = failed(cloud, "Deploy", "Deploy", stages=deploying("ECS", FileName="images.json", **ECS))
    assert error["code"] == "ConfigurationError"
    assert error["message"].startswith(message)
    assert service.updates == []


def test_ecs_waits_until_the_deployment_timeout(
    cloud: FakeCloud, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_aws.services.codepipeline.ecs_deploy.MINUTE", 0.01)
    monkeypatch.setattr(service, "update_service", lambda **request: service.updates.append(request))
    cloud.codebuild.files["imagedefinitions.json"] = json.dumps([{"name": "app", "imageUri": "new"}])
    error = failed(cloud, "Deploy", "Deploy", stages=deploying("ECS", DeploymentTimeout="2", **ECS))
    assert error == {"code": "JobFailed", "message": "The deployment took longer than 2 minutes"}


def test_s3_uploads_each_file_of_the_artifact(cloud: FakeCloud) -> None:
    cloud.codebuild.files = {"index.html": "<p>", "css/page.css": "p {}"}
    given = {"BucketName": "site", "Extract": "true", "ObjectKey": "v1", "CacheControl": "no-store"}
    assert cloud.ended(cloud.create(stages=deploying("S3", **given))) == "Succeeded"
    expected = {"Bucket": "site", "CacheControl": "no-store"}
    assert cloud.s3.objects["v1/index.html"] == {
        **expected,
        "Key": "v1/index.html",
        "Body": b"<p>",
        "ContentType": "text/html",
    }
    assert cloud.s3.objects["v1/css/page.css"] == {
        **expected,
        "Key": "v1/css/page.css",
        "Body": b"p {}",
        "ContentType": "text/css",
    }


def test_s3_uploads_the_artifact_itself_with_the_key_of_the_bucket(cloud: FakeCloud) -> None:
    given = {"BucketName": "site", "Extract": "false", "ObjectKey": "v1.zip", "KMSEncryptionKeyARN": "key"}
    assert cloud.ended(cloud.create(stages=deploying("S3", **given))) == "Succeeded"
    stored = cloud.s3.objects["v1.zip"]
    assert stored["Body"].startswith(b"PK")
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", "key")


def test_s3_without_extraction_needs_a_key(cloud: FakeCloud) -> None:
    error = failed(cloud, "Deploy", "Deploy", stages=deploying("S3", BucketName="site", Extract="false"))
    assert error == {"code": "ConfigurationError", "message": "ObjectKey is required if Extract is false"}
