"""A property that no handler acts on fails its resource: handlers get mappings that know their reads."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.core.access_tracking import track
from local_aws.ministack.compat import require

Handler = dict[str, Any]

# Type -> path -> why nothing here can act on it, in one sentence. A path covers all that is under it.
UNREAD_WITH_REASON: dict[str, dict[str, str]] = {
    "AWS::ECR::Repository": {"EmptyOnDelete": "It is read by the delete, which asks for it."},
    "AWS::KMS::Key": {"PendingWindowInDays": "It is read by the delete, which schedules by it."},
    "AWS::CodeCommit::Repository": {"Code": "AWS reads it when it makes the repository only (pitfall B4)."},
    "AWS::CDK::Metadata": {"Analytics": "The CDK's own usage analytics; no service acts on it."},
}


def install() -> None:
    """Wrap every handler that CloudFormation has by now."""
    provisioners = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
    for name, handler in provisioners._RESOURCE_HANDLERS.items():
        provisioners._RESOURCE_HANDLERS[name] = strict(name, handler)


def strict(name: str, handler: Handler) -> Handler:
    """Return `handler` with a create and an update that fail on a property which was not read."""
    wrapped = dict(handler)
    if "create" in handler:
        wrapped["create"] = _create(name, handler)
    if "update" in handler:
        wrapped["update"] = _update(name, handler)
    elif name != "AWS::CloudFormation::CustomResource":
        # MiniStack would create it a second time, or drop the change of a tag without a word.
        wrapped["update"] = _refuse_update(name)
        wrapped.pop("update_with_logical_id", None)
    return wrapped


def _create(name: str, handler: Handler) -> Callable[..., tuple[str, dict[str, Any]]]:
    def create(logical_id: str, props: Mapping[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        tracked, reads = track(props)
        physical_id, attributes = handler["create"](logical_id, tracked, stack)
        del tracked
        unread = _without_reason(name, reads.unread(props))
        if unread:
            handler["delete"](
                physical_id, props, *([logical_id] if handler.get("delete_with_logical_id") else [])
            )
            raise ValueError(_message(name, unread))
        return physical_id, attributes

    return create


def _update(name: str, handler: Handler) -> Callable[..., tuple[str, dict[str, Any]]]:
    def update(
        physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], *rest: str
    ) -> tuple[str, dict[str, Any]]:
        tracked_old, old_reads = track(old)
        tracked_new, new_reads = track(new)
        result: tuple[str, dict[str, Any]] = handler["update"](physical_id, tracked_old, tracked_new, *rest)
        del tracked_old, tracked_new
        changed = {key: new[key] for key in new if key not in old or old[key] != new[key]}
        # Nothing changed when the template only took a property away.
        unread = new_reads.unread(changed) if changed else []
        asked = old_reads.paths | new_reads.paths
        unread += [key for key in old if key not in new and key not in asked]
        unread = _without_reason(name, unread)
        if unread:
            # The engine takes it that a handler which failed changed nothing.
            if result[0] == physical_id:
                handler["update"](physical_id, new, old, *rest)
            else:
                handler["delete"](result[0], new)
            raise ValueError(_message(name, unread))
        return result

    return update


def _refuse_update(name: str) -> Callable[..., tuple[str, dict[str, Any]]]:
    def update(physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], *_: str) -> Any:
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        raise ValueError(f"local_aws cannot update {name}: {', '.join(changed)} of {physical_id}")

    return update


def _without_reason(name: str, paths: list[str]) -> list[str]:
    known = UNREAD_WITH_REASON.get(name, {})
    return [path for path in paths if not any(path == k or path.startswith(k + ".") for k in known)]


def _message(name: str, paths: list[str]) -> str:
    return f"local_aws does not act on {', '.join(f'{name} {path}' for path in paths)}"
