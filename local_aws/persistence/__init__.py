"""State that survives SIGKILL: snapshots on disk, and responses that wait for them."""
