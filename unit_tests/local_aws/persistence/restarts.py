"""Restarts a service as after SIGKILL: a new one with the snapshot of the old."""

import pickle
from typing import TypeVar

from local_aws.core.api import JsonService
from local_aws.persistence import snapshots

Service = TypeVar("Service", bound=JsonService)


def restored(service: Service, snapshot: bytes) -> Service:
    """Return `service` with a snapshot, which has been pickled as the whole file is."""
    snapshots.load(service, pickle.loads(pickle.dumps(snapshot)))  # noqa: S301 - ours
    return service
