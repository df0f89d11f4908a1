"""The root stack and its nested stacks: network, compute, pipeline and access."""
