"""Who wrote the commits of the releases, and when."""

from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.dashboard.pipeline_state import Part

UNKNOWN: Part = {"author": "", "written": None, "seed": False}


class Commits:
    """The authors of commits in a CodeCommit repository; each commit is read once."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._known: dict[str, Part] = {}

    def of(self, repository: str, commit: str) -> Part:
        """Return the author of a commit, the time when it was written, and whether the stack created it."""
        if not commit:
            return UNKNOWN
        if commit not in self._known:
            try:
                self._known[commit] = self._read(repository, commit)
            except ClientError:
                # The row of its release is still worth showing.
                return UNKNOWN
        return self._known[commit]

    def _read(self, repository: str, commit: str) -> Part:
        client = self.cloud.client("codecommit")
        found = client.get_commit(repositoryName=repository, commitId=commit)["commit"]
        # Seconds and an offset: https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UserInfo.html
        written = float(found["author"]["date"].split()[0])
        # Only the commit that CloudFormation made of the seed has no parent.
        return {"author": found["author"]["name"], "written": written, "seed": not found["parents"]}
