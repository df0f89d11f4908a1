"""One page that says how the road and the service are: what was released, and how it answers."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.constructs.event_log import ACTION_EVENT, DEPLOYMENT_EVENT, PIPELINE_EVENT
from infrastructure.naming import Names

EVERY_MINUTE = Duration.minutes(1)
ACROSS = 24  # A dashboard's width in units.
ROW = 6


class Dashboard(Construct):
    """Pipeline, deployments, traffic, errors, latency and tasks. Three dashboards an account are free.

    The road's history is read from the event log: CodeDeploy has no metrics of its own for ECS, and
    CodePipeline counts failures only.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        event_log: logs.ILogGroup,
        build: codebuild.IProject,
        service: ecs.FargateService,
        blue: elbv2.ApplicationTargetGroup,
        green: elbv2.ApplicationTargetGroup,
        balancer: elbv2.IApplicationLoadBalancer,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, id_)
        self._names = names
        self._event_log = event_log
        colours = {"blue": blue, "green": green}
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=names.dashboard, default_interval=Duration.days(1)
        )
        dashboard.apply_removal_policy(RemovalPolicy.DESTROY)
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=ACROSS, height=3)
        )
        dashboard.add_widgets(self._pipeline(), self._pipeline_metrics(), self._build(build))
        dashboard.add_widgets(self._deployments(), self._failures())
        dashboard.add_widgets(*_traffic(colours, balancer))
        dashboard.add_widgets(_tasks(colours), _utilization(service))

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
            width=ACROSS // 2,
        )

    def _failures(self) -> cloudwatch.IWidget:
        return self._query(
            "Why actions failed",
            ACTION_EVENT,
            "filter detail.state = 'FAILED'",
            "fields @timestamp, detail.action as action,"
            " `detail.execution-result.external-execution-summary` as why",
            width=ACROSS // 2,
        )

    def _query(
        self, title: str, detail_type: str, *lines: str, width: int = ACROSS // 3
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
            height=ROW,
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
                period=Duration.hours(1),
            )

        return cloudwatch.GraphWidget(
            title="Pipeline: duration and failures",
            left=[metric("PipelineDuration", "seconds", "Maximum")],
            right=[metric("FailedPipelineExecutions", "failed", "Sum")],
            width=ACROSS // 3,
            height=ROW,
        )

    def _build(self, build: codebuild.IProject) -> cloudwatch.IWidget:
        """https://docs.aws.amazon.com/codebuild/latest/userguide/cloudwatch_metrics-codebuild.html."""
        hourly = Duration.hours(1)
        return cloudwatch.GraphWidget(
            title="Builds: duration and outcomes",
            left=[build.metric_duration(label="seconds", statistic="Maximum", period=hourly)],
            right=[
                build.metric_succeeded_builds(label="succeeded", period=hourly),
                build.metric_failed_builds(label="failed", period=hourly),
            ],
            width=ACROSS // 3,
            height=ROW,
        )


def _traffic(
    colours: dict[str, elbv2.ApplicationTargetGroup], balancer: elbv2.IApplicationLoadBalancer
) -> list[cloudwatch.IWidget]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html."""
    requests, errors, latency = [], [], []
    for colour, group in colours.items():
        requests.append(group.metrics.request_count(label=colour, period=EVERY_MINUTE))
        errors.append(
            group.metrics.http_code_target(
                elbv2.HttpCodeTarget.TARGET_5XX_COUNT, label=f"5xx of {colour}", period=EVERY_MINUTE
            )
        )
        for statistic in ("p50", "p95"):
            latency.append(
                group.metrics.target_response_time(
                    label=f"{statistic} of {colour}", statistic=statistic, period=EVERY_MINUTE
                )
            )
    errors.append(
        balancer.metrics.http_code_elb(
            elbv2.HttpCodeElb.ELB_5XX_COUNT, label="5xx without a task", period=EVERY_MINUTE
        )
    )
    return [
        cloudwatch.GraphWidget(title=title, left=metrics, stacked=stacked, width=ACROSS // 3, height=ROW)
        for title, metrics, stacked in (
            ("Requests a minute, by target group", requests, True),
            ("Errors a minute", errors, False),
            ("Seconds to answer", latency, False),
        )
    ]


def _tasks(colours: dict[str, elbv2.ApplicationTargetGroup]) -> cloudwatch.IWidget:
    """Count tasks by their health: RunningTaskCount needs Container Insights, which is off (pitfall H3)."""
    return cloudwatch.GraphWidget(
        title="Tasks behind the load balancer",
        left=[
            metric
            for colour, group in colours.items()
            for metric in (
                group.metrics.healthy_host_count(
                    label=f"{colour}, healthy", statistic="Maximum", period=EVERY_MINUTE
                ),
                group.metrics.unhealthy_host_count(
                    label=f"{colour}, unhealthy", statistic="Maximum", period=EVERY_MINUTE
                ),
            )
        ],
        width=ACROSS // 2,
        height=ROW,
    )


def _utilization(service: ecs.FargateService) -> cloudwatch.IWidget:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html."""
    return cloudwatch.GraphWidget(
        title="CPU and memory of the tasks, in percent",
        left=[
            service.metric_cpu_utilization(label="CPU", period=EVERY_MINUTE),
            service.metric_memory_utilization(label="memory", period=EVERY_MINUTE),
        ],
        width=ACROSS // 2,
        height=ROW,
    )
