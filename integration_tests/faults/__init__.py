"""Faults during a release under load: what clients saw, what was reported, and the state afterwards."""
