"""The settings of an environment in cdk.json, and on the command line, that preflight checks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from operations.catalogue import entry_of, read_context, service_of

# Every suffix without settings of its own has those of dev.
FALLBACK = "dev"


@dataclass(frozen=True)
class Settings:
    """What one environment takes of an account, who is notified, and how the service is public."""

    networks: int
    nat_gateways: int
    tasks: int
    cpu: int
    notification_email: str = ""
    notification_channel: str = "email"
    certificate_arn: str = ""
    allow_http: bool = False
    required_approvals: int = 0
    promote_to: tuple[str, ...] = ()
    promoted_from: bool = False
    approvers: bool = False
    # As cdk.json has it; None if the environment creates its own VPC.
    existing_vpc: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, suffix: str, path: Path, given: Mapping[str, str] = MappingProxyType({})) -> "Settings":
        """Read the settings of a suffix, which may begin with a service of the catalogue.

        `given` is what `cdk` gets with `-c`; it precedes cdk.json.
        """
        context = read_context(path)
        name, service = service_of(suffix, context), entry_of(suffix, context)
        environments = context["environments"]
        environment = environments.get(suffix.removeprefix(f"{name}-"), environments[FALLBACK])
        # What the context has itself precedes the service, and that the environment.
        own = {"desiredCount": service.get("tasks"), "taskCpu": service.get("cpu")}
        own = {key: value for key, value in own.items() if value is not None}
        values = {**environment, **own, **context, **given}
        existing = values.get("existingVpc")
        networks = 0 if existing or service.get("network") == "shared" else 1
        return cls(
            networks=networks,
            nat_gateways=int(values["natGateways"]) * networks,
            tasks=_most_tasks(service, values),
            cpu=int(values["taskCpu"]),
            notification_email=values.get("notificationEmail") or "",
            notification_channel=values.get("notificationChannel") or "email",
            certificate_arn=values.get("certificateArn") or "",
            allow_http=str(values.get("allowHttp")).lower() == "true",
            required_approvals=int(values.get("requiredApprovals") or 0),
            promote_to=_suffixes(values.get("promoteTo") or ()),
            promoted_from=bool(values.get("promotedFrom")),
            approvers=bool(values.get("approvers")),
            existing_vpc=existing,
        )

    @property
    def fargate_vcpus(self) -> int:
        """The vCPUs of the blue and the green tasks, which run at the same time during a deployment."""
        return math.ceil(2 * self.tasks * self.cpu / 1024)


def _most_tasks(service: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """Return how many tasks of a version may run."""
    scaling = service.get("scaling")
    return int(scaling["max"] if scaling else values["desiredCount"])


def _suffixes(promotions: Any) -> tuple[str, ...]:
    """Return the suffixes of `promoteTo`, in the form of the command line or of JSON."""
    listed = promotions.split(",") if isinstance(promotions, str) else promotions
    return tuple(one["environment"] if isinstance(one, dict) else one.partition("@")[0] for one in listed)
