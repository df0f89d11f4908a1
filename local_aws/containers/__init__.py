"""Container engines and images: docker, podman, or processes on a machine without either."""
