"""CodeDeploy for ECS: blue/green deployments, their lifecycle events and rollbacks."""
