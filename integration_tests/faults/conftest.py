"""One environment for all faults: a deploy takes longer than most of them."""

from collections.abc import Iterator

import pytest

from integration_tests.cloud import Cloud
from integration_tests.conftest import telling
from integration_tests.developer import Developer
from integration_tests.faults import record
from integration_tests.notices import Inbox, listening
from integration_tests.story import Story


@pytest.fixture(scope="package")
def story(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Story]:
    """A story for the whole package."""
    yield from telling(cloud, request)


@pytest.fixture(scope="package")
def deployed(story: Story) -> Story:
    """The environment, with the seeded commit answering."""
    assert story.deploy()
    story.seed()
    return story


@pytest.fixture(scope="package")
def developer(deployed: Story) -> Developer:
    """A developer with a clone."""
    return deployed.developer()


@pytest.fixture(scope="package")
def inbox(deployed: Story) -> Iterator[Inbox]:
    """What the environment's topic tells."""
    with listening(deployed.cloud, deployed.outputs.topic_arn) as found:
        yield found


@pytest.fixture(scope="package")
def faults(story: Story) -> Iterator[list[record.Fault]]:
    """The table of faults, written beside the story's report in the end."""
    found: list[record.Fault] = []
    yield found
    written = record.write(story.recorder.folder, found)
    story.progress.step(f"{len(found)} faults in {written}\n{record.table(found)}")
