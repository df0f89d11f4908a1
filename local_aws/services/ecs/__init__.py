"""ECS: task definitions, services, task sets and tasks that have a process."""
