"""`make engines`: what a container answers on a real Docker Engine, on podman, and as processes."""
