"""Faults during a release under load: what users saw, what was said, and what was left."""
