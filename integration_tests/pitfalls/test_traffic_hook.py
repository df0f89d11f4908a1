"""Pitfalls of the test-traffic hook: each test deploys a task definition of the first release again."""

import json
import re
from collections.abc import Iterator

import pytest

from harness.cloud import Cloud
from integration_tests.pitfalls.released_pipeline import GUARD_RULES, SUCCEEDED, Released, released_pipeline

pytestmark = pytest.mark.slow

# An ordinary API: it sends no version, and has no page at `/`.
API = """
import http.server, os

class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/health", "/api/items") else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Api).serve_forever()
"""


@pytest.fixture(scope="module")
def released(cloud: Cloud) -> Iterator[Released]:
    with released_pipeline(cloud) as found:
        yield found


def test_the_first_release_after_a_quiet_month_needs_the_schedule(released: Released) -> None:
    """pitfall N7: without the rule, Lambda has made the function Inactive; its invocation fails."""
    events, client = released.client("events"), released.client("lambda")
    rule = released.pipeline.physical_name("test-traffic-hook-schedule-the-suffix")
    events.disable_rule(Name=rule)
    released.skip_days(30)
    assert client.get_function_configuration(FunctionName=released.hook)["State"] == "Inactive"
    status, code, message = released.deploy()
    assert (status, code) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert "The function is inactive and its VPC connection is no longer available" in message
    client.get_waiter("function_active_v2").wait(FunctionName=released.hook)
    events.enable_rule(Name=rule)
    released.skip_days(30)
    assert client.get_function_configuration(FunctionName=released.hook)["State"] == "Active"
    assert released.deploy() == SUCCEEDED


def test_an_api_without_a_version_and_without_a_page_at_the_root_is_released(released: Released) -> None:
    """pitfall N8: the hook names the path that it may not expect; the catalogue names the right ones."""
    # Another command is another program, which the deployment guard would stop.
    api = released.register(command=["python", "-c", API])
    with released.disabled(*GUARD_RULES):
        status, code, _ = released.deploy(api)
        assert (status, code) == ("Failed", "HOOK_EXECUTION_FAILURE")
        said = r"GET http://\S+:8080/: expected 200, got 404, in attempt 4 of 4"
        assert re.search(said, released.reason())
        released.set_variables(SMOKE_PATHS=json.dumps([{"path": "/api/items", "status": 200}]))
        assert released.deploy(api) == SUCCEEDED
