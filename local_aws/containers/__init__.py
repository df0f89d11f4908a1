"""Containers: images built, pushed and run, as processes where there is no Docker."""
