"""All mutations of the templates of the app, and what local_aws says to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from tools.synthesis import defaults, every_option
from unit_tests.assembly_cache import cached_assembly
from unit_tests.local_aws.cloudformation_cloud import Cloud
from unit_tests.local_aws.template_mutations.deployments import creation_refusal
from unit_tests.local_aws.template_mutations.explanations import EXPLAINED
from unit_tests.local_aws.template_mutations.flat_template import Resources, flat_resources
from unit_tests.local_aws.template_mutations.mutations import Mutation, mutations
from unit_tests.local_aws.template_mutations.verdicts import closure, validation_refusal


@dataclass(frozen=True)
class Case:
    """A mutation, and the resources among which it stands."""

    mutation: Mutation
    resources: Resources

    @property
    def name(self) -> str:
        return self.mutation.name


@cache
def templates() -> tuple[Resources, ...]:
    """Return the resources of an environment with its defaults, and of one with every option.

    Without a certificate, which does not exist.
    """
    options = {key: value for key, value in every_option().items() if key != "certificateArn"}
    return tuple(flat_resources(cached_assembly(context)) for context in (defaults(), options))


@cache
def cases() -> tuple[Case, ...]:
    """Return each mutation once."""
    found: dict[str, Case] = {}
    for resources in templates():
        for mutation in mutations(resources):
            found.setdefault(mutation.name, Case(mutation, resources))
    return tuple(found.values())


@cache
def accepted_by_validation() -> tuple[Case, ...]:
    """Return the cases that CloudFormation begins to deploy."""
    return tuple(case for case in cases() if validation_refusal(case.mutation, case.resources) is None)


def refusals(cloud: Cloud, deployed: Iterable[Case]) -> Mapping[str, str | None]:
    """Deploy each case; return why its resource is not created, or None, by the name of the case."""
    return {
        case.name: creation_refusal(
            cloud, f"mutation-{number}", closure(case.mutation, case.resources), case.mutation.logical_id
        )
        for number, case in enumerate(deployed)
    }


def unexplained(found: Mapping[str, str | None]) -> list[str]:
    """Return what is accepted without an explanation."""
    return [name for name, refusal in found.items() if refusal is None and name not in EXPLAINED]
