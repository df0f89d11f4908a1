"""Elastic Container Service: clusters, task definitions, services, task sets and tasks that run."""
