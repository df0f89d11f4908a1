"""The infrastructure changes between releases, and the traffic stays where it is (traps C1, C5)."""

import pytest

from integration_tests.story import Story

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# What may change after a release: no property of the service, a listener or a target group has any of it.
FIRST = {"notificationEmail": "first@example.com", "terminationWaitMinutes": "6"}
SECOND = {
    "notificationEmail": "second@example.com",
    "testTrafficCidr": "203.0.113.0/24",
    "taskMemory": "1024",
}


def stays(story: Story, settings: dict[str, str]) -> None:
    """Deploy a change under requests: nobody may notice."""
    version, traffic = story.served(), story.traffic()
    with story.probing() as prober:
        assert story.deploy(**settings), "CloudFormation had nothing to change, so nothing was shown"
        figures = prober.figures()
    assert set(figures.versions) == {version}
    assert figures.failures == 0, prober.failures[:3]
    assert story.traffic() == traffic


def test_a_change_after_one_release_moves_no_traffic(deployed: Story) -> None:
    """After an odd number of releases the template names the idle group (traps C5)."""
    stays(deployed, FIRST)


def test_a_change_after_two_releases_moves_no_traffic(deployed: Story) -> None:
    """The service cannot be updated with what CloudFormation sends (traps C1), so it must not be touched."""
    developer = deployed.developer()
    deployed.push(developer, developer.greet("Hello after a change"))
    stays(deployed, SECOND)
