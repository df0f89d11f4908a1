"""Containers of docker or podman, by their command line."""
