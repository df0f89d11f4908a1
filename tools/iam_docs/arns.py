"""The ARNs of the resource types that policies refer to, as a person reads them."""

from __future__ import annotations

from infrastructure.naming import REGION

PSEUDO = {
    "AWS::AccountId": "<Account>",
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}
_OURS = f"{REGION}:<Account>"
# Type -> its name property (None: AWS creates an id), and its ARN.
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
