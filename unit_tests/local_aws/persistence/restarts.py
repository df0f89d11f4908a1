"""Restarts a service as after SIGKILL: a new one with the snapshot of the old."""

import pickle
from typing import TypeVar

from local_aws.core.api import JsonService
from local_aws.persistence import snapshots

Service = TypeVar("Service", bound=JsonService)


def given(made: Service, kept: bytes) -> Service:
    """Return `made` with what was kept; like the whole file, it has been bytes on a disk."""
    snapshots.load(made, pickle.loads(pickle.dumps(kept)))  # noqa: S301 - ours
    return made
