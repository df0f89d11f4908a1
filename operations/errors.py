"""What a person can set right: one line, exit code 2."""


class OperationsError(Exception):
    """The message says what is wrong and what to do."""
