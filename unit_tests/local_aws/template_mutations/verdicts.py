"""What local_aws says to a mutation: refused before a deployment, in it, or accepted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_aws.ministack.property_validation import engine, property_errors
from local_aws.ministack.template_references import reference_violation
from unit_tests.local_aws.template_mutations.flat_template import Resources
from unit_tests.local_aws.template_mutations.mutations import Mutation

SERVICE = "AWS::ECS::Service"
# The listeners are in an earlier nested stack, and the service names only the family of its definition.
BEFORE_SERVICE = ("AWS::ECS::TaskDefinition", "AWS::ElasticLoadBalancingV2::Listener")


def validation_refusal(mutation: Mutation, resources: Resources) -> str | None:
    """Return why CloudFormation refuses the changed template before it deploys it, or None."""
    changed = {**resources, mutation.logical_id: mutation.resource}
    if mutation.kind.startswith("dangling"):
        found = reference_violation({"Resources": changed}, {})
        if found is not None:
            return found
    errors = property_errors({mutation.logical_id: mutation.resource}, {}, _resolve, changed)
    return "; ".join(error[-1] for error in errors) or None


def _resolve(value: Any) -> Any:
    return engine._resolve_refs(value, {}, {}, {}, {}, "stack", "stack")


def closure(mutation: Mutation, resources: Resources) -> Mapping[str, Any]:
    """Return a template with the changed resource, and all that it refers to."""
    found = {mutation.logical_id: mutation.resource}
    names = _needed(mutation.resource)
    before = [name for name, each in resources.items() if each["Type"] in BEFORE_SERVICE]
    while names:
        name = names.pop()
        if name in resources and name not in found:
            more = {"DependsOn": before} if resources[name]["Type"] == SERVICE else {}
            found[name] = {**resources[name], **more}
            names |= _needed(found[name])
    return {"Resources": found}


def _needed(resource: Mapping[str, Any]) -> set[str]:
    references = {name for name, _ in engine._intrinsic_references(resource.get("Properties", {}))}
    depends_on = resource.get("DependsOn", [])
    return references | set([depends_on] if isinstance(depends_on, str) else depends_on)
