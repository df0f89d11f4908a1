"""AWS CodePipeline: pipelines, and what starts them.

`archive(repository, commit)` gives the zip of a commit: CodeCommit's UploadArchive, which has no public API.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.core.cloudformation import ResourceType
from local_aws.core.context import Context, ServiceRole
from local_aws.services.codepipeline.actions import Archive
from local_aws.services.codepipeline.engine import Engine
from local_aws.services.codepipeline.execution_api import Executions
from local_aws.services.codepipeline.polling import poll
from local_aws.services.codepipeline.records import Line, new_id
from local_aws.services.codepipeline.requests import Params
from local_aws.services.codepipeline.resource_types import pipeline_type
from local_aws.services.codepipeline.structure import Pipeline, parse

MOST_TAGS = 50


class CodePipeline(Executions):
    """The service. Its artifacts are in S3."""

    persisted = ("lines", "events", "deliveries")

    def __init__(self, context: Context, archive: Archive) -> None:
        super().__init__(context)
        self.lines = {}
        self.events = {}
        self.deliveries = {}
        self.engine = Engine(context, self.lock, archive)

    def stop(self) -> None:
        """End every execution's thread; nothing is told as stopped that was not."""
        with self.lock:
            self.engine.close(list(self.lines.values()))

    def resume(self) -> None:
        """Go on with every execution, and start those that an event still asks for."""
        with self.lock:
            for line in self.lines.values():
                self.engine.resume(line)
                self._poll(line, line.pipeline)
            deliveries = dict(self.deliveries)
        for token, asked in deliveries.items():
            self.context.spawn("codepipeline-target", self._deliver, token, *asked)

    def deliver(self, target_arn: str, target: Mapping[str, Any], rule_arn: str = "") -> None:
        """Start a pipeline that is a rule's target, as the target's role; returns at once."""
        token, asked = new_id(), (target_arn, dict(target), rule_arn or target.get("RuleArn", ""))
        self.deliveries[token] = asked
        self.context.spawn("codepipeline-target", self._deliver, token, *asked)

    def _deliver(self, token: str, target_arn: str, target: dict[str, Any], rule_arn: str) -> None:
        try:
            if not target.get("RoleArn"):
                raise AwsError("ValidationException", f"RoleArn is required for target {target_arn}.")
            with self.lock:
                self.events[token] = rule_arn
            name = target_arn.rpartition(":")[2]
            client = self.context.client("codepipeline", ServiceRole(target["RoleArn"], "events", rule_arn))
            client.start_pipeline_execution(name=name, clientRequestToken=token)
        finally:
            del self.deliveries[token]

    def create_pipeline(self, params: Params) -> dict[str, Any]:
        """Create a pipeline and start its first execution (pitfall B6)."""
        declaration = params["pipeline"]
        if declaration["name"] in self.lines:
            raise AwsError(
                "PipelineNameInUseException",
                f"A pipeline with the name '{declaration['name']}' already exists in account"
                f" '{self.context.account}'",
            )
        pipeline = parse(declaration, 1, self.context.region)
        tags = _tags(params.get("tags", []))
        line = Line({1: pipeline}, tags)
        self.lines[pipeline.name] = line
        # With a variable that has no default there is nothing that could be started.
        if None not in pipeline.variables.values():
            self.begin(line, "CreatePipeline", self.caller(), {})
        self._poll(line, pipeline)
        return {"pipeline": pipeline.declaration, "tags": _tag_list(tags)}

    def update_pipeline(self, params: Params) -> dict[str, Any]:
        """Give a pipeline a new structure, for executions to come."""
        line = self.line(params["pipeline"]["name"])
        pipeline = parse(params["pipeline"], line.pipeline.version + 1, self.context.region)
        line.versions[pipeline.version] = pipeline
        line.updated = now()
        self._poll(line, pipeline)
        return {"pipeline": pipeline.declaration}

    def _poll(self, line: Line, pipeline: Pipeline) -> None:
        for action in pipeline.stages[0].actions:
            if action.configuration.get("PollForSourceChanges", "true") == "true":
                self.context.spawn(f"codepipeline-poll-{pipeline.name}", poll, self, line, pipeline, action)

    def get_pipeline(self, params: Params) -> dict[str, Any]:
        """Return a pipeline's structure, of the newest version or of the one asked for."""
        line = self.line(params["name"])
        version = params.get("version", line.pipeline.version)
        if version not in line.versions:
            raise AwsError(
                "PipelineVersionNotFoundException",
                f"Pipeline {params['name']} does not have a version {version}",
            )
        metadata = {
            "pipelineArn": self.context.arn("codepipeline", params["name"]),
            "created": line.created,
            "updated": line.updated,
        }
        return {"pipeline": line.versions[version].declaration, "metadata": metadata}

    def delete_pipeline(self, params: Params) -> None:
        """Delete a pipeline and end its executions; one that is not there is no error, as on AWS."""
        line = self.lines.pop(params["name"], None)
        if line is not None:
            self.engine.drop(line)

    def list_pipelines(self, params: Params) -> dict[str, Any]:
        """List the pipelines."""
        return {"pipelines": [_summary(line) for _, line in sorted(self.lines.items())]}

    def list_tags_for_resource(self, params: Params) -> dict[str, Any]:
        """List a pipeline's tags."""
        line = self.tagged(params["resourceArn"])
        return {"tags": _tag_list({**line.marks, **line.tags})}

    def tag_resource(self, params: Params) -> None:
        """Add or change tags."""
        line = self.tagged(params["resourceArn"])
        line.tags = _tags([*_tag_list(line.tags), *params["tags"]])

    def untag_resource(self, params: Params) -> None:
        """Take tags away."""
        line = self.tagged(params["resourceArn"])
        _check_reserved(params["tagKeys"])
        line.tags = {key: value for key, value in line.tags.items() if key not in params["tagKeys"]}

    def resource_types(self) -> dict[str, ResourceType]:
        """Return CloudFormation's types of this service."""
        return {"AWS::CodePipeline::Pipeline": pipeline_type(self)}


def _summary(line: Line) -> dict[str, Any]:
    declaration = line.pipeline.declaration
    return {
        "name": line.pipeline.name,
        "version": line.pipeline.version,
        "pipelineType": declaration["pipelineType"],
        "executionMode": declaration["executionMode"],
        "created": line.created,
        "updated": line.updated,
    }


def _tags(items: list[dict[str, str]]) -> dict[str, str]:
    tags = {item["key"]: item["value"] for item in items}
    _check_reserved(tags)
    if len(tags) > MOST_TAGS:
        raise AwsError("TooManyTagsException", f"The tags limit for a resource ({MOST_TAGS}) is exceeded")
    return tags


def _check_reserved(keys: Iterable[str]) -> None:
    if reserved := sorted(key for key in keys if key.lower().startswith("aws:")):
        raise AwsError("InvalidTagsException", f"Tag keys may not begin with aws:, {reserved} do")


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
