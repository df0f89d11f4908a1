"""Reads of MiniStack's stores while another thread writes to them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict
from ministack.services import lambda_svc, sts

from local_aws.core.concurrent_mutation import retry_on_concurrent_mutation
from local_aws.ministack import iam, stores

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


class _Written(dict[str, Any]):
    """A record; when it is first read, another one is written to the store, as from another thread."""

    def __init__(self, store: dict[Any, Any], key: Any) -> None:
        super().__init__()
        self.written = store, key

    def get(self, key: str, default: Any = None) -> Any:
        """Write, and return what `key` has."""
        store, written = self.written
        store.setdefault(written, {})
        return super().get(key, default)


def test_a_role_that_another_thread_assumes_fails_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    stores.patch_store_readers()
    sessions: dict[str, Any] = {}
    sessions["ASIA1"] = _Written(sessions, "ASIA2")
    monkeypatch.setattr(sts, "_sessions", sessions)
    credentials = iam.give_session("arn:aws:iam::123456789012:role/build-role-dev", "build")
    assert set(sessions) == {"ASIA1", "ASIA2", credentials["AccessKeyId"]}


def test_a_function_that_another_thread_creates_fails_no_deletion(monkeypatch: pytest.MonkeyPatch) -> None:
    stores.patch_store_readers()
    functions = lambda_svc._functions._data
    monkeypatch.setitem(functions, "first", _Written(functions, "second"))
    monkeypatch.setitem(functions, "third", {})
    lambda_svc._sweep_extract_cache()
    assert functions.pop("second") == {}


def test_another_error_of_a_reader_is_not_hidden() -> None:
    def broken() -> None:
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        retry_on_concurrent_mutation(broken)()
