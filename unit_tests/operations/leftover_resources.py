"""Creates one leftover of each kind, of the environment `orphan`."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from operations.account import Account

Create = Callable[[Account], Any]


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {
                "Service": [
                    "codebuild.amazonaws.com",
                    "codepipeline.amazonaws.com",
                    "ecs-tasks.amazonaws.com",
                    "lambda.amazonaws.com",
                ]
            },
            "Action": "sts:AssumeRole",
        },
    }
)


POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"},
    }
)


OURS = {"project": "python-service-pipeline", "environment": "orphan"}


def create_role(account: Account, name: str) -> str:
    """Create a role that the services may assume, and return its ARN."""
    role = account.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    return str(role["Role"]["Arn"])


def tags(key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: said} for name, said in OURS.items()]


def code() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return {}\n")
    return packed.getvalue()


def vpc(account: Account) -> str:
    """Return the VPC of the leftovers, created on first use."""
    ec2 = account.client("ec2")
    wanted = [{"Name": "tag:environment", "Values": ["orphan"]}]
    for found in ec2.describe_vpcs(Filters=wanted)["Vpcs"]:
        return str(found["VpcId"])
    tagged = [{"ResourceType": "vpc", "Tags": tags()}]
    return str(ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tagged)["Vpc"]["VpcId"])


def subnet(account: Account, block: int) -> str:
    """Create a subnet of a block that no other leftover has, in one of two zones."""
    made = account.client("ec2").create_subnet(
        VpcId=vpc(account),
        CidrBlock=f"10.9.{block}.0/24",
        AvailabilityZone=f"us-east-1{'ab'[block % 2]}",
    )
    return str(made["Subnet"]["SubnetId"])


def load_balancer(account: Account) -> None:
    subnets = [subnet(account, 1), subnet(account, 2)]
    account.client("elbv2").create_load_balancer(Name="load-balancer-orphan", Subnets=subnets)


def nat_gateway(account: Account) -> None:
    ec2 = account.client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    tagged = [{"ResourceType": "natgateway", "Tags": tags()}]
    ec2.create_nat_gateway(SubnetId=subnet(account, 5), AllocationId=address, TagSpecifications=tagged)


def cluster(account: Account) -> str:
    name = "cluster-orphan"
    account.client("ecs").create_cluster(clusterName=name)
    return name


def task(account: Account) -> str:
    """Register a task that keeps running; return its definition."""
    container = {
        "name": "app",
        "image": "public.ecr.aws/docker/library/python:3.9-slim",
        "command": ["python", "-c", "import time; time.sleep(600)"],
    }
    made = account.client("ecs").register_task_definition(
        family="task-orphan",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[container],
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])


def scalable_target(account: Account) -> None:
    account.client("ecs").create_service(serviceName="scaled", desiredCount=0, **on_fargate(account, 8))
    account.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ScalableDimension="ecs:service:DesiredCount",
        ResourceId=f"service/{cluster(account)}/scaled",
        MinCapacity=0,
        MaxCapacity=1,
    )


def on_fargate(account: Account, block: int) -> dict[str, Any]:
    """Return what a service and a task need to run on Fargate."""
    return {
        "cluster": cluster(account),
        "taskDefinition": task(account),
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet(account, block)]}},
    }


def pipeline(account: Account) -> None:
    role = create_role(account, "pipeline-role-orphan")
    source = {
        "name": "Source",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeCommit", "version": "1"},
        "configuration": {"RepositoryName": "any", "BranchName": "main", "PollForSourceChanges": "false"},
        "outputArtifacts": [{"name": "Source"}],
    }
    build = {
        "name": "Build",
        "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
        "configuration": {"ProjectName": "any"},
        "inputArtifacts": [{"name": "Source"}],
    }
    stages = [{"name": action["name"], "actions": [action]} for action in (source, build)]
    account.client("codepipeline").create_pipeline(
        pipeline={
            "name": "pipeline-orphan",
            "roleArn": role,
            "artifactStore": {"type": "S3", "location": "artifacts-orphan"},
            "stages": stages,
            "pipelineType": "V2",
        }
    )


LEFTOVERS: dict[str, Create] = {
    "CloudFormation stacks": lambda a: a.client("cloudformation").create_stack(
        StackName="stack-orphan",
        TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
    ),
    "VPCs": vpc,
    "subnets": lambda a: subnet(a, 3),
    "security groups": lambda a: a.client("ec2").create_security_group(
        GroupName="service-group-orphan", Description="orphan", VpcId=vpc(a)
    ),
    "route tables": lambda a: a.client("ec2").create_route_table(VpcId=vpc(a)),
    "network interfaces": lambda a: a.client("ec2").create_network_interface(SubnetId=subnet(a, 4)),
    "internet gateways": lambda a: a.client("ec2").create_internet_gateway(
        TagSpecifications=[{"ResourceType": "internet-gateway", "Tags": tags()}]
    ),
    "Elastic IP addresses": lambda a: a.client("ec2").allocate_address(
        TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": tags()}]
    ),
    "load balancers": load_balancer,
    "target groups": lambda a: a.client("elbv2").create_target_group(
        Name="target-group-blue-orphan", Protocol="HTTP", Port=8080, VpcId=vpc(a), TargetType="ip"
    ),
    "ECS clusters": lambda a: a.client("ecs").create_cluster(clusterName="cluster-orphan"),
    "task definitions": lambda a: a.client("ecs").register_task_definition(
        family="task-orphan",
        containerDefinitions=[
            {"name": "app", "image": "public.ecr.aws/docker/library/python:3.9-slim", "memory": 64}
        ],
    ),
    "ECR repositories": lambda a: a.client("ecr").create_repository(repositoryName="images-orphan"),
    "Lambda functions": lambda a: a.client("lambda").create_function(
        FunctionName="test-traffic-hook-orphan",
        Runtime="python3.12",
        Handler="index.handler",
        Role=create_role(a, "test-traffic-hook-role-orphan"),
        Code={"ZipFile": code()},
    ),
    "CodeCommit repositories": lambda a: a.client("codecommit").create_repository(
        repositoryName="repository-orphan"
    ),
    "approval rule templates": lambda a: a.client("codecommit").create_approval_rule_template(
        approvalRuleTemplateName="approvals-orphan",
        approvalRuleTemplateContent=json.dumps(
            {
                "Version": "2018-11-08",
                "Statements": [{"Type": "Approvers", "NumberOfApprovalsNeeded": 1}],
            }
        ),
    ),
    "CodeBuild projects": lambda a: a.client("codebuild").create_project(
        name="build-orphan",
        serviceRole=create_role(a, "build-role-orphan"),
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases: {build: {commands: [true]}}"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
    ),
    "CodeBuild report groups": lambda a: a.client("codebuild").create_report_group(
        name="build-orphan-unit-tests", type="TEST", exportConfig={"exportConfigType": "NO_EXPORT"}
    ),
    "CodeDeploy applications": lambda a: a.client("codedeploy").create_application(
        applicationName="application-orphan", computePlatform="ECS"
    ),
    "S3 buckets": lambda a: a.client("s3").create_bucket(Bucket="artifacts-orphan-123456789012-us-east-1"),
    "IAM roles": lambda a: a.client("iam").create_role(
        RoleName="task-role-orphan", AssumeRolePolicyDocument=TRUST
    ),
    "IAM policies": lambda a: a.client("iam").create_policy(
        PolicyName="developer-policy-orphan", PolicyDocument=POLICY
    ),
    "OIDC providers": lambda a: a.client("iam").create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"], Tags=tags()
    ),
    "KMS keys": lambda a: a.client("kms").create_key(Tags=tags("TagKey", "TagValue")),
    "KMS aliases": lambda a: a.client("kms").create_alias(
        AliasName="alias/artifacts-orphan", TargetKeyId=a.client("kms").create_key()["KeyMetadata"]["KeyId"]
    ),
    "SSM parameters": lambda a: a.client("ssm").put_parameter(
        Name="/docker-hub-orphan/password", Value="not-a-password", Type="SecureString"
    ),
    "SNS topics": lambda a: a.client("sns").create_topic(Name="notifications-orphan"),
    "SNS subscriptions": lambda a: a.client("sns").subscribe(
        TopicArn=a.client("sns").create_topic(Name="notifications-orphan")["TopicArn"],
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:123456789012:queue",
    ),
    "SQS queues": lambda a: a.client("sqs").create_queue(QueueName="queue-1-of-notifications-orphan"),
    "EventBridge rules": lambda a: a.client("events").put_rule(
        Name="source-rule-orphan", EventPattern=json.dumps({"source": ["aws.codebuild"]})
    ),
    "log groups": lambda a: a.client("logs").create_log_group(logGroupName="/ecs/task-orphan"),
    "CloudWatch alarms": lambda a: a.client("cloudwatch").put_metric_alarm(
        AlarmName="latency-blue-orphan",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="HTTPCode_Target_5XX_Count",
        Namespace="AWS/ApplicationELB",
        Period=60,
        Statistic="Sum",
        Threshold=1,
    ),
    "NAT gateways": nat_gateway,
    "VPC endpoints": lambda a: a.client("ec2").create_vpc_endpoint(
        VpcId=vpc(a), ServiceName="com.amazonaws.us-east-1.s3", VpcEndpointType="Gateway"
    ),
    "flow logs": lambda a: a.client("ec2").create_flow_logs(
        ResourceIds=[vpc(a)],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName="/vpc/flow-logs-orphan",
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": tags()}],
    ),
    "ECS services": lambda a: a.client("ecs").create_service(
        serviceName="service-orphan", desiredCount=0, **on_fargate(a, 6)
    ),
    "ECS tasks": lambda a: a.client("ecs").run_task(**on_fargate(a, 7)),
    "scalable targets": scalable_target,
    "pipelines": pipeline,
    "CloudWatch dashboards": lambda a: a.client("cloudwatch").put_dashboard(
        DashboardName="dashboard-orphan", DashboardBody=json.dumps({"widgets": []})
    ),
}
