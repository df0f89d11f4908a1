"""The outputs of the root stack, which the harness and operators read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields


def _key(field: str) -> str:
    return "".join(word.capitalize() for word in field.split("_"))


@dataclass(frozen=True)
class Outputs:
    """The outputs of the root stack; the field `service_url` is the output `ServiceUrl`."""

    region: str
    service_url: str
    test_url: str
    load_balancer_dns_name: str
    clone_url_http: str
    repository_name: str
    pipeline_name: str
    pipeline_arn: str
    test_project_name: str
    build_project_name: str
    application_name: str
    deployment_group_name: str
    cluster_name: str
    service_name: str
    image_repository_name: str
    image_repository_uri: str
    artifact_bucket_name: str
    topic_arn: str
    task_log_group_name: str
    test_log_group_name: str
    build_log_group_name: str
    traffic_hook_log_group_name: str
    event_log_group_name: str
    dashboard_url: str

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """Return the keys of the outputs in CloudFormation."""
        return tuple(_key(field.name) for field in fields(cls))

    @classmethod
    def from_stack(cls, outputs: Mapping[str, str]) -> Outputs:
        """Read the outputs of a deployed stack; other keys are ignored.

        Raises KeyError with every missing output.
        """
        missing = sorted(set(cls.keys()) - set(outputs))
        if missing:
            raise KeyError(
                f"the stack has no output {', '.join(missing)}; deploy it with this version of the app"
            )
        return cls(**{field.name: outputs[_key(field.name)] for field in fields(cls)})

    def to_stack(self) -> dict[str, str]:
        """Return the values by their keys in CloudFormation."""
        return {_key(name): value for name, value in asdict(self).items()}
