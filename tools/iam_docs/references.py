"""What a template's references stand for: ARNs and names as a person reads them, across nested stacks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure.naming import REGION

ROOT = "Stack.template.json"
PSEUDO = {
    "AWS::AccountId": "<Account>",
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}
_OURS = f"{REGION}:<Account>"
# Type -> the property that names it (or none: AWS makes an id), and its ARN.
ARNS: dict[str, tuple[str | None, str]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", f"arn:aws:cloudwatch:{_OURS}:alarm:{{}}"),
    "AWS::CodeBuild::Project": ("Name", f"arn:aws:codebuild:{_OURS}:project/{{}}"),
    "AWS::CodeBuild::ReportGroup": ("Name", f"arn:aws:codebuild:{_OURS}:report-group/{{}}"),
    "AWS::CodeCommit::Repository": ("RepositoryName", f"arn:aws:codecommit:{_OURS}:{{}}"),
    "AWS::CodeDeploy::Application": ("ApplicationName", f"arn:aws:codedeploy:{_OURS}:application:{{}}"),
    "AWS::CodePipeline::Pipeline": ("Name", f"arn:aws:codepipeline:{_OURS}:{{}}"),
    "AWS::ECR::Repository": ("RepositoryName", f"arn:aws:ecr:{_OURS}:repository/{{}}"),
    "AWS::ElasticLoadBalancingV2::Listener": (
        None,
        f"arn:aws:elasticloadbalancing:{_OURS}:listener/app/{{}}",
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        "Name",
        f"arn:aws:elasticloadbalancing:{_OURS}:loadbalancer/app/{{}}/<Id>",
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (
        "Name",
        f"arn:aws:elasticloadbalancing:{_OURS}:targetgroup/{{}}/<Id>",
    ),
    "AWS::Events::Rule": ("Name", f"arn:aws:events:{_OURS}:rule/{{}}"),
    "AWS::IAM::OIDCProvider": ("Url", "arn:aws:iam::<Account>:oidc-provider/{}"),
    "AWS::IAM::Role": ("RoleName", "arn:aws:iam::<Account>:role/{}"),
    "AWS::KMS::Key": (None, f"arn:aws:kms:{_OURS}:key/{{}}"),
    "AWS::Lambda::Function": ("FunctionName", f"arn:aws:lambda:{_OURS}:function:{{}}"),
    "AWS::Logs::LogGroup": ("LogGroupName", f"arn:aws:logs:{_OURS}:log-group:{{}}:*"),
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::{}"),
    "AWS::SNS::Topic": ("TopicName", f"arn:aws:sns:{_OURS}:{{}}"),
    "AWS::SQS::Queue": ("QueueName", f"arn:aws:sqs:{_OURS}:{{}}"),
    "AWS::SSM::Parameter": ("Name", f"arn:aws:ssm:{_OURS}:parameter{{}}"),
}
REF_IS_ARN = {
    "AWS::CodeBuild::ReportGroup",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::IAM::OIDCProvider",
    "AWS::SNS::Topic",
}


class UnreadableError(Exception):
    """A reference whose meaning is not known here; what is shown must never be a guess."""


@dataclass(frozen=True)
class Resource:
    """One resource of one template; `part` is the template's file."""

    part: str
    id: str
    body: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.body["Type"])

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.body.get("Properties", {})
        return properties

    @property
    def path(self) -> str:
        """Say where the construct stands in its app, without the root stack's name."""
        _, _, path = str(self.body["Metadata"]["aws:cdk:path"]).partition("/")
        return path.removesuffix("/Resource")


class Templates:
    """The root template and its nested ones, as one."""

    def __init__(self, folder: Path) -> None:
        self.by_part: dict[str, dict[str, Any]] = {
            path.name: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.template.json"))
        }

    def resources(self, *types: str) -> Iterator[Resource]:
        """List the resources, of these types if given."""
        for part, template in self.by_part.items():
            for id_, body in template["Resources"].items():
                if not types or body["Type"] in types:
                    yield Resource(part, id_, body)

    def text(self, value: Any, part: str) -> str:
        """Write a value of a template as text.

        Raises UnreadableError for a function or an attribute that has no reading here.
        """
        match value:
            case str():
                return value
            case bool():
                return str(value).lower()
            case int():
                return str(value)
            case {"Ref": str(name)}:
                return self._ref(name, part)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._attribute(name, attribute, part)
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self.text(each, part) for each in parts)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([\w:]+)\}", lambda found: self._ref(found[1], part), text)
        raise UnreadableError(f"{part}: {json.dumps(value)}")

    def plain(self, value: Any, part: str) -> Any:
        """Write every reference in a value as text, and leave its shape."""
        if isinstance(value, list):
            return [self.plain(each, part) for each in value]
        if isinstance(value, dict) and not (
            len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))
        ):
            return {key: self.plain(each, part) for key, each in value.items()}
        return self.text(value, part)

    def _ref(self, name: str, part: str) -> str:
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.by_part[part].get("Parameters", {}):
            return self._parameter(name, part)
        resource = self._resource(name, part)
        return self._arn(resource) if resource.type in REF_IS_ARN else self._name(resource)

    def _parameter(self, name: str, part: str) -> str:
        for stack in self.resources("AWS::CloudFormation::Stack"):
            given: Mapping[str, Any] = stack.properties.get("Parameters", {})
            if _template_of(stack) == part and name in given:
                return self.text(given[name], stack.part)
        raise UnreadableError(f"{part}: nobody gives {name}")

    def _attribute(self, name: str, attribute: str, part: str) -> str:
        resource = self._resource(name, part)
        if resource.type == "AWS::CloudFormation::Stack":
            nested = _template_of(resource)
            output = attribute.removeprefix("Outputs.")
            return self.text(self.by_part[nested]["Outputs"][output]["Value"], nested)
        if attribute in ("Arn", "TopicArn", "ListenerArn", "LoadBalancerArn", "RoleArn"):
            return self._arn(resource)
        if attribute in ("Name", "TopicName", ARNS.get(resource.type, (None, ""))[0]):
            return self._name(resource)
        raise UnreadableError(f"{part}: {attribute} of {resource.type}")

    def _resource(self, name: str, part: str) -> Resource:
        return Resource(part, name, self.by_part[part]["Resources"][name])

    def _name(self, resource: Resource) -> str:
        if resource.type not in ARNS:
            raise UnreadableError(f"{resource.part}: a reference to {resource.type}")
        named_by, _ = ARNS[resource.type]
        return self.text(resource.properties[named_by], resource.part) if named_by else f"<{resource.path}>"

    def _arn(self, resource: Resource) -> str:
        return ARNS[resource.type][1].format(self._name(resource).removeprefix("https://"))


def _template_of(stack: Resource) -> str:
    return str(stack.body["Metadata"]["aws:asset:path"])
