"""A full disk on this machine, reported with the message of AWS's Linux hosts."""

import errno

FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: OSError) -> bool:
    """Return whether a write failed because the disk is full."""
    return error.errno in FULL


def no_space(error: OSError) -> str:
    """Return the message of CodeBuild's and ECS's agents for such a write.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html
    """
    return f"write {error.filename or 'file'}: no space left on device"
