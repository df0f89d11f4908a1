"""The error that a person can fix before synthesizing again."""


class AppError(Exception):
    """The app cannot be synthesized as requested; the message is one line that says what to change."""
