"""The container engine that uses the command line of docker or podman."""
