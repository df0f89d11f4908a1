"""The account's clients."""

from operations.account import Account


def test_a_client_slows_down_by_itself_once_aws_throttles_it() -> None:
    """https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html"""
    client = Account(endpoint="http://127.0.0.1:9").client("sts")
    assert client.meta.config.retries == {"mode": "adaptive", "total_max_attempts": 5}
