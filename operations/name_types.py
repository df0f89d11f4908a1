"""The resource types of names: each resource of an environment is named `{type}-{suffix}`.

A unit test compares with the templates. Some names have a number between the two; the roles of approvals have
another environment there, and are recognized by their tags.
"""

# fmt: off
TYPES = frozenset((
    "access-logs", "access-logs-cleaner", "application", "approvals", "artifacts", "artifacts-cleaner",
    "break-glass", "break-glass-changed", "break-glass-events", "build", "build-events", "build-failed",
    "build-retry", "build-retry-failures", "cluster", "dashboard", "default-group-rules",
    "deployment-events", "deployment-failed", "deployment-group", "deployment-guard",
    "deployment-guard-deployments", "deployment-guard-tasks",
    "deployment-refused", "developer-policy", "docker-hub", "drift-check", "drift-check-daily",
    "drift-check-errors", "elastic-ip", "errors-blue", "errors-green",
    "failed-invocations", "flow-log", "flow-logs", "github-oidc-provider", "image-keeper",
    "image-keeper-daily", "image-keeper-deployments", "images", "internet-gateway", "latency-blue",
    "latency-green", "lb", "load-balancer", "load-balancer-errors", "load-balancer-group", "nat-gateway",
    "network", "no-healthy-task", "notifications", "pipeline", "pipeline-events", "pipeline-failed",
    "private-route-table", "private-subnet", "production-listener", "promotion", "public-route-table",
    "public-subnet", "redirect-listener", "repository", "s3-endpoint", "scalable-target",
    "scaling-deployments", "scaling-policy", "scaling-regularly", "scaling-suspender",
    "scaling-suspender-errors", "service", "service-group", "service-impaired", "settings-guard",
    "signing-key", "source-rule", "stack", "stage-failed", "target-group-blue", "target-group-green",
    "task", "test", "test-listener", "test-traffic-hook", "test-traffic-hook-group",
    "test-traffic-hook-schedule", "tg-blue", "tg-green", "unhealthy-blue", "unhealthy-green",
    "unit-tests", "vpc",
    *(f"{name}-role" for name in (
        "access-logs-cleaner", "approval-action", "approver", "artifacts-cleaner", "build", "build-action",
        "build-retry", "copy-action", "cross-account", "default-group-rules", "deploy-action", "deployment",
        "deployment-guard", "drift-check", "execution", "flow-log", "github", "image-keeper", "pipeline",
        "promotion", "scaling-suspender", "settings-guard", "source-action", "source-rule", "task", "test",
        "test-action", "test-traffic-hook",
    )),
))
# fmt: on
