"""A full disk of this machine, told where AWS tells of one: in the words of the Linux behind it."""

import errno

FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: OSError) -> bool:
    """Say whether a write failed for want of space."""
    return error.errno in FULL


def no_space(error: OSError) -> str:
    """Return what CodeBuild's and ECS's agents say of such a write.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html
    """
    return f"write {error.filename or 'file'}: no space left on device"
