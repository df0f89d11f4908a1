"""The names of AWS's services as principals.

AWS publishes no list of them. botocore's models have most names, the services' documentation the rest:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
"""

import re
from functools import cache

from local_aws.core.clients import SESSION

_NAME = re.compile(
    r"(?:[\w-]+\.)*?(?P<label>[\w-]+)(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.(?:amazonaws\.com|aws\.internal)"
)
# Principals that no model has as the name of a service or an endpoint.
_OTHERS = frozenset(
    {
        *("airflow-env", "billingconsole", "cks", "codestar", "codestar-notifications", "config-conforms"),
        *(
            "config-multiaccountsetup",
            "continuousexport",
            "delivery",
            "ec2fleet",
            "ec2scheduled",
            "ecs-tasks",
        ),
        *("edgelambda", "eks-fargate", "eks-fargate-pods", "eks-nodegroup", "importexport", "logdelivery"),
        *("macie", "malware-protection-plan", "opensearchservice", "opsworks-cm", "osis", "pods", "qldb"),
        *("replication", "reporting", "robomaker", "signin", "sms", "spot", "spotfleet", "storagegateway"),
        *("tagpolicies", "timestream", "transitgateway", "trustedadvisor", "vmie", "vpc-flow-logs"),
    }
)


def is_service_principal(name: str) -> bool:
    """Return whether AWS has a service principal, of a service or of a part of it (`monitoring.rds`)."""
    if name.endswith(".amazon.com"):
        return True
    found = _NAME.fullmatch(name)
    return found is not None and found["label"] in _known()


@cache
def _known() -> frozenset[str]:
    partition = SESSION.get_component("data_loader").load_data("endpoints")["partitions"][0]
    names = {*SESSION.get_available_services(), *partition["services"], *_OTHERS}
    return frozenset(label for name in names for label in name.split("."))
