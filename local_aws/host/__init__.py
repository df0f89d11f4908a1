"""Processes, interpreters and the disk of this machine."""
