"""The `docker` command of a build on a machine without Docker."""
