"""Reads of MiniStack's stores while another thread writes to them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import count

import pytest
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict

from local_aws.core.concurrent_mutation import retry_on_concurrent_mutation
from local_aws.ministack import stores

MANY = 5000


@pytest.fixture(params=[AccountScopedDict, AccountRegionScopedDict])
def store(request: pytest.FixtureRequest) -> Iterator[AccountRegionScopedDict]:
    """A store that gets one more record during the next read, as from another thread."""
    stores.patch_store_readers()
    created = request.param()
    for number in range(MANY):
        created[f"record-{number}"] = object()
    writes = count()

    def write(phase: str, _: object) -> None:
        if phase == "start" and next(writes) < 3:
            created[f"late-{next(writes)}"] = object()

    gc.callbacks.append(write)
    yield created
    gc.callbacks.remove(write)


@pytest.mark.parametrize("reader", ["items", "values"])
def test_a_write_during_a_read_of_a_store_breaks_nothing(store: AccountRegionScopedDict, reader: str) -> None:
    assert len(getattr(store, reader)()) >= MANY


def test_another_error_of_a_reader_is_not_hidden() -> None:
    def broken() -> None:
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        retry_on_concurrent_mutation(broken)()
