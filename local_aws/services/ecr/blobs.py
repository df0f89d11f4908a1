"""The blobs of ECR's images, on disk by digest."""

import shutil
from pathlib import Path

from local_aws.containers.images.store import file_digest


class BlobStore:
    """The blobs of all repositories, in a folder for each repository."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def blob(self, repository: str, digest: str) -> Path:
        """Return the path of a blob, whether it exists or not."""
        return self._folder(repository) / digest.removeprefix("sha256:")

    def upload(self, repository: str, name: str) -> Path:
        """Return the path of the file that an upload is written to."""
        return self._folder(repository) / f"upload-{name}"

    def finish(self, repository: str, name: str, digest: str) -> bool:
        """Make an upload a blob; return False when its digest is not `digest`."""
        path = self.upload(repository, name)
        matches = file_digest(path) == digest
        if matches:
            path.replace(self.blob(repository, digest))
        else:
            path.unlink()
        return matches

    def delete(self, repository: str) -> None:
        """Remove a repository's blobs."""
        shutil.rmtree(self._folder(repository), ignore_errors=True)

    def _folder(self, repository: str) -> Path:
        # The name of a repository may contain a slash but no plus sign; that of a folder no slash.
        folder = self.root / repository.replace("/", "+")
        folder.mkdir(parents=True, exist_ok=True)
        return folder
