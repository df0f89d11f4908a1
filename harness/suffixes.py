"""Random suffixes, so that environments do not collide."""

import secrets


def random_suffix(prefix: str) -> str:
    """Return `prefix` and eight random hexadecimal digits; a suffix may have twelve characters."""
    return f"{prefix}{secrets.token_hex(4)}"[:12]
