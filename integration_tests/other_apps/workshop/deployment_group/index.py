"""Creates, updates and deletes the deployment group, as a custom resource."""

import json
import urllib.request
from typing import Any

import boto3

codedeploy = boto3.client("codedeploy")
EVENTS = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST", "DEPLOYMENT_STOP_ON_ALARM"]


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer to the URL of the event, whatever happens."""
    physical_id = event.get("PhysicalResourceId", "none")
    status, reason = "SUCCESS", ""
    try:
        physical_id = act(event["RequestType"], event["ResourceProperties"], physical_id)
    except Exception as error:
        status, reason = "FAILED", str(error)
    body = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    body |= {"Status": status, "Reason": reason, "PhysicalResourceId": physical_id}
    content = json.dumps(body).encode()
    url = event["ResponseURL"]
    request = urllib.request.Request(url, content, {"content-type": ""}, method="PUT")  # noqa: S310 - S3's URL
    urllib.request.urlopen(request)  # noqa: S310 - S3's URL


def act(request: str, properties: dict[str, Any], physical_id: str) -> str:
    """Do what CloudFormation asks for; return the physical id."""
    name = {"applicationName": properties["Application"]}
    if request == "Delete":
        if physical_id != "none":
            codedeploy.delete_deployment_group(deploymentGroupName=properties["Group"], **name)
        return physical_id
    members = settings(properties)
    if request == "Update":
        codedeploy.update_deployment_group(currentDeploymentGroupName=properties["Group"], **name, **members)
        return physical_id
    codedeploy.create_deployment_group(deploymentGroupName=properties["Group"], **name, **members)
    return f"group-{properties['Group']}"


def settings(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the members of CreateDeploymentGroup and UpdateDeploymentGroup."""
    production, test = properties["Listeners"]
    pair = {
        "targetGroups": [{"name": name} for name in properties["Targets"]],
        "prodTrafficRoute": {"listenerArns": [production]},
        "testTrafficRoute": {"listenerArns": [test]},
    }
    return {
        "deploymentConfigName": properties["Config"],
        "serviceRoleArn": properties["Role"],
        "deploymentStyle": {
            "deploymentType": "BLUE_GREEN",
            "deploymentOption": "WITH_TRAFFIC_CONTROL",
        },
        "blueGreenDeploymentConfiguration": {
            "terminateBlueInstancesOnDeploymentSuccess": {
                "action": "TERMINATE",
                "terminationWaitTimeInMinutes": int(properties["Minutes"]),
            },
            "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
        },
        "alarmConfiguration": {
            "enabled": True,
            "ignorePollAlarmFailure": False,
            "alarms": json.loads(properties["Alarms"]),
        },
        "autoRollbackConfiguration": {"enabled": True, "events": EVENTS},
        "ecsServices": [{"serviceName": properties["Service"], "clusterName": properties["Cluster"]}],
        "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
    }
