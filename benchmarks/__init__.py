"""What the road costs in time and memory on this machine; the figures, not a verdict."""
