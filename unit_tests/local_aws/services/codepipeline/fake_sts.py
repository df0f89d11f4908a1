"""A fake of STS, and the errors of AWS's services."""

from typing import Any

from botocore.exceptions import ClientError


def refusal(code: str, message: str = "no") -> ClientError:
    """Return the exception that boto3 raises for an error of AWS."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


class FakeSts:
    """STS, with the roles that were assumed; it refuses `refused` ones."""

    def __init__(self) -> None:
        self.assumed: list[str] = []
        self.refused: set[str] = set()

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.assumed.append(request["RoleArn"])
        if request["RoleArn"] in self.refused:
            raise refusal("AccessDenied", "not trusted")
        return {"Credentials": {}}
