"""What a person who synthesizes can put right."""


class AppError(Exception):
    """The app cannot be synthesized as it was asked; the message is one line that says what to change."""
