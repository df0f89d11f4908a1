"""Print how far each synthesized template is from CloudFormation's limits: `python -m tools.template_limits`.

Exit code 1 when one is over a limit, 2 when nothing was synthesized.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infrastructure.errors import AppError

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LIMITS = {"bytes": 1_000_000, "resources": 500, "parameters": 200, "outputs": 200}
ROOT = "Stack"
WIDTH = 18


@dataclass(frozen=True)
class Template:
    """One template's name in the construct tree, and its counts by the names of `LIMITS`."""

    name: str
    counts: dict[str, int]

    @property
    def over(self) -> list[str]:
        """Say which limits it does not keep."""
        return [
            f"{self.name} has {self.counts[limit]} {limit}, and CloudFormation takes {most}"
            for limit, most in LIMITS.items()
            if self.counts[limit] > most
        ]


def templates(folder: Path, name: str = ROOT, file: str = f"{ROOT}.template.json") -> Iterator[Template]:
    """Count what the templates in `folder` have: the root's, then every nested one's."""
    try:
        text = (folder / file).read_bytes()
    except FileNotFoundError:
        raise AppError(f"{folder / file} is not there: run `make synth`, which synthesizes it") from None
    template = json.loads(text)
    sections = {limit: len(template.get(limit.capitalize(), {})) for limit in LIMITS if limit != "bytes"}
    yield Template(name, {"bytes": len(text), **sections})
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            path = str(resource["Metadata"]["aws:cdk:path"])
            parent, _, _ = path.rpartition(".NestedStack/")
            yield from templates(folder, parent, resource["Metadata"]["aws:asset:path"])


def table(found: list[Template]) -> Iterator[str]:
    """Write a line for each template under a line with the limits."""
    yield "".join([f"{'template':<{WIDTH}}", *(f"{f'{n} / {most}':>{WIDTH}}" for n, most in LIMITS.items())])
    for template in found:
        yield "".join(
            [f"{template.name:<{WIDTH}}", *(f"{template.counts[limit]:>{WIDTH}}" for limit in LIMITS)]
        )


def main(folder: Path) -> int:
    """Print the table, and what is over a limit."""
    try:
        found = list(templates(folder))
    except AppError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(table(found)))
    over = [line for template in found for line in template.over]
    for line in over:
        print(f"error: {line}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(Path("cdk.out")))
