"""Errors that a person can correct."""


class LocalAwsError(Exception):
    """An error with one line that says what to do; the command exits with code 2."""
