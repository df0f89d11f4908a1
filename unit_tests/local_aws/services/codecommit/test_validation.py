"""Names and paths that AWS rejects are refused."""

import pytest

from local_aws.core.api import AwsError
from local_aws.services.codecommit.validation import check_branch_name, check_file_path, check_repository_name


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a.git", "a b", "ä", "x" * 101, "..", "a;rm"])
def test_a_hostile_repository_name_is_refused(name: str) -> None:
    with pytest.raises(AwsError, match="InvalidRepositoryNameException"):
        check_repository_name(name)


@pytest.mark.parametrize(
    "name", ["", "-x", "a..b", "a b", "a\nb", "@{", "x.lock", "a//b", ".a", "a/", "x^", "\0"]
)
def test_a_hostile_branch_name_is_refused(name: str) -> None:
    with pytest.raises(AwsError, match="InvalidBranchNameException"):
        check_branch_name(name)


@pytest.mark.parametrize("path", ["", "/a", "../a", "a/../b", ".git/config", "a/.GIT/x", "a//b", "a\0"])
def test_a_path_outside_the_repository_is_refused(path: str) -> None:
    with pytest.raises(AwsError, match="InvalidPathException"):
        check_file_path(path)


def test_valid_names_are_accepted() -> None:
    assert check_repository_name("repository-dev_1.x") == "repository-dev_1.x"
    assert check_branch_name("feature/a-b.c") == "feature/a-b.c"
    assert check_file_path(".github/wörk flow.yml") == ".github/wörk flow.yml"
