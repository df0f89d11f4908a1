"""Five releases in a row under load: no long request and no kept connection is interrupted."""

import pytest

from harness.scenario import Scenario
from integration_tests.support.bad_commits import ROUTES
from integration_tests.support.clients import SLOW_ROUTE, kept_connection, long_requests

pytestmark = [pytest.mark.timeout(12 * 3600), pytest.mark.slow]

# Hundreds are for `make soak`.
SHIFTS = 5
# Requests per second, besides the long ones: thousands in total, and the builds still have time.
RATE = 50.0
# The length of a long request in AWS's minutes: less than the termination wait (5).
LONG_MINUTES = 4.0


def test_five_releases_in_a_row_fail_no_request(deployed: Scenario) -> None:
    developer = deployed.developer()
    with (developer.clone / ROUTES).open("a") as routes:
        routes.write(SLOW_ROUTE)
    deployed.push(developer, developer.commit("Add a slow route"))
    url = deployed.cloud.resolve(deployed.outputs.service_url)
    folder, seconds = deployed.recorder.folder, deployed.cloud.minutes(LONG_MINUTES, own=0)
    folder.mkdir(parents=True, exist_ok=True)
    versions, shift_times = [developer.head], []
    with (
        deployed.probing(RATE) as prober,
        long_requests(url, seconds, folder / "long.jsonl") as long,
        kept_connection(url, folder / "kept.jsonl") as kept,
    ):
        for number in range(SHIFTS):
            commit = developer.greet(f"Hello for the {number + 1}. time")
            deployed.push(developer, commit)
            deployed.settle(prober, commit)
            shift_times.append(prober.began + prober.last_of(versions[-1]))
            versions.append(commit)
        figures = prober.figures()
    assert figures.failures == 0, prober.failures[:3]
    assert list(figures.versions) == versions, "each version in order, none left out"
    assert not long.failures
    for shift_time, old in zip(shift_times, versions, strict=False):
        assert [one for one in long.requests if one.spans(shift_time) and one.version == old], (
            "in flight in the shift"
        )
    assert not kept.failures
    assert {one.version for one in kept.requests} == set(versions)
    deployed.progress.step(
        f"{SHIFTS} shifts: {figures.requests} requests, {len(long.requests)} of {seconds:g} s and "
        f"{len(kept.requests)} over one kept connection, 0 failed"
    )


@pytest.mark.destroys
def test_destroy_after_six_releases_leaves_nothing(deployed: Scenario) -> None:
    deployed.destroy()
