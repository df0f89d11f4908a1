"""The contract files between the repository and AWS, as data."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILES = (
    "Dockerfile",
    "appspec.yaml",
    "buildspec.yml",
    "buildspec-image.yml",
    "taskdef.json",
    "sample_service",
    "requirements",
)

# The variables that the two CodeBuild projects set: the side of the template.
ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "CODEBUILD_BUILD_ID": "build-dev:7a1b",
    "CODEBUILD_BUILD_SUCCEEDING": "1",
    "CODEBUILD_RESOLVED_SOURCE_VERSION": "0123456789abcdef0123456789abcdef01234567",
    "CONTAINER_NAME": "app",
    "CONTAINER_PORT": "8080",
    "DOCKER_HUB_PASSWORD_PARAMETER": "/docker-hub-dev/password",
    "DOCKER_HUB_USERNAME": "anonymous",
    "EXECUTION_ROLE_ARN": "arn:aws:iam::123456789012:role/execution-role-dev",
    "HEALTH_PATH": "/health",
    "IMAGE_REPOSITORY_URI": "123456789012.dkr.ecr.us-east-1.amazonaws.com/images-dev",
    "REPORT_GROUP_ARN": "arn:aws:codebuild:us-east-1:123456789012:report-group/unit-tests-dev",
    "SERVICE_FOLDER": "sample_service",
    "TASK_CPU": "256",
    "TASK_FAMILY": "task-dev",
    "TASK_LOG_GROUP": "/ecs/task-dev",
    "TASK_MEMORY": "512",
    "TEST_TRAFFIC_HOOK": "test-traffic-hook-dev",
    "TASK_ROLE_ARN": "arn:aws:iam::123456789012:role/task-role-dev",
}


def constants(code: str) -> dict[str, Any]:
    """Return what `code` assigns literally, without running it: Flask is not installed here."""
    found: dict[str, Any] = {}
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            found |= dict.fromkeys(names, node.value.value)
    return found


@dataclass(frozen=True)
class Contract:
    """The contract files of one folder, parsed."""

    root: Path
    dockerfile: str
    tests: dict[str, Any]
    image: dict[str, Any]
    appspec: dict[str, Any]
    taskdef: dict[str, Any]
    gunicorn: dict[str, Any]

    @classmethod
    def read(cls, root: Path = ROOT) -> Contract:
        """Read the files under `root`; raises what the parsers raise."""
        return cls(
            root=root,
            dockerfile=(root / "Dockerfile").read_text(),
            tests=yaml.safe_load((root / "buildspec.yml").read_text()),
            image=yaml.safe_load((root / "buildspec-image.yml").read_text()),
            appspec=yaml.safe_load((root / "appspec.yaml").read_text()),
            taskdef=json.loads((root / "taskdef.json").read_text()),
            gunicorn=constants((root / "sample_service" / "gunicorn.conf.py").read_text()),
        )

    @property
    def container(self) -> dict[str, Any]:
        """Return the only container of taskdef.json."""
        (container,) = self.taskdef["containerDefinitions"]
        return dict(container)

    @property
    def target_service(self) -> dict[str, Any]:
        """Return the properties of the only resource of appspec.yaml."""
        (resource,) = self.appspec["Resources"]
        return dict(resource["TargetService"]["Properties"])

    @property
    def hooks(self) -> dict[str, str]:
        """Return the functions of appspec.yaml by their lifecycle events."""
        return {event: function for hook in self.appspec.get("Hooks", []) for event, function in hook.items()}

    @property
    def commands(self) -> list[str]:
        """Return every command of both buildspecs in the order in which CodeBuild runs them."""
        phases = [phase for spec in (self.tests, self.image) for phase in spec["phases"].values()]
        return [command for phase in phases for command in phase["commands"]]

    def instruction(self, name: str) -> str:
        """Return what follows the last instruction `name` of the Dockerfile, e.g. CMD."""
        return str(re.findall(rf"^{name} (.+)$", self.dockerfile, re.MULTILINE)[-1])

    def step(self, text: str) -> int:
        """Return the position of the first command that holds `text`; fails if there is none."""
        found = [index for index, command in enumerate(self.commands) if text in command]
        assert found, f"no command of the buildspecs holds: {text}"
        return found[0]

    @property
    def placeholders(self) -> dict[str, str]:
        """Return the variables that Build renders, each with the file that needs it."""
        files = {"taskdef.json": self.taskdef, "appspec.yaml": self.appspec}
        return {
            variable: name
            for name, content in files.items()
            for variable in sorted(set(re.findall(r"\$\{(\w+)\}", json.dumps(content))))
        }
