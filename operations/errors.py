"""The error that a person can fix: one line, exit code 2."""


class OperationsError(Exception):
    """Something could not be done; the message says why and what to do."""
