"""The settings guard: a custom resource that fails a deployment which would drop a setting."""
