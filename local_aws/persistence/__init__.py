"""What survives a kill: snapshots on disk, and answers that wait until they are kept."""
