"""The labels of the drawings: of resources, and of the references between them."""

from __future__ import annotations

# The types that are drawn, with their labels; resources of one label are one node.
NODE_LABELS = {
    "AWS::EC2::InternetGateway": "Internet gateway",
    "AWS::EC2::NatGateway": "NAT gateway",
    "AWS::EC2::Subnet": "Subnets",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Load balancer",
    "AWS::ElasticLoadBalancingV2::Listener": "Listener",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "Target group",
    "AWS::ECR::Repository": "Image repository",
    "AWS::ECS::Cluster": "Cluster",
    "AWS::ECS::Service": "Service",
    "AWS::ECS::TaskDefinition": "First task definition",
    "AWS::CodeCommit::Repository": "CodeCommit repository",
    "AWS::CodePipeline::Pipeline": "Pipeline",
    "AWS::CodeBuild::Project": "Build project",
    "AWS::CodeDeploy::DeploymentGroup": "Deployment group",
    "AWS::S3::Bucket": "Artifacts",
    "AWS::SNS::Topic": "Topic",
    "AWS::CloudWatch::Alarm": "Alarms",
    "AWS::Lambda::Function": "Function",
    "AWS::Events::Rule": "Rules",
}
# The drift check reads most of what is drawn: its arrows would hide a release.
NOT_DRAWN = ("DriftCheck",)
# Each resource of these types is a node of its own, with the last part of its construct path.
SEPARATE = {
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::EC2::Subnet",
    "AWS::Lambda::Function",
}
# The label of a reference, by the property that contains it; other references have none.
EDGE_LABELS = {
    "AWS::EC2::NatGateway": {"SubnetId": "is in"},
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {"Subnets": "is in"},
    "AWS::ElasticLoadBalancingV2::Listener": {
        "LoadBalancerArn": "listens on",
        "DefaultActions": "forwards to",
    },
    "AWS::ECS::Service": {
        "Cluster": "runs in",
        "NetworkConfiguration": "runs in",
        "TaskDefinition": "starts with",
        "LoadBalancers": "first registers with",
    },
    "AWS::CodePipeline::Pipeline": {
        "ArtifactStore": "writes to",
        "Source": "reads from",
        "Build": "starts",
        "Deploy": "starts",
    },
    "AWS::CodeBuild::Project": {"Environment": "renders"},
    "AWS::CodeDeploy::DeploymentGroup": {
        "AlarmConfiguration": "watches",
        "ECSServices": "replaces tasks of",
        "LoadBalancerInfo": "moves",
    },
    "AWS::CloudWatch::Alarm": {"Dimensions": "watch", "Metrics": "watch", "AlarmActions": "notify"},
    "AWS::Events::Rule": {"EventPattern": "watch", "Targets": "start"},
    "AWS::Lambda::Function": {"Environment": "calls", "VpcConfig": "runs in"},
}
# The label where it depends on the type that the reference points to, too.
TARGET_LABELS = {
    ("AWS::SNS::Topic", "start"): "notify",
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "moves"): "chooses",
}
# The label of a permission of the resource's role, which replaces that of a reference.
GRANT_LABELS = {
    "ecr:BatchDeleteImage": "tags images of",
    "ecr:PutImage": "pushes to",
    "ecr:BatchGetImage": "pulls from",
    "ecr:DescribeImageScanFindings": "reads scans of",
}
