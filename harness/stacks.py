"""Stacks that are created and deleted through CloudFormation: the CDK CLI would add half a minute."""

import io
import json
import secrets
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.cloud import Cloud, HarnessError
from harness.suffixes import random_suffix
from harness.synthesized_app import ASSETS, SUFFIX, SynthesizedApp, synthesized
from operations.waiting import NotYetError, wait_for

CREATED = "CREATE_COMPLETE"


class Stack:
    """A stack of `cloud` whose environmentSuffix is `suffix`; its assets are those of `app`."""

    def __init__(self, cloud: Cloud, suffix: str, app: SynthesizedApp | None = None) -> None:
        self.cloud = cloud
        self.suffix = suffix
        self.app = app or synthesized(cloud)
        self.name = f"pitfall-{suffix}"
        self.client = cloud.client("cloudformation")

    def create(self, template: Mapping[str, Any]) -> str:
        """Create the stack; return its final status."""
        url = self.upload(template)
        self.client.create_stack(StackName=self.name, TemplateURL=url, Capabilities=["CAPABILITY_NAMED_IAM"])
        return self.final_status()

    def update(self, template: Mapping[str, Any]) -> str:
        """Update the stack; return its final status."""
        url = self.upload(template)
        self.client.update_stack(StackName=self.name, TemplateURL=url, Capabilities=["CAPABILITY_NAMED_IAM"])
        return self.final_status()

    def upload(self, template: Mapping[str, Any]) -> str:
        """Upload a template with this stack's suffix; return its URL."""
        bucket = assets(self.cloud, self.app)
        text = json.dumps(template).replace(SUFFIX, self.suffix).replace(ASSETS, bucket)
        key = f"{self.suffix}-{secrets.token_hex(4)}.json"
        self.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
        return f"{self.cloud.endpoint}/{bucket}/{key}"

    def final_status(self, name: str = "") -> str:
        """Wait until the stack is not in progress; return its status."""

        def look() -> str:
            status = str(self.client.describe_stacks(StackName=name or self.name)["Stacks"][0]["StackStatus"])
            if status.endswith("_IN_PROGRESS"):
                raise NotYetError(status)
            return status

        return wait_for(f"stack {self.name}", look, deadline=120, interval=0.1)

    def failures(self, name: str = "") -> str:
        """Return the status reasons of the failures, in chronological order, and what a validation found."""
        pages = self.cloud.account.pages(
            "cloudformation", "describe_stack_events", "StackEvents", StackName=name or self.name
        )
        reasons = [one.get("ResourceStatusReason", "") for one in pages if "FAILED" in one["ResourceStatus"]]
        events = self.client.describe_events(StackName=name or self.name)["OperationEvents"]
        found = [one.get("ValidationStatusReason", "") for one in events]
        return "\n".join([*reversed(reasons), *filter(None, found)])

    def physical_name(self, text: str) -> str:
        """Return a synthesized name with this stack's suffix."""
        return text.replace(SUFFIX, self.suffix)

    def delete(self) -> str:
        """Delete the stack; return its final status."""
        found = self.client.describe_stacks(StackName=self.name)["Stacks"][0]["StackId"]
        self.client.delete_stack(StackName=self.name)
        return self.final_status(found)


@contextmanager
def temporary_stack(
    cloud: Cloud, resources: Mapping[str, Any], *, suffix: str = "", app: SynthesizedApp | None = None
) -> Iterator[Stack]:
    """Create a stack of these resources, successfully or not; delete it when the context closes.

    Raises `HarnessError` if it cannot be deleted.
    """
    stack = Stack(cloud, suffix or random_suffix("pit"), app)
    stack.create({"Resources": resources})
    try:
        yield stack
    finally:
        if stack.delete() != "DELETE_COMPLETE":
            raise HarnessError(f"the stack {stack.name} was not deleted: {stack.failures()}")


def assets(cloud: Cloud, app: SynthesizedApp | None = None) -> str:
    """Return the bucket with the app's assets; the first call creates it."""
    s3 = cloud.client("s3")
    bucket = f"assets-of-stacks-{cloud.account.id}"
    if bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        return bucket
    s3.create_bucket(Bucket=bucket)
    assembly = (app or synthesized(cloud)).assembly
    for key, file in assembly.assets.items():
        if file["source"]["packaging"] == "zip":
            body = zipped(assembly.folder / file["source"]["path"])
            s3.put_object(Bucket=bucket, Key=f"{key}.zip", Body=body)
    return bucket


def zipped(folder: Path, **changed: str | bytes) -> bytes:
    """Return the files below `folder` as a zip, with `changed` ones replaced."""
    files: dict[str, str | bytes] = {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    return archive(files | changed)


def archive(files: Mapping[str, str | bytes]) -> bytes:
    """Return `files` as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()
