"""What the CodeCommit repository is seeded with."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from infrastructure.constructs.source import CONTRACT_FILES, SeedError, copy_sample_seed
from unit_tests.infrastructure.synthesized import PROJECT

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-codecommit-repository-code.html
MAXIMUM_SEED_BYTES = 20 * 1024 * 1024


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with files that are part of the seed and files that are not."""
    folder = tmp_path / "project"
    (folder / "sample_service" / "tests").mkdir(parents=True)
    for name in (*CONTRACT_FILES, "app.py", "sample_service/app.py", "sample_service/tests/test_app.py"):
        (folder / name).write_text(name, "utf-8")
    for litter in ("__pycache__/app.pyc", ".pytest_cache/x", ".venv/bin/python", "reports/unit-tests.xml"):
        path = folder / "sample_service" / litter
        path.parent.mkdir(parents=True)
        path.write_text("litter", "utf-8")
    return folder


def laid_out(project: Path, folder: Path) -> set[str]:
    folder.mkdir()
    copy_sample_seed(project, folder)
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_seed_is_the_contract_and_the_service_with_its_tests(project: Path, tmp_path: Path) -> None:
    assert laid_out(project, tmp_path / "seed") == {
        *CONTRACT_FILES,
        "sample_service/app.py",
        "sample_service/tests/test_app.py",
    }


@pytest.mark.parametrize("name", CONTRACT_FILES)
def test_a_missing_contract_file_is_named(project: Path, tmp_path: Path, name: str) -> None:
    (project / name).unlink()
    with pytest.raises(SeedError, match=f"{name} is missing"):
        laid_out(project, tmp_path / "seed")


def test_a_missing_service_is_named(project: Path, tmp_path: Path) -> None:
    (project / "sample_service").rename(project / "elsewhere")
    with pytest.raises(SeedError, match="sample_service is missing"):
        laid_out(project, tmp_path / "seed")


def test_the_seed_of_this_project_is_far_below_aws_limit(tmp_path: Path) -> None:
    """20 MB, compressed (pitfall B4)."""
    files = laid_out(PROJECT, tmp_path / "seed")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in files:
            archive.write(tmp_path / "seed" / name, name)
    assert len(packed.getvalue()) < MAXIMUM_SEED_BYTES / 20
    assert {"Dockerfile", "sample_service/requirements.txt"} <= files
