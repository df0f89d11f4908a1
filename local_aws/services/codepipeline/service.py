"""CodePipeline: pipelines and their tags, and the events that start them.

`archive(repository, commit)` returns a commit's zip: CodeCommit's UploadArchive, which has no public API.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from local_aws.core.api import Counts, now
from local_aws.core.cloudformation import ResourceType
from local_aws.core.context import Context, ServiceRole, Source
from local_aws.services.codepipeline.actions import Archive
from local_aws.services.codepipeline.engine import Engine
from local_aws.services.codepipeline.errors import (
    invalid_request,
    pipeline_name_in_use,
    pipeline_version_not_found,
)
from local_aws.services.codepipeline.execution_api import ExecutionOperations
from local_aws.services.codepipeline.lookup import Params
from local_aws.services.codepipeline.polling import poll
from local_aws.services.codepipeline.records import PipelineState, new_id
from local_aws.services.codepipeline.resource_types import resource_types
from local_aws.services.codepipeline.roles import check_roles
from local_aws.services.codepipeline.serializers import pipeline_summary, tag_list
from local_aws.services.codepipeline.structure import PipelineDeclaration, parse
from local_aws.services.codepipeline.validation import check_tag_keys, check_tags


class CodePipeline(ExecutionOperations):
    """The service. Its artifacts are in S3."""

    persisted = ("pipelines", "rule_arns", "deliveries")
    counts: ClassVar[Counts] = {"CreatePipeline": lambda own, _: len(own.pipelines)}

    def __init__(self, context: Context, archive: Archive) -> None:
        super().__init__(context)
        self.pipelines = {}
        self.rule_arns = {}
        self.deliveries = {}
        self.engine = Engine(context, self.lock, archive)

    def stop(self) -> None:
        """End every execution's thread; the executions keep their status."""
        with self.lock:
            self.engine.close(list(self.pipelines.values()))

    def resume(self) -> None:
        """Continue every execution, and make the deliveries that have not started one."""
        with self.lock:
            for pipeline in self.pipelines.values():
                self.engine.resume(pipeline)
                self._poll(pipeline, pipeline.declaration)
            deliveries = dict(self.deliveries)
        for token, delivery in deliveries.items():
            self.context.spawn("codepipeline-target", self._deliver, token, *delivery)

    def deliver(self, target_arn: str, target: Mapping[str, Any], rule_arn: str = "") -> None:
        """Start a pipeline that is a rule's target, as the target's role, without waiting for it."""
        token, delivery = new_id(), (target_arn, dict(target), rule_arn or target.get("RuleArn", ""))
        self.deliveries[token] = delivery
        self.context.spawn("codepipeline-target", self._deliver, token, *delivery)

    def _deliver(self, token: str, target_arn: str, target: dict[str, Any], rule_arn: str) -> None:
        try:
            if not target.get("RoleArn"):
                raise invalid_request(f"RoleArn is required for target {target_arn}.")
            with self.lock:
                self.rule_arns[token] = rule_arn
            name = target_arn.rpartition(":")[2]
            # https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html
            role = ServiceRole(target["RoleArn"], "events", rule_arn, Source.ACCOUNT_AND_ARN)
            client = self.context.client("codepipeline", role)
            client.start_pipeline_execution(name=name, clientRequestToken=token)
        finally:
            del self.deliveries[token]

    def create_pipeline(self, params: Params) -> dict[str, Any]:
        """Create a pipeline and start its first execution (pitfall B6)."""
        name = params["pipeline"]["name"]
        if name in self.pipelines:
            raise pipeline_name_in_use(name, self.context.account)
        declaration = parse(params["pipeline"], 1, self.context.region)
        check_roles(self.context, declaration)
        tags = check_tags(params.get("tags", []))
        pipeline = PipelineState({1: declaration}, tags)
        self.pipelines[name] = pipeline
        # A variable without a default needs a value, which only StartPipelineExecution can give.
        if None not in declaration.variables.values():
            self.start_execution(pipeline, "CreatePipeline", self.caller_arn(), {})
        self._poll(pipeline, declaration)
        return {"pipeline": declaration.shape, "tags": tag_list(tags)}

    def update_pipeline(self, params: Params) -> dict[str, Any]:
        """Create a new version of a pipeline; running executions keep theirs."""
        # AWS's code is not the one of GetPipeline.
        pipeline = self.find_by_arn(self.context.arn("codepipeline", params["pipeline"]["name"]))
        declaration = parse(params["pipeline"], pipeline.declaration.version + 1, self.context.region)
        check_roles(self.context, declaration)
        pipeline.versions[declaration.version] = declaration
        pipeline.updated = now()
        self._poll(pipeline, declaration)
        return {"pipeline": declaration.shape}

    def _poll(self, pipeline: PipelineState, declaration: PipelineDeclaration) -> None:
        for action in declaration.stages[0].actions:
            if action.configuration.get("PollForSourceChanges", "true") == "true":
                name = f"codepipeline-poll-{declaration.name}"
                self.context.spawn(name, poll, self, pipeline, declaration, action)

    def get_pipeline(self, params: Params) -> dict[str, Any]:
        """Return a version of a pipeline, by default the newest one."""
        pipeline = self.find_pipeline(params["name"])
        version = params.get("version", pipeline.declaration.version)
        if version not in pipeline.versions:
            raise pipeline_version_not_found(params["name"], version)
        metadata = {
            "pipelineArn": self.context.arn("codepipeline", params["name"]),
            "created": pipeline.created,
            "updated": pipeline.updated,
        }
        return {"pipeline": pipeline.versions[version].shape, "metadata": metadata}

    def delete_pipeline(self, params: Params) -> None:
        """Delete a pipeline and end its executions; an unknown name is not an error, as on AWS."""
        pipeline = self.pipelines.pop(params["name"], None)
        if pipeline is not None:
            self.engine.abandon_all(pipeline)

    def list_pipelines(self, params: Params) -> dict[str, Any]:
        """List the pipelines."""
        return {"pipelines": [pipeline_summary(pipeline) for _, pipeline in sorted(self.pipelines.items())]}

    def list_tags_for_resource(self, params: Params) -> dict[str, Any]:
        """List a pipeline's tags."""
        pipeline = self.find_by_arn(params["resourceArn"])
        return {"tags": tag_list({**pipeline.reserved_tags, **pipeline.tags})}

    def tag_resource(self, params: Params) -> None:
        """Add or change tags."""
        pipeline = self.find_by_arn(params["resourceArn"])
        pipeline.tags = check_tags([*tag_list(pipeline.tags), *params["tags"]])

    def untag_resource(self, params: Params) -> None:
        """Remove tags."""
        pipeline = self.find_by_arn(params["resourceArn"])
        check_tag_keys(params["tagKeys"])
        pipeline.tags = {key: value for key, value in pipeline.tags.items() if key not in params["tagKeys"]}

    def resource_types(self) -> dict[str, ResourceType]:
        """Return AWS::CodePipeline::Pipeline."""
        return resource_types(self)
