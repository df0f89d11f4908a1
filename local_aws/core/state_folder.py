"""The state folder: nothing is deleted or read in a folder that is not local_aws's and its user's own."""

import os
import pwd
import stat
from pathlib import Path

from local_aws.core.errors import LocalAwsError

MARKER = ".local_aws"
_OTHERS = 0o077


def prepare(state: Path) -> None:
    """Create the folder for this user only, or check that an existing one is a state folder.

    Raises `LocalAwsError`.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_owner(state)
    marker = state / MARKER
    if not marker.exists():
        if any(state.iterdir()):
            raise LocalAwsError(
                f"{state} has files and is not a state folder of this version of local_aws: "
                "choose a new or an empty folder with --state, or remove it"
            )
        state.chmod(0o700)
        marker.write_text("A state folder of local_aws. It deletes files in here.\n")
    for path in (state, *(each for each in state.iterdir() if each.is_file())):
        check_owner(path)
    if stat.S_IMODE(state.stat().st_mode) & _OTHERS:
        raise LocalAwsError(
            f"{state} is open to other users: run `chmod 700 {state}`, or choose another --state"
        )


def check_owner(path: Path) -> None:
    """Raise `LocalAwsError` if a file or a folder is another user's."""
    owner = path.stat().st_uid
    if owner != os.geteuid():
        raise LocalAwsError(f"{path} belongs to {_name(owner)}, not to you: choose another --state")


def _name(owner: int) -> str:
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return f"user {owner}"
