"""Containers as processes, for a machine without a container engine."""
