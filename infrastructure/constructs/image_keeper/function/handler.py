"""Tag the images that are in use, so that the lifecycle policy keeps them, and no others (pitfall F13).

In use are the images of every task set, of a deployment in progress, and of the last two successful
deployments, which a rollback needs. This folder is the function's code, so the module imports only what the
Lambda runtime has.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.config import Config

# What the lifecycle policy matches, with the beginning of the digest: tags are immutable and unique.
IN_USE = "in-use-"
_DIGEST_CHARACTERS = 12
# The tag of a signature or of a provenance, which names its image's digest.
_ATTACHED = re.compile(r"sha256-([0-9a-f]{64})\.(sig|att)")
_MANIFESTS = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
]
_TASK_DEFINITION = re.compile(r"arn:[\w-]+:ecs:[\w-]+:\d{12}:task-definition/[\w-]+:\d+")
_CALLS = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3})


def handler(event: Mapping[str, Any], _context: object) -> dict[str, list[str]]:
    """Tag what is in use, then remove the tags of what is not; doing it again changes nothing.

    The tags are listed first: a tag of a deployment that begins meanwhile is not in the list, so it stays.
    Raises what a call raises, so that Lambda invokes the function again; nothing is removed then.
    """
    tags = _tags()
    used: set[str] = set()
    result: dict[str, list[str]] = {"tagged": [], "missing": [], "untagged": []}
    for digest in _used_digests(event.get("detail", {}).get("deploymentId", "")):
        used.add(digest)
        if digest not in tags:
            result["missing"].append(digest)
        elif _in_use_tag(digest) not in tags[digest]:
            _tag(digest)
            result["tagged"].append(digest)
    for digest in tags.keys() - used:
        if _untag(tags[digest]):
            result["untagged"].append(digest)
    result["detached"] = _detach(tags)
    print(json.dumps({**result, "in use": sorted(used)}))
    return result


def _tags() -> dict[str, set[str]]:
    """Return the tags of each image of the repository, by digest."""
    found: dict[str, set[str]] = defaultdict(set)
    pages = _client("ecr").get_paginator("list_images").paginate(repositoryName=_repository())
    for page in pages:
        for image in page["imageIds"]:
            found[image["imageDigest"]] |= {image["imageTag"]} if "imageTag" in image else set()
    return found


def _used_digests(deployment: str) -> Iterator[str]:
    """Yield the digests of our images that are in use, those that run first; `deployment` is the event's."""
    ecs, prefix = _client("ecs"), f"{os.environ['IMAGE_REPOSITORY_URI']}@"
    seen: set[str] = set()
    for name in _task_definitions(deployment):
        task = ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
        for container in task["containerDefinitions"]:
            image = container["image"]
            # The image of the bootstrap server is not ours.
            if image.startswith(prefix) and image not in seen:
                seen.add(image)
                yield image.removeprefix(prefix)


def _task_definitions(deployment: str) -> Iterator[str]:
    cluster, service = os.environ["CLUSTER"], os.environ["SERVICE"]
    for found in _client("ecs").describe_services(cluster=cluster, services=[service])["services"]:
        for task_set in found.get("taskSets", []):
            yield task_set["taskDefinition"]
    for revision in _revisions(deployment):
        yield _task_definition(revision)


def _revisions(deployment: str) -> Iterator[Mapping[str, Any]]:
    """Yield the revisions of the event's, the last attempted and the last successful deployment.

    Each with the revision before it. Only the event names a deployment that begins for certain.
    """
    codedeploy = _client("codedeploy")
    group = codedeploy.get_deployment_group(
        applicationName=os.environ["APPLICATION"], deploymentGroupName=os.environ["DEPLOYMENT_GROUP"]
    )["deploymentGroupInfo"]
    last = [group.get(key, {}) for key in ("lastAttemptedDeployment", "lastSuccessfulDeployment")]
    for each in {deployment, *(one.get("deploymentId", "") for one in last)} - {""}:
        info = codedeploy.get_deployment(deploymentId=each)["deploymentInfo"]
        yield from (info[key] for key in ("revision", "previousRevision") if key in info)


def _task_definition(revision: Mapping[str, Any]) -> str:
    """Return the task definition of a revision, whose content only GetApplicationRevision returns.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html
    """
    found = _client("codedeploy").get_application_revision(
        applicationName=os.environ["APPLICATION"], revision=revision
    )["revision"]
    match = _TASK_DEFINITION.search(json.dumps(found))
    if match is None:
        raise ValueError(f"the revision {json.dumps(revision)} names no task definition")
    return match[0]


def _in_use_tag(digest: str) -> str:
    return f"{IN_USE}{digest.removeprefix('sha256:')[:_DIGEST_CHARACTERS]}"


def _tag(digest: str) -> None:
    """Add the tag: ECR adds one to an image by a PutImage of its own manifest.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-retag.html
    """
    ecr = _client("ecr")
    (image,) = ecr.batch_get_image(
        repositoryName=_repository(), imageIds=[{"imageDigest": digest}], acceptedMediaTypes=_MANIFESTS
    )["images"]
    try:
        ecr.put_image(
            repositoryName=_repository(),
            imageManifest=image["imageManifest"],
            imageManifestMediaType=image["imageManifestMediaType"],
            imageTag=_in_use_tag(digest),
            imageDigest=digest,
        )
    except ecr.exceptions.ImageAlreadyExistsException:
        print(f"{digest} has been tagged meanwhile")


def _untag(tags: set[str]) -> bool:
    """Remove an image's tags that say that it is in use; return whether it had one.

    ECR deletes an image with its last tag, so an image without another tag keeps this one.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/delete_image.html
    """
    stale = sorted(tag for tag in tags if tag.startswith(IN_USE))
    if not stale or len(stale) == len(tags):
        return False
    _client("ecr").batch_delete_image(
        repositoryName=_repository(), imageIds=[{"imageTag": tag} for tag in stale]
    )
    return True


def _detach(tags: Mapping[str, set[str]]) -> list[str]:
    """Delete the signatures and the provenance of images that are gone; return their tags.

    The list has several pages, so an image that it lacks is looked up: it may have been pushed meanwhile.
    """
    names = {
        name: f"sha256:{found[1]}"
        for name in set().union(*tags.values())
        if (found := _ATTACHED.fullmatch(name))
    }
    stale = sorted(name for name, digest in names.items() if digest not in tags and not _exists(digest))
    for name in stale:
        _client("ecr").batch_delete_image(repositoryName=_repository(), imageIds=[{"imageTag": name}])
    return stale


def _exists(digest: str) -> bool:
    found = _client("ecr").batch_get_image(
        repositoryName=_repository(), imageIds=[{"imageDigest": digest}], acceptedMediaTypes=_MANIFESTS
    )
    return bool(found["images"])


def _repository() -> str:
    return os.environ["IMAGE_REPOSITORY_URI"].partition("/")[2]


def _client(service: str) -> Any:
    return boto3.client(service, config=_CALLS)
