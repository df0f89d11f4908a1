"""The dashboard: what was released, and how the service responds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.constructs.alarms import ERROR_PERCENT
from infrastructure.constructs.blue_green_routes import BlueGreenRoutes
from infrastructure.constructs.error_rates import (
    METRIC_PERIOD,
    load_balancer_error_percentage,
    target_error_percentage,
)
from infrastructure.constructs.event_log import ACTION_EVENT, DEPLOYMENT_EVENT, PIPELINE_EVENT
from infrastructure.constructs.four_keys import four_keys_widgets
from infrastructure.naming import Names

# The width of a dashboard, and the height of a row, in units.
WIDTH = 24
HEIGHT = 6
HOURLY = Duration.hours(1)
HTTP = (
    "**HTTP without TLS**: the production listener has no certificate. `certificateArn` is a setting for the "
    "first deploy: see docs/configuration.md."
)


class Dashboard(Construct):
    """Pipeline, deployments, four keys, traffic, errors, latency, tasks. Three an account are free.

    The history comes from the event log: CodeDeploy has no metrics for ECS, and CodePipeline counts
    failures only.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        tls: bool,
        event_log: logs.ILogGroup,
        builds: Mapping[str, codebuild.IProject],
        service: ecs.FargateService,
        routes: BlueGreenRoutes,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, id_)
        self._names = names
        self._event_log = event_log
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=names.dashboard, default_interval=Duration.days(1)
        )
        dashboard.apply_removal_policy(RemovalPolicy.DESTROY)
        if not tls:
            dashboard.add_widgets(cloudwatch.TextWidget(markdown=HTTP, width=WIDTH, height=2))
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=WIDTH, height=3)
        )
        dashboard.add_widgets(self._pipeline(), self._pipeline_metrics(), self._builds(builds))
        dashboard.add_widgets(self._deployments(), self._failures())
        definition, *keys = four_keys_widgets(names, event_log)
        dashboard.add_widgets(definition)
        dashboard.add_widgets(*keys)
        dashboard.add_widgets(*_traffic(routes))
        dashboard.add_widgets(_tasks(routes), _utilization(service))

    def _pipeline(self) -> cloudwatch.IWidget:
        return self._query(
            "Pipeline executions",
            PIPELINE_EVENT,
            "fields @timestamp, detail.state as state, `detail.execution-id` as execution",
        )

    def _deployments(self) -> cloudwatch.IWidget:
        return self._query(
            "Deployments",
            DEPLOYMENT_EVENT,
            "fields @timestamp, detail.state as state, detail.deploymentId as deployment",
            width=WIDTH // 2,
        )

    def _failures(self) -> cloudwatch.IWidget:
        return self._query(
            "Why actions failed",
            ACTION_EVENT,
            "filter detail.state = 'FAILED'",
            "fields @timestamp, detail.action as action,"
            " `detail.execution-result.external-execution-summary` as why",
            width=WIDTH // 2,
        )

    def _query(
        self, title: str, detail_type: str, *lines: str, width: int = WIDTH // 3
    ) -> cloudwatch.IWidget:
        return cloudwatch.LogQueryWidget(
            title=title,
            log_group_names=[self._event_log.log_group_name],
            query_lines=[
                f"filter `detail-type` = '{detail_type}'",
                *lines,
                "sort @timestamp desc",
                "limit 20",
            ],
            view=cloudwatch.LogQueryVisualizationType.TABLE,
            width=width,
            height=HEIGHT,
        )

    def _pipeline_metrics(self) -> cloudwatch.IWidget:
        """https://docs.aws.amazon.com/codepipeline/latest/userguide/metrics-dimensions.html."""

        def metric(name: str, label: str, statistic: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/CodePipeline",
                metric_name=name,
                dimensions_map={"PipelineName": self._names.pipeline},
                label=label,
                statistic=statistic,
                period=HOURLY,
            )

        return cloudwatch.GraphWidget(
            title="Pipeline: duration and failures",
            left=[metric("PipelineDuration", "seconds", "Maximum")],
            right=[metric("FailedPipelineExecutions", "failed", "Sum")],
            width=WIDTH // 3,
            height=HEIGHT,
        )

    def _builds(self, builds: Mapping[str, codebuild.IProject]) -> cloudwatch.IWidget:
        """https://docs.aws.amazon.com/codebuild/latest/userguide/cloudwatch_metrics-codebuild.html."""
        return cloudwatch.GraphWidget(
            title="Builds: duration and outcomes",
            left=[
                build.metric_duration(label=f"{name}: seconds", statistic="Maximum", period=HOURLY)
                for name, build in builds.items()
            ],
            right=[
                metric
                for name, build in builds.items()
                for metric in (
                    build.metric_succeeded_builds(label=f"{name}: succeeded", period=HOURLY),
                    build.metric_failed_builds(label=f"{name}: failed", period=HOURLY),
                )
            ],
            width=WIDTH // 3,
            height=HEIGHT,
        )


def _traffic(routes: BlueGreenRoutes) -> list[cloudwatch.IWidget]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html."""
    requests, errors, latency = [], [], []
    for colour, group in routes.target_groups.items():
        requests.append(group.metrics.request_count(label=colour, period=METRIC_PERIOD))
        errors.append(target_error_percentage(colour, group))
        for statistic in ("p50", "p95"):
            latency.append(
                group.metrics.target_response_time(
                    label=f"{statistic} of {colour}", statistic=statistic, period=METRIC_PERIOD
                )
            )
    errors.append(load_balancer_error_percentage(routes.load_balancer))
    limit = cloudwatch.HorizontalAnnotation(value=ERROR_PERCENT, label="the alarms' threshold")
    return [
        cloudwatch.GraphWidget(
            title=title,
            left=metrics,
            left_annotations=annotations,
            stacked=stacked,
            width=WIDTH // 3,
            height=HEIGHT,
        )
        for title, metrics, annotations, stacked in (
            ("Requests a minute, by target group", requests, [], True),
            ("Errors, in percent of the requests", errors, [limit], False),
            ("Seconds to answer", latency, [], False),
        )
    ]


def _tasks(routes: BlueGreenRoutes) -> cloudwatch.IWidget:
    """Count tasks by their health: RunningTaskCount needs Container Insights, which is off (pitfall H3)."""
    return cloudwatch.GraphWidget(
        title="Tasks behind the load balancer",
        left=[
            metric
            for colour, group in routes.target_groups.items()
            for metric in (
                group.metrics.healthy_host_count(
                    label=f"{colour}, healthy", statistic="Maximum", period=METRIC_PERIOD
                ),
                group.metrics.unhealthy_host_count(
                    label=f"{colour}, unhealthy", statistic="Maximum", period=METRIC_PERIOD
                ),
            )
        ],
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _utilization(service: ecs.FargateService) -> cloudwatch.IWidget:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html."""
    return cloudwatch.GraphWidget(
        title="CPU and memory of the tasks, in percent",
        left=[
            service.metric_cpu_utilization(label="CPU", period=METRIC_PERIOD),
            service.metric_memory_utilization(label="memory", period=METRIC_PERIOD),
        ],
        width=WIDTH // 2,
        height=HEIGHT,
    )
