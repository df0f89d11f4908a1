"""Revisions: where an AppSpec is stored, or its content."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any


def revision_key(location: Mapping[str, Any]) -> str:
    """Return the key that identifies a revision."""
    return repr(sorted(hide_content(location).items(), key=lambda item: item[0]))


def with_sha256(location: Mapping[str, Any]) -> dict[str, Any]:
    """Return a revision's location with the SHA-256 of its content, which identifies it."""
    for key in ("appSpecContent", "string"):
        if key in location:
            content = location[key].get("content", "")
            digest = hashlib.sha256(content.encode()).hexdigest()
            return {**location, key: {"sha256": digest, **location[key]}}
    return dict(location)


def hide_content(location: Mapping[str, Any]) -> dict[str, Any]:
    """Return a location without its content, as AWS answers it (only GetApplicationRevision shows it)."""
    return {
        key: {name: item for name, item in value.items() if name != "content"}
        if isinstance(value, Mapping)
        else value
        for key, value in location.items()
    }


def read_content(s3: Callable[[], Any], location: Mapping[str, Any]) -> str:
    """Return the AppSpec that a revision's location names; `s3` makes a client when it is in S3."""
    if location["revisionType"] == "S3":
        part = location["s3Location"]
        answer = s3().get_object(Bucket=part["bucket"], Key=part["key"])
        content: bytes = answer["Body"].read()
        return content.decode()
    key = "appSpecContent" if "appSpecContent" in location else "string"
    return str(location[key]["content"])
