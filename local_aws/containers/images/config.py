"""The configuration of an image, in memory and as Docker's JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class ImageConfig:
    """The `config` object of an image's configuration."""

    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    working_directory: str = "/"
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    exposed_ports: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"
    # As in Docker's JSON: {"Test": ["CMD", ...], "Interval": nanoseconds, ...}
    health_check: Mapping[str, Any] | None = None

    def with_environment(self, **changes: str) -> "ImageConfig":
        """Return a copy with more environment variables."""
        return replace(self, environment={**self.environment, **changes})

    def to_json(self) -> dict[str, Any]:
        """Return the object as `docker inspect` shows it under `Config`."""
        optional = {
            "Cmd": list(self.command),
            "Entrypoint": list(self.entrypoint),
            "Labels": dict(self.labels),
            "ExposedPorts": {port: {} for port in self.exposed_ports},
            "Healthcheck": dict(self.health_check or {}),
        }
        return {
            "Env": [f"{key}={value}" for key, value in self.environment.items()],
            "WorkingDir": self.working_directory,
            "User": self.user,
            "StopSignal": self.stop_signal,
            **{key: value for key, value in optional.items() if value},
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "ImageConfig":
        """Read the JSON of `to_json` or of another builder."""
        return cls(
            environment=dict(item.split("=", 1) for item in content.get("Env") or []),
            command=tuple(content.get("Cmd") or ()),
            entrypoint=tuple(content.get("Entrypoint") or ()),
            working_directory=content.get("WorkingDir") or "/",
            user=content.get("User") or "",
            labels=dict(content.get("Labels") or {}),
            exposed_ports=tuple(content.get("ExposedPorts") or ()),
            stop_signal=content.get("StopSignal") or "SIGTERM",
            health_check=content.get("Healthcheck"),
        )


# The configuration of a python base image, without its PYTHON_VERSION.
BASE_CONFIG = ImageConfig({"PATH": PATH, "LANG": "C.UTF-8"}, command=("python3",))
