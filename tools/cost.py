"""Writes docs/cost.md: what an environment costs, counted in its synthesized templates.

`python -m tools.cost --write | --check`: exit code 1 when the page is not current.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure.config.environments import ENVIRONMENTS
from infrastructure.config.settings import Config
from tools import prices
from tools.assembly import PROJECT, defaults, synthesize
from tools.prices import HOURS_A_MONTH, READ, Price

PAGE = PROJECT / "docs" / "cost.md"
# What a release takes on AWS: the build as we expect it, the pipeline's Source in a minute.
BUILD_MINUTES = 4
SHIFT_MINUTES = {
    "AllAtOnce": 0,
    "Canary10Percent5Minutes": 5,
    "Canary10Percent15Minutes": 15,
    "Linear10PercentEvery1Minutes": 9,
    "Linear10PercentEvery3Minutes": 27,
}
# Until green's tasks are healthy and the gate has asked them.
GREEN_STARTS_MINUTES = 5
# A compressed image of the sample service, and of a release's log and its way through NAT.
IMAGE_GIGABYTES = 0.06
LOG_GIGABYTES = 0.001
# Private subnets need these for a task to start without NAT (pitfall J1).
ENDPOINTS = ("ecr.api", "ecr.dkr", "logs")
ZONES = 2


@dataclass(frozen=True)
class Line:
    """One line of a bill: `count` units of a price."""

    what: str
    count: float
    price: Price

    @property
    def usd(self) -> float:
        """What it costs."""
        return self.count * self.price.usd


def monthly(config: Config, resources: Mapping[str, int]) -> list[Line]:
    """Return what an environment costs in a month in which nobody pushes or asks for anything."""
    nats, tasks, hours = resources["AWS::EC2::NatGateway"], config.desired_count, HOURS_A_MONTH
    images = config.image_retention * IMAGE_GIGABYTES
    return [
        Line("NAT gateways", nats * hours, prices.NAT_GATEWAY),
        Line("the load balancer", hours, prices.LOAD_BALANCER),
        Line("public addresses", (nats + ZONES) * hours, prices.PUBLIC_ADDRESS),
        Line("tasks: CPU", tasks * config.task_cpu / 1024 * hours, prices.FARGATE_CPU),
        Line("tasks: memory", tasks * config.task_memory / 1024 * hours, prices.FARGATE_MEMORY),
        Line("keys", resources["AWS::KMS::Key"], prices.KEY),
        Line("alarms", resources["AWS::CloudWatch::Alarm"], prices.ALARM),
        Line("the dashboard", resources["AWS::CloudWatch::Dashboard"], prices.DASHBOARD),
        Line("images", images, prices.IMAGE_GIGABYTE),
    ]


def shift_minutes(config: Config) -> int:
    """Return for how long CodeDeploy works: green starts, the traffic shifts, blue stays for a while."""
    name = config.deployment_config
    shift = next(minutes for end, minutes in SHIFT_MINUTES.items() if name.endswith(end))
    return GREEN_STARTS_MINUTES + shift + config.termination_wait_minutes


def per_release(config: Config) -> list[Line]:
    """Return what one release costs on top: build, pipeline, and the second set of tasks while it lasts."""
    minutes = shift_minutes(config)
    both = minutes / 60 * config.desired_count
    return [
        Line(f"a build of {BUILD_MINUTES} minutes", BUILD_MINUTES, prices.BUILD_MINUTE),
        Line("the pipeline", 1 + BUILD_MINUTES + minutes, prices.PIPELINE_MINUTE),
        Line("green beside blue: CPU", both * config.task_cpu / 1024, prices.FARGATE_CPU),
        Line("green beside blue: memory", both * config.task_memory / 1024, prices.FARGATE_MEMORY),
        Line("the image through NAT", IMAGE_GIGABYTES * config.desired_count, prices.NAT_GIGABYTE),
        Line("logs", LOG_GIGABYTES, prices.LOG_GIGABYTE),
    ]


def page() -> str:
    """Return docs/cost.md."""
    context = defaults()
    configs = [Config.from_context({**context, "environmentSuffix": name}) for name in context[ENVIRONMENTS]]
    bills = [monthly(config, _counted(context, config.environment_suffix)) for config in configs]
    releases = [per_release(config) for config in configs]
    names = [config.environment_suffix for config in configs]
    lasts = ", ".join(f"{shift_minutes(one)} minutes in {one.environment_suffix}" for one in configs)
    return "\n".join(
        [
            ABOUT,
            "## A month without a push\n",
            *_table(names, bills),
            "\n## One release\n",
            *_table(names, releases),
            f"\nIt takes CodeDeploy {lasts}.\n",
            *_comparisons(configs[0]),
            "\n## Prices\n",
            *_prices(),
            "",
        ]
    )


ABOUT = f"""# What it costs

Written by `python -m tools.cost --write` from the synthesized templates and from list prices of
us-east-1 in USD, read on {READ}, before taxes, discounts and free tiers. Requests are not in it: the load
balancer's capacity units, data that leaves AWS, your own logs.
"""


def _counted(context: Mapping[str, Any], suffix: str) -> Counter[str]:
    with tempfile.TemporaryDirectory() as folder:
        synthesize({**context, "environmentSuffix": suffix}, Path(folder))
        templates = [json.loads(path.read_text("utf-8")) for path in Path(folder).glob("*.template.json")]
    return Counter(one["Type"] for template in templates for one in template["Resources"].values())


def _table(names: list[str], bills: list[list[Line]]) -> Iterator[str]:
    yield f"| | {' | '.join(names)} |"
    yield f"|---|{'---:|' * len(names)}"
    for row in zip(*bills, strict=True):
        whats = dict.fromkeys(line.what for line in row)
        yield f"| {' / '.join(whats)} | {' | '.join(_money(line.usd) for line in row)} |"
    sums = [_money(sum(line.usd for line in bill)) for bill in bills]
    yield f"| **together** | {' | '.join(f'**{one}**' for one in sums)} |"


def _comparisons(config: Config) -> Iterator[str]:
    yield "## Compared\n"
    nat = prices.NAT_GATEWAY.usd * HOURS_A_MONTH
    endpoints = prices.ENDPOINT.usd * HOURS_A_MONTH * len(ENDPOINTS) * ZONES
    one_release = (1 + BUILD_MINUTES + shift_minutes(config)) * prices.PIPELINE_MINUTE.usd
    even = round(prices.PIPELINE_V1.usd / one_release)
    yield "| choice | a month | |"
    yield "|---|---:|---|"
    yield f"| one NAT gateway | {_money(nat)} | a zone that fails takes the way out with it |"
    yield f"| two NAT gateways | {_money(2 * nat)} | one a zone |"
    yield (
        f"| {len(ENDPOINTS)} interface endpoints in {ZONES} zones | {_money(endpoints)} | no NAT, but no "
        "public ECR either: the first image has to be somewhere else (pitfalls B1, J1) |"
    )
    yield (
        f"| a V2 pipeline | {_money(one_release)} a release | from {even} releases a month on, V1 would be "
        "cheaper; it has no QUEUED mode, variables or stage rollback |"
    )
    yield f"| a V1 pipeline | {_money(prices.PIPELINE_V1.usd)} | if anything ran in that month |"


def _prices() -> Iterator[str]:
    yield "| USD | for each | AWS's page |"
    yield "|---:|---|---|"
    for one in [value for value in vars(prices).values() if isinstance(value, Price)]:
        yield f"| {one.usd:g} | {one.unit} | https://aws.amazon.com/{one.page} |"


def _money(usd: float) -> str:
    return f"{usd:.2f}" if usd >= 1 else f"{usd:.3f}"


def main() -> int:
    """Do what the one argument asks."""
    parser = argparse.ArgumentParser(prog="python -m tools.cost", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="write docs/cost.md")
    what.add_argument("--check", action="store_true", help="say whether it is current, and change nothing")
    if parser.parse_args().write:
        PAGE.write_text(page(), "utf-8")
    elif not PAGE.is_file() or PAGE.read_text("utf-8") != page():
        print(f"error: docs/cost.md is not current: {parser.prog} --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
