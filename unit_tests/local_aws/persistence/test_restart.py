"""A server that is killed with SIGKILL and restarted has everything that it confirmed."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_aws.__main__ import main
from local_aws.core.errors import LocalAwsError
from local_aws.daemon import ServerHandle, start
from unit_tests.local_aws.cloudformation_cloud import Cloud, template

GROUPS = {
    f"G{number}": {"Type": "AWS::Logs::LogGroup", "LogGroupName": f"/slow/{number}"} for number in range(60)
}


def kill(running: ServerHandle) -> None:
    assert running.background_errors() == []
    assert running.process is not None
    running.process.send_signal(signal.SIGKILL)
    running.process.communicate(timeout=30)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    made = Cloud(start(tmp_path, time_scale=0.5))
    yield made
    assert made.server.stop() == []


def restart(cloud: Cloud) -> None:
    """Kill and restart the server; clients remain valid, since the endpoint does not change."""
    kill(cloud.server)
    before = cloud.server
    cloud.server = start(before.state)
    assert (cloud.server.endpoint, cloud.server.time_scale) == (before.endpoint, before.time_scale)


def test_confirmed_changes_survive(cloud: Cloud) -> None:
    cloud.client("s3").create_bucket(Bucket="saved")
    cloud.client("s3").put_object(Bucket="saved", Key="a", Body=b"content")
    queue = cloud.client("sqs").create_queue(QueueName="saved")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="hello")
    repository = {"Type": "AWS::ECR::Repository", "RepositoryName": "saved"}
    child = cloud.nested("child", template(R=repository))
    assert cloud.create("saved", template(Child=child)) == "CREATE_COMPLETE"
    cloud.client("codecommit").create_repository(repositoryName="saved")
    restart(cloud)
    assert cloud.client("s3").get_object(Bucket="saved", Key="a")["Body"].read() == b"content"
    received = cloud.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert [one["Body"] for one in received] == ["hello"]
    assert cloud.client("codecommit").get_repository(repositoryName="saved")
    assert cloud.client("ecr").describe_repositories()["repositories"][0]["repositoryName"] == "saved"
    assert len(cloud.client("ec2").describe_vpcs()["Vpcs"]) == 1, "the default network is created once"
    assert cloud.stack("saved")["StackStatus"] == "CREATE_COMPLETE"
    assert cloud.delete("saved") == "DELETE_COMPLETE"
    assert cloud.client("ecr").describe_repositories()["repositories"] == []


def test_another_account_survives_too(cloud: Cloud) -> None:
    other = boto3.client(
        "codecommit",
        endpoint_url=cloud.server.endpoint,
        region_name="us-east-1",
        aws_access_key_id="222222222222",
        aws_secret_access_key=cloud.server.secret,
    )
    other.create_repository(repositoryName="theirs")
    restart(cloud)
    assert [one["repositoryName"] for one in other.list_repositories()["repositories"]] == ["theirs"]
    assert cloud.client("codecommit").list_repositories()["repositories"] == []


def test_an_interrupted_stack_has_failed_and_can_be_deleted_with_its_children(cloud: Cloud) -> None:
    child = cloud.nested("half", template(**GROUPS))
    cloud.client("cloudformation").create_stack(StackName="half", TemplateBody=template(Child=child))
    while not groups(cloud):
        time.sleep(0.01)
    restart(cloud)
    stack = cloud.stack("half")
    assert (stack["StackStatus"], stack["StackStatusReason"]) == (
        "CREATE_FAILED",
        "local_aws ended during the operation",
    )
    assert cloud.delete("half") == "DELETE_COMPLETE"
    assert groups(cloud) == []


def groups(cloud: Cloud) -> list[str]:
    found = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/slow/")["logGroups"]
    return [one["logGroupName"] for one in found]


def test_a_restored_stack_includes_the_resource_that_it_was_creating(monkeypatch: pytest.MonkeyPatch) -> None:
    """The snapshot was taken after the resource was created and before its stack recorded it."""
    from ministack.services import cloudformation

    from local_aws.ministack import resume_stacks

    template = {
        "Resources": {
            "Made": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "made"}},
            "Half": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "half-${P}"}}},
            "Next": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "next"}},
        }
    }
    stack: dict[str, Any] = {
        "StackName": "s",
        "StackId": "arn:s",
        "StackStatus": "CREATE_IN_PROGRESS",
        "_template": template,
        "_resolved_params": {"P": {"Value": "made"}},
        "_resources": {"Made": {"PhysicalResourceId": "made"}},
    }
    events = [
        {"LogicalResourceId": "Made", "ResourceStatus": "CREATE_IN_PROGRESS"},
        {"LogicalResourceId": "Made", "ResourceStatus": "CREATE_COMPLETE"},
        {"LogicalResourceId": "Half", "ResourceStatus": "CREATE_IN_PROGRESS"},
    ]
    monkeypatch.setattr(cloudformation._stacks, "_data", {("123456789012", "us-east-1", "s"): stack})
    monkeypatch.setattr(
        cloudformation._stack_events, "_data", {("123456789012", "us-east-1", "arn:s"): events}
    )
    resume_stacks.resume()
    assert stack["StackStatus"] == "CREATE_FAILED"
    known = stack["_resources"]
    assert {name: one["PhysicalResourceId"] for name, one in known.items()} == {
        "Made": "made",
        "Half": "half-made",
    }


def test_another_port_is_rejected_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    running = start(tmp_path)
    running.stop()
    port = int(running.endpoint.rpartition(":")[2])
    assert main(["up", "--state", str(tmp_path), "--port", str(port + 1)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"was made on port {port}: start on that port" in error


def test_a_second_server_of_a_folder_with_a_snapshot_is_rejected(cloud: Cloud) -> None:
    with pytest.raises(LocalAwsError, match="is already running"):
        start(cloud.server.state)
