"""The state that ECR's API, its registry and its CloudFormation type share."""

import time

from local_aws.core.api import JsonService
from local_aws.core.context import Context
from local_aws.services.ecr.blobs import BlobStore
from local_aws.services.ecr.errors import repository_not_found
from local_aws.services.ecr.records import ImageRepository, Login


class EcrState(JsonService):
    """Repositories by name, their blobs, and the logins by password."""

    service = "ecr"
    persisted = ("repositories",)

    def __init__(self, context: Context, logins: dict[str, Login] | None = None) -> None:
        super().__init__(context)
        self.repositories: dict[str, ImageRepository] = {}
        self.blobs = BlobStore(context.state / "ecr")
        self.logins = {} if logins is None else logins

    def repository(self, name: str) -> ImageRepository:
        """Return a repository; raises RepositoryNotFoundException."""
        if name not in self.repositories:
            raise repository_not_found(name, self.context.account)
        return self.repositories[name]

    def login(self, password: str) -> Login | None:
        """Return the login of a password; None when the password is unknown or has expired."""
        found = self.logins.get(password)
        return found if found is not None and found.expires > time.time() else None
