"""Mutations that local_aws accepts, and why."""

_CREATED = "The service creates the group."
_TOPIC = "No page of AWS says what SNS does."
_IAM = "IAM does not look up the resources of a policy."
_LATER = "AWS too finds it out when it is used, not when it is named."
_NAME = "A name in the configuration of an action, which AWS looks up when the action runs."
_TEXT = "The value is a text."
_REPOSITORY = "local_aws does not look up the principals of a repository's policy; AWS does."

# Name of the mutation -> the reason.
EXPLAINED: dict[str, str] = {
    "AWS::CloudWatch::Alarm AlarmActions/*: dangling id": _LATER,
    "AWS::CodeBuild::Project EncryptionKey: dangling id": _LATER,
    "AWS::CodeBuild::Project Environment/EnvironmentVariables/*/Value: dangling id": _TEXT,
    "AWS::CodeBuild::Project LogsConfig/CloudWatchLogs/GroupName: dangling id": _CREATED,
    "AWS::CodePipeline::Pipeline ArtifactStore/EncryptionKey/Id: dangling id": _LATER,
    "AWS::CodePipeline::Pipeline ArtifactStore/Location: dangling id": _LATER,
    "AWS::CodePipeline::Pipeline Stages/*/Actions/*/Configuration/ApplicationName: dangling id": _NAME,
    "AWS::CodePipeline::Pipeline Stages/*/Actions/*/Configuration/ProjectName: dangling id": _NAME,
    "AWS::CodePipeline::Pipeline Stages/*/Actions/*/Configuration/RepositoryName: dangling id": _NAME,
    "AWS::EC2::FlowLog DeliverLogsPermissionArn: dangling id": _LATER,
    "AWS::EC2::FlowLog LogGroupName: dangling id": _CREATED,
    "AWS::ECR::Repository RepositoryPolicyText: policy: no such role": _REPOSITORY,
    "AWS::ECR::Repository RepositoryPolicyText: policy: no such service": _REPOSITORY,
    "AWS::ECS::TaskDefinition ContainerDefinitions/*/LogConfiguration/Options/"
    "awslogs-group: dangling id": _LATER,
    "AWS::ECS::TaskDefinition ExecutionRoleArn: dangling id": _LATER,
    "AWS::ECS::TaskDefinition TaskRoleArn: dangling id": _LATER,
    "AWS::Events::Rule Targets/*/Arn: dangling id": _LATER,
    "AWS::IAM::Role Policies/*/PolicyDocument/Statement/*/Resource/*: dangling id": _IAM,
    "AWS::IAM::Role Policies/*/PolicyDocument/Statement/*/Resource: dangling id": _IAM,
    "AWS::Lambda::Function Environment/Variables/PRODUCTION_LISTENER: dangling id": _TEXT,
    "AWS::Lambda::Function Environment/Variables/TEST_LISTENER: dangling id": _TEXT,
    "AWS::Lambda::Function Environment/Variables/TOPIC: dangling id": _TEXT,
    "AWS::Lambda::Function LoggingConfig/LogGroup: dangling id": _CREATED,
    "AWS::S3::Bucket BucketEncryption/ServerSideEncryptionConfiguration/*/ServerSideEncryptionByDefault/"
    "KMSMasterKeyID: dangling id": _LATER,
    "AWS::SNS::Topic KmsMasterKeyId: dangling id": _LATER,
    "AWS::SNS::TopicPolicy PolicyDocument/Statement/*/Resource: dangling id": _TOPIC,
}
