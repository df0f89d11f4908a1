"""An entry of the catalogue with every key that the templates show."""

ORDERS = {
    "folder": "services/orders",
    "port": 9000,
    "healthPath": "/ready",
    "cpu": 512,
    "memory": 1024,
    "tasks": 4,
    "environment": {"COLOUR": "red"},
    "taskStatements": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::orders/*"]}],
    "smokePaths": [{"path": "/ready"}, {"path": "/admin", "status": 401}],
}
