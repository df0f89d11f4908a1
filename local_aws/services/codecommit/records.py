"""What CodeCommit keeps of a repository besides its commits, as a file in the repository itself."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from local_aws.core.api import now
from local_aws.services.codecommit.git_repository import GitRepository

RECORD_FILE = "codecommit.json"


@dataclass
class Repository:
    """A repository: its settings, its tags and its commits."""

    id: str
    name: str
    git: GitRepository
    description: str | None = None
    kms_key: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)
    # The references as of the last events: each reference's full name with its commit.
    announced: dict[str, str] = field(default_factory=dict)

    def save(self) -> None:
        """Write the record beside the commits."""
        record = {name: value for name, value in asdict(self).items() if name not in ("git", "announced")}
        target = self.git.path / RECORD_FILE
        draft = target.with_suffix(".new")
        draft.write_text(json.dumps(record, default=datetime.isoformat))
        draft.replace(target)

    @classmethod
    def load(cls, path: Path) -> "Repository":
        """Read the record of the repository at `path`."""
        record = json.loads((path / RECORD_FILE).read_text())
        for name in ("created", "modified"):
            record[name] = datetime.fromisoformat(record[name])
        git = GitRepository(path)
        return cls(git=git, announced=git.refs(), **record)
