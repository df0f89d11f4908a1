"""Deploys mutations that pass the validation, each with the resources that it needs, on one local_aws."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.cloudformation_cloud import ACKNOWLEDGED, Cloud

BUCKET = "mutations"


def creation_refusal(cloud: Cloud, name: str, template: Mapping[str, Any], logical_id: str) -> str | None:
    """Return why the creation of the changed resource fails, or None if it is created.

    Raises AssertionError if something else of the template fails.
    """
    status = _create(cloud, name, {"Resources": _without_assets(template["Resources"])})
    failed = {
        event["LogicalResourceId"]: event.get("ResourceStatusReason", "")
        for event in cloud.events(name)
        if event["ResourceStatus"] == "CREATE_FAILED"
    }
    reasons = cloud.reasons(name)
    cloud.delete(name)
    _delete_buckets(cloud)
    if status == "CREATE_COMPLETE":
        return None
    assert logical_id in failed, f"{name} fails elsewhere: {reasons}"
    return str(failed[logical_id])


def _create(cloud: Cloud, name: str, template: Mapping[str, Any]) -> str:
    """Create a stack of a template that may be longer than the body of a request."""
    s3 = cloud.client("s3")
    if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=name, Body=json.dumps(template).encode())
    url = f"{cloud.server.endpoint}/{BUCKET}/{name}"
    cloud.client("cloudformation").create_stack(StackName=name, TemplateURL=url, **ACKNOWLEDGED)
    return cloud.settled(name)


def _without_assets(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resources with code in them, and without tasks: there is neither an asset nor an image."""
    return {name: _with_code(resource) for name, resource in resources.items()}


def _with_code(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = dict(resource.get("Properties", {}))
    if resource["Type"] == "AWS::Lambda::Function" and "S3Bucket" in str(properties.get("Code")):
        code = {"ZipFile": "def handler(event, context):\n    pass\n"}
        return {**resource, "Properties": {**properties, "Code": code, "Handler": "index.handler"}}
    if resource["Type"] == "AWS::CodeCommit::Repository":
        properties.pop("Code", None)
    if resource["Type"] == "AWS::S3::Bucket":
        return {**resource, "DeletionPolicy": "Retain"}
    if resource["Type"] == "AWS::ECS::Service":
        properties["DesiredCount"] = 0
    return {**resource, "Properties": properties}


def _delete_buckets(cloud: Cloud) -> None:
    """Delete the buckets, which a stack leaves: services write into them."""
    s3 = cloud.client("s3")
    for bucket in [each["Name"] for each in s3.list_buckets()["Buckets"] if each["Name"] != BUCKET]:
        for found in s3.list_object_versions(Bucket=bucket).get("Versions", []):
            s3.delete_object(Bucket=bucket, Key=found["Key"], VersionId=found["VersionId"])
        s3.delete_bucket(Bucket=bucket)
