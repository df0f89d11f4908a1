"""Clients of our services: they have different credentials, and share models that are loaded once."""

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.loaders import JSONFileLoader

from local_aws.core.api import service_model
from local_aws.core.clients import INTERNAL, make_client


def keys(who: str) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": who, "AWS_SECRET_ACCESS_KEY": "local"}


def test_a_second_client_of_a_service_loads_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    load = JSONFileLoader.load_file

    def counted(loader: JSONFileLoader, path: str) -> object:
        read.append(path)
        return load(loader, path)

    make_client("ec2", "http://127.0.0.1:1", "us-east-1", keys("111111111111"))
    monkeypatch.setattr(JSONFileLoader, "load_file", counted)
    second = make_client("ec2", "http://127.0.0.1:1", "us-east-1", keys("222222222222"))
    assert read == []
    assert second._request_signer._credentials.access_key == "222222222222"
    assert INTERNAL in second.meta.config.user_agent_extra


def test_changes_of_an_s3_client_to_its_model_do_not_reach_ours() -> None:
    """IAM reads the bucket of a request from its path."""
    service_model.cache_clear()
    with pytest.raises(EndpointConnectionError):
        make_client("s3", "http://127.0.0.1:1", "us-east-1", keys("1")).put_object(Bucket="bucket", Key="key")
    assert service_model("s3").operation_model("PutObject").http["requestUri"].startswith("/{Bucket}/")
