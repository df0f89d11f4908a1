"""CloudFormation reports COMPLETE only for operations that it has done."""

import io
import json
import time
import zipfile

import pytest

from local_aws.host.reaper import processes
from unit_tests.local_aws.cloudformation_cloud import TRUST, Cloud, template

TOPIC = {"Type": "AWS::SNS::Topic"}
BUCKET = {"Type": "AWS::S3::Bucket"}
MISSING_ROLE = {
    "Type": "AWS::IAM::Policy",
    "PolicyName": "p",
    "PolicyDocument": {"Version": "2012-10-17", "Statement": []},
    "Roles": ["nobody-there"],
}


def function_role(cloud: Cloud, name: str) -> str:
    """Create a role that Lambda can assume, and return its ARN."""
    lets = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [lets]})
    made = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return str(made["Role"]["Arn"])


def topics(cloud: Cloud) -> str:
    return json.dumps(cloud.client("sns").list_topics()["Topics"])


def test_an_unknown_property_fails_its_resource(cloud: Cloud) -> None:
    body = template(T={**TOPIC, "TopicName": "misspelt", "DisplayNaem": "x"})
    assert cloud.create("misspelt", body) == "ROLLBACK_COMPLETE"
    assert "Unsupported property [DisplayNaem]" in cloud.reasons("misspelt")
    assert "misspelt" not in topics(cloud)


def test_the_same_template_without_the_property_is_created(cloud: Cloud) -> None:
    assert cloud.create("spelt", template(T={**TOPIC, "DisplayName": "x"})) == "CREATE_COMPLETE"


def test_an_unread_property_inside_a_list_fails_its_resource_too(cloud: Cloud) -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    policies = [{"PolicyName": "p", "PolicyDocument": document, "Misspelt": True}]
    role = {"Type": "AWS::IAM::Role", "AssumeRolePolicyDocument": TRUST, "Policies": policies}
    assert cloud.create("deep", template(R=role)) == "ROLLBACK_COMPLETE"
    assert "Unsupported property [Misspelt]" in cloud.reasons("deep")


def test_an_unread_changed_property_fails_the_update(cloud: Cloud) -> None:
    assert cloud.create("changed", template(T={**TOPIC, "DisplayName": "old"})) == "CREATE_COMPLETE"
    body = template(T={**TOPIC, "DisplayName": "new", "DisplayNaem": "x"})
    assert cloud.update("changed", body) == "UPDATE_ROLLBACK_COMPLETE"
    arn = cloud.physical("changed", "T")
    shown = cloud.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"]
    assert shown == "old"


def test_an_unknown_type_is_rejected(cloud: Cloud) -> None:
    client = cloud.client("cloudformation")
    with pytest.raises(client.exceptions.ClientError, match="Unrecognized resource types"):
        cloud.create("unknown", template(X={"Type": "AWS::Braket::Notebook"}))


def test_a_create_that_fails_midway_leaves_nothing(cloud: Cloud) -> None:
    body = template(A={**TOPIC, "TopicName": "midway"}, B=MISSING_ROLE)
    assert cloud.create("midway", body) == "ROLLBACK_COMPLETE"
    assert "midway" not in topics(cloud)


def test_a_name_that_is_taken_is_rejected(cloud: Cloud) -> None:
    cloud.client("sns").create_topic(Name="taken")
    assert cloud.create("taken", template(T={**TOPIC, "TopicName": "taken"})) == "ROLLBACK_COMPLETE"
    assert "with identifier 'taken' already exists" in cloud.reasons("taken")
    assert "taken" in topics(cloud)


def test_the_properties_of_a_bucket_can_be_read_by_the_api(cloud: Cloud) -> None:
    key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/x"}
    bucket = {
        **BUCKET,
        "BucketName": "everything",
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": key}]},
        "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": "3"}]},
        "Tags": [{"Key": "k", "Value": "v"}],
    }
    assert cloud.create("everything", template(B=bucket)) == "CREATE_COMPLETE"
    s3 = cloud.client("s3")
    rules = s3.get_bucket_encryption(Bucket="everything")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == key
    assert s3.get_bucket_lifecycle_configuration(Bucket="everything")["Rules"][0]["Expiration"] == {"Days": 3}
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket="everything")["TagSet"]}
    assert tags["k"] == "v"
    assert tags["aws:cloudformation:stack-name"] == "everything"
    assert cloud.delete("everything") == "DELETE_COMPLETE"


def test_a_nested_stack_with_a_full_bucket_fails_its_parents_delete_until_it_is_empty(cloud: Cloud) -> None:
    child = template(B={**BUCKET, "BucketName": "full"}, T=TOPIC)
    assert cloud.create("parent", template(N=cloud.nested("full", child))) == "CREATE_COMPLETE"
    inner = cloud.physical("parent", "N")
    cloud.client("s3").put_object(Bucket="full", Key="k", Body=b"")
    assert cloud.delete("parent") == "DELETE_FAILED"
    assert cloud.stack(inner)["StackStatus"] == "DELETE_FAILED"
    # The nested stack's own events have the reason (pitfall K6).
    assert "The following resource(s) failed to delete: [B]." in cloud.reasons("parent")
    assert "BucketNotEmpty" in cloud.reasons(inner)
    cloud.client("s3").delete_object(Bucket="full", Key="k")
    assert cloud.delete("parent") == "DELETE_COMPLETE"
    assert cloud.stack(inner)["StackStatus"] == "DELETE_COMPLETE"


def nested_with(cloud: Cloud, name: str, label: str, *, broken: bool = False) -> str:
    outputs = {"Name": {"Value": {"Fn::GetAtt": ["T", "TopicName"]}}, "L": {"Value": {"Ref": "Label"}}}
    more = {"Z": MISSING_ROLE} if broken else {}
    child = template(
        outputs, {"Label": {"Type": "String"}}, T=TOPIC, Q={**TOPIC, "DisplayName": {"Ref": "Label"}}, **more
    )
    nested = cloud.nested(f"{name}-{label}", child, Label=label)
    outer = {
        "Name": {"Value": {"Fn::GetAtt": ["N", "Outputs.Name"]}},
        "L": {"Value": {"Fn::GetAtt": ["N", "Outputs.L"]}},
    }
    return template(outer, N=nested)


def test_a_nested_stack_names_its_root_and_its_parent(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html"""
    leaf = cloud.nested("leaf", template(T={"Type": "AWS::SNS::Topic", "TopicName": "leaf"}))
    middle = cloud.nested("middle", template(Leaf=leaf))
    assert cloud.create("family", template(Middle=middle)) == "CREATE_COMPLETE"
    root = cloud.stack("family")
    assert {"RootId", "ParentId"}.isdisjoint(root)
    middle_id = cloud.physical("family", "Middle")
    leaf_id = cloud.physical(middle_id, "Leaf")
    parents = [(each["RootId"], each["ParentId"]) for each in map(cloud.stack, (middle_id, leaf_id))]
    assert parents == [(root["StackId"], root["StackId"]), (root["StackId"], middle_id)]


def test_a_nested_update_keeps_the_attributes_of_unchanged_resources(cloud: Cloud) -> None:
    assert cloud.create("kept", nested_with(cloud, "kept", "one")) == "CREATE_COMPLETE"
    before = cloud.outputs("kept")
    assert cloud.update("kept", nested_with(cloud, "kept", "two")) == "UPDATE_COMPLETE"
    assert cloud.outputs("kept") == {"Name": before["Name"], "L": "two"}


def test_a_nested_update_that_fails_is_rolled_back(cloud: Cloud) -> None:
    assert cloud.create("back", nested_with(cloud, "back", "one")) == "CREATE_COMPLETE"
    broken = nested_with(cloud, "back", "two", broken=True)
    assert cloud.update("back", broken) == "UPDATE_ROLLBACK_COMPLETE"
    assert "was not successfully updated" in cloud.reasons("back")
    assert cloud.outputs("back")["L"] == "one"
    inner = cloud.physical("back", "N")
    topic = cloud.physical(inner, "Q")
    shown = cloud.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"]
    assert shown == "one"


def test_a_nested_create_that_fails_leaves_nothing(cloud: Cloud) -> None:
    child = template(A={**TOPIC, "TopicName": "inner"}, B=MISSING_ROLE)
    assert cloud.create("outer", template(N=cloud.nested("outer", child))) == "ROLLBACK_COMPLETE"
    assert "was not successfully created" in cloud.reasons("outer")
    assert "inner" not in topics(cloud)


def test_a_custom_resource_fails_if_its_function_fails(cloud: Cloud) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "index.py", "def handler(event, context):\n    raise ValueError('broken on purpose')\n"
        )
    function = cloud.client("lambda").create_function(
        FunctionName="broken",
        Runtime="python3.12",
        Handler="index.handler",
        Role=function_role(cloud, "breaking"),
        Code={"ZipFile": packed.getvalue()},
    )
    began = time.monotonic()
    body = template(C={"Type": "Custom::Broken", "ServiceToken": function["FunctionArn"]})
    assert cloud.create("custom", body) == "ROLLBACK_COMPLETE"
    assert "broken on purpose" in cloud.reasons("custom")
    assert time.monotonic() - began < 30, "AWS would wait an hour for an answer that cannot come"


def test_a_role_with_a_policy_from_outside_its_stack_is_not_deleted(cloud: Cloud) -> None:
    role = {"Type": "AWS::IAM::Role", "RoleName": "used", "AssumeRolePolicyDocument": TRUST}
    assert cloud.create("role", template(R=role)) == "CREATE_COMPLETE"
    iam = cloud.client("iam")
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="used", PolicyName="foreign", PolicyDocument=document)
    assert cloud.delete("role") == "DELETE_FAILED"
    assert "must delete policies first" in cloud.reasons("role")
    iam.delete_role_policy(RoleName="used", PolicyName="foreign")
    assert cloud.delete("role") == "DELETE_COMPLETE"


def test_a_network_that_resources_outside_its_stack_use_is_not_deleted(cloud: Cloud) -> None:
    vpc = {"Ref": "V"}
    body = template(
        V={"Type": "AWS::EC2::VPC", "CidrBlock": "10.0.0.0/16"},
        S={"Type": "AWS::EC2::Subnet", "VpcId": vpc, "CidrBlock": "10.0.0.0/24"},
        G={"Type": "AWS::EC2::SecurityGroup", "VpcId": vpc, "GroupDescription": "d"},
    )
    assert cloud.create("network", body) == "CREATE_COMPLETE"
    ec2 = cloud.client("ec2")
    group, subnet = cloud.physical("network", "G"), cloud.physical("network", "S")
    other = ec2.create_security_group(GroupName="other", Description="d")["GroupId"]
    rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    made = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]
    assert cloud.delete("network") == "DELETE_FAILED"
    assert f"resource {group} has a dependent object" in cloud.reasons("network")
    assert f"The subnet '{subnet}' has dependencies" in cloud.reasons("network")
    ec2.delete_security_group(GroupId=other)
    ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])
    assert cloud.delete("network") == "DELETE_COMPLETE"


def test_the_process_of_a_function_ends_with_its_stack(cloud: Cloud) -> None:
    function = {
        "Type": "AWS::Lambda::Function",
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": function_role(cloud, "ending"),
        "Code": {"ZipFile": "def handler(event, context):\n    return 1\n"},
    }
    assert cloud.create("function", template(F=function)) == "CREATE_COMPLETE"
    before = set(processes(cloud.server.instance))
    cloud.client("lambda").invoke(FunctionName=cloud.physical("function", "F"))
    begun = set(processes(cloud.server.instance)) - before
    assert begun
    assert cloud.delete("function") == "DELETE_COMPLETE"
    deadline = time.monotonic() + 10
    while begun & set(processes(cloud.server.instance)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not begun & set(processes(cloud.server.instance))


def test_a_stack_that_is_deleted_during_its_creation_leaves_nothing(cloud: Cloud) -> None:
    """As after an interrupted `cdk deploy`."""
    repository = {"Type": "AWS::ECR::Repository"}
    names = [f"half-made-{number}" for number in range(40)]
    child = template(**{f"R{n}": {**repository, "RepositoryName": name} for n, name in enumerate(names)})
    cloud.client("s3").create_bucket(Bucket="half-made")
    cloud.client("s3").put_object(Bucket="half-made", Key="child", Body=child.encode())
    url = f"{cloud.server.endpoint}/half-made/child"
    parent = template(Child={"Type": "AWS::CloudFormation::Stack", "TemplateURL": url})
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(StackName="half-made", TemplateBody=parent)
    while not cloud.client("ecr").describe_repositories()["repositories"]:
        time.sleep(0.01)
    cloudformation.delete_stack(StackName="half-made")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="half-made", WaiterConfig={"Delay": 0.1, "MaxAttempts": 200}
    )
    assert cloud.client("ecr").describe_repositories()["repositories"] == []
