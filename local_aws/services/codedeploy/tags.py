"""The tags of applications and deployment groups."""

from collections.abc import Iterable, Mapping


class Tags:
    """Tags by ARN."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, str]] = {}

    def add(self, arn: str, tags: Iterable[Mapping[str, str]]) -> None:
        """Set tags; a key that exists gets the new value."""
        self._tags.setdefault(arn, {}).update({tag["Key"]: tag["Value"] for tag in tags})

    def remove(self, arn: str, keys: Iterable[str]) -> None:
        """Remove tags."""
        for key in keys:
            self._tags.get(arn, {}).pop(key, None)

    def of(self, arn: str) -> list[dict[str, str]]:
        """Return the tags of a resource."""
        return [{"Key": key, "Value": value} for key, value in self._tags.get(arn, {}).items()]

    def delete(self, arn: str) -> None:
        """Delete all tags of a resource."""
        self._tags.pop(arn, None)
