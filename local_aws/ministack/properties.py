"""Fails a resource with a property that no handler reads: handlers get mappings that track their reads."""

from collections.abc import Callable
from functools import partial

from local_aws.core.access_tracking import track
from local_aws.core.cloudformation import Properties
from local_aws.ministack.handlers import Created, Handler, resource_handlers
from local_aws.ministack.property_validation import check_properties

# Resource type -> path -> why no handler reads it, in one sentence. A path covers all paths below it.
UNREAD_WITH_REASON: dict[str, dict[str, str]] = {
    "AWS::ECR::Repository": {"EmptyOnDelete": "The delete reads it."},
    "AWS::KMS::Key": {"PendingWindowInDays": "The delete reads it, to schedule the key's deletion."},
    "AWS::CodeCommit::Repository": {"Code": "AWS reads it only when it creates the repository (pitfall B4)."},
    "AWS::CDK::Metadata": {"Analytics": "The CDK's own usage analytics; no service reads it."},
}


def patch_property_checks() -> None:
    """Wrap every handler that is registered by now."""
    handlers = resource_handlers()
    for resource_type, handler in handlers.items():
        handlers[resource_type] = strict(resource_type, handler)


def strict(resource_type: str, handler: Handler) -> Handler:
    """Return `handler` with a create and an update that fail on a property that they did not read."""
    wrapped = dict(handler)
    if "create" in handler:
        wrapped["create"] = _create(resource_type, handler)
    if "update" in handler:
        wrapped["update"] = _update(resource_type, handler)
    elif resource_type != "AWS::CloudFormation::CustomResource":
        # MiniStack would create it a second time, or silently ignore the change of a tag.
        wrapped["update"] = _refuse_update(resource_type)
        wrapped.pop("update_with_logical_id", None)
    return wrapped


def _create(resource_type: str, handler: Handler) -> Callable[..., Created]:
    unexplained = partial(_without_reason, resource_type)

    def create(logical_id: str, props: Properties, stack: str) -> Created:
        check_properties(resource_type, logical_id, props)
        tracked, reads = track(props)
        physical_id, attributes = handler["create"](logical_id, tracked, stack)
        del tracked
        unread = reads.unread(props, unexplained)
        if unread:
            handler["delete"](
                physical_id, props, *([logical_id] if handler.get("delete_with_logical_id") else [])
            )
            raise ValueError(_message(resource_type, unread))
        return physical_id, attributes

    return create


def _update(resource_type: str, handler: Handler) -> Callable[..., Created]:
    unexplained = partial(_without_reason, resource_type)

    def update(physical_id: str, old: Properties, new: Properties, *rest: str) -> Created:
        # The last is the logical id, if the handler wants it.
        check_properties(resource_type, [physical_id, *rest][-1], new)
        tracked_old, old_reads = track(old)
        tracked_new, new_reads = track(new)
        result: Created = handler["update"](physical_id, tracked_old, tracked_new, *rest)
        del tracked_old, tracked_new
        changed = {key: new[key] for key in new if key not in old or old[key] != new[key]}
        # Empty if the template only removed a property.
        unread = new_reads.unread(changed, unexplained) if changed else []
        read = old_reads.paths | new_reads.paths
        unread += unexplained([key for key in old if key not in new and key not in read])
        if unread:
            # The engine expects a handler that fails to have changed nothing.
            if result[0] == physical_id:
                handler["update"](physical_id, new, old, *rest)
            else:
                handler["delete"](result[0], new)
            raise ValueError(_message(resource_type, unread))
        return result

    return update


def _refuse_update(resource_type: str) -> Callable[..., Created]:
    def update(physical_id: str, old: Properties, new: Properties, *_: str) -> Created:
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        raise ValueError(f"local_aws cannot update {resource_type}: {', '.join(changed)} of {physical_id}")

    return update


def _without_reason(resource_type: str, paths: list[str]) -> list[str]:
    known = UNREAD_WITH_REASON.get(resource_type, {})
    return [path for path in paths if not any(path == k or path.startswith(k + ".") for k in known)]


def _message(resource_type: str, paths: list[str]) -> str:
    return f"local_aws does not support {', '.join(f'{resource_type} {path}' for path in paths)}"
