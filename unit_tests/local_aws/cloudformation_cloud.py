"""Stacks of a running server, for the tests of CloudFormation."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from local_aws.daemon import ServerHandle

SECONDS = 40.0
ACKNOWLEDGED: dict[str, Any] = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}
Template = dict[str, Any]

# A role that Lambda can assume.
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def template(
    outputs: Template | None = None, parameters: Template | None = None, /, **resources: Template
) -> str:
    """Return a template's text; a resource is `{"Type": ..., properties...}` without more ado."""
    whole = {
        name: {"Type": given["Type"], "Properties": {k: v for k, v in given.items() if k != "Type"}}
        for name, given in resources.items()
    }
    text = {"Resources": whole, "Outputs": outputs or {}, "Parameters": parameters or {}}
    return json.dumps(text)


@dataclass
class Cloud:
    """The account of one server."""

    server: ServerHandle
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return a boto3 client."""
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,
                endpoint_url=self.server.endpoint,
                region_name="us-east-1",
                aws_access_key_id="123456789012",
                aws_secret_access_key=self.server.secret,
                config=Config(s3={"addressing_style": "path"}),
            )
        return self.clients[service]

    def create(self, name: str, body: str) -> str:
        """Create a stack; return the status it ends in."""
        self.client("cloudformation").create_stack(StackName=name, TemplateBody=body, **ACKNOWLEDGED)
        return self.settled(name)

    def update(self, name: str, body: str) -> str:
        """Update a stack; return the status it ends in."""
        self.client("cloudformation").update_stack(StackName=name, TemplateBody=body, **ACKNOWLEDGED)
        return self.settled(name)

    def delete(self, name: str) -> str:
        """Delete a stack; return the status it ends in."""
        identifier = self.stack(name)["StackId"]
        self.client("cloudformation").delete_stack(StackName=name)
        return self.settled(identifier)

    def settled(self, name: str) -> str:
        """Wait until nothing is in progress."""
        deadline = time.monotonic() + SECONDS
        while (status := str(self.stack(name)["StackStatus"])).endswith("_IN_PROGRESS"):
            assert time.monotonic() < deadline, f"{name} is still {status}"
            time.sleep(0.05)
        return status

    def stack(self, name: str) -> dict[str, Any]:
        """Return what DescribeStacks says."""
        found: dict[str, Any] = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        return found

    def reasons(self, name: str) -> str:
        """Return the reasons of all that failed in a stack, and of its validation."""
        cloudformation = self.client("cloudformation")
        events = self.events(name)
        failed = [e.get("ResourceStatusReason", "") for e in events if "FAILED" in e["ResourceStatus"]]
        validated = cloudformation.describe_events(StackName=name)["OperationEvents"]
        return "\n".join([*failed, *[event.get("ValidationStatusReason", "") for event in validated]])

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return all events of a stack, the newest first."""
        pages = self.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=name)
        return [event for page in pages for event in page["StackEvents"]]

    def outputs(self, name: str) -> dict[str, str]:
        """Return a stack's outputs."""
        return {o["OutputKey"]: o["OutputValue"] for o in self.stack(name).get("Outputs", [])}

    def physical(self, name: str, logical_id: str) -> str:
        """Return the physical id of a stack's resource."""
        cloudformation = self.client("cloudformation")
        found = cloudformation.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def nested(self, name: str, body: str, **parameters: Any) -> Template:
        """Store a template in S3; return a nested stack of it."""
        s3 = self.client("s3")
        if "templates" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket="templates")
        s3.put_object(Bucket="templates", Key=name, Body=body.encode())
        url = f"{self.server.endpoint}/templates/{name}"
        return {"Type": "AWS::CloudFormation::Stack", "TemplateURL": url, "Parameters": parameters}
