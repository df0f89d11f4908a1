"""Commits with a mistake that the Build stage does not find, because it has an effect on ECS only.

Each function commits to the developer's clone and returns the commit; `without_mistake` reverts all of them.
"""

from pathlib import Path

from harness.developer import Developer
from integration_tests.support.bad_commits import ROUTES

GUNICORN = Path("sample_service/gunicorn.conf.py")
A_TEST = Path("sample_service/tests/test_broken_on_purpose.py")

# Fargate sets it in every container; a container in a build does not have it.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-metadata.html
ON_ECS = 'if os.environ.get("AWS_EXECUTION_ENV") == "AWS_ECS_FARGATE":'
# The port of the listener that received the request; the test-traffic hook uses another port (8080).
IN_PRODUCTION = """

@blueprint.before_app_request
def fail_in_production() -> None:
    import os

    from flask import request

    if request.headers.get("X-Forwarded-Port") == "80":
        {mistake}
"""
# Ends the worker and with it the container: gunicorn exits after a worker's exit code 3 (WORKER_BOOT_ERROR).
# SIGKILL is no alternative: Linux does not deliver it to process 1 from inside its container.
CRASH = "os._exit(3)"
# In every version except the one that removes it, so that a request can crash a task of the old version only.
CRASH_ROUTE = """

@blueprint.get("/crash")
def crash() -> str:
    import os

    os._exit(3)
"""


def without_mistake(developer: Developer) -> None:
    """Reset the files to the seeded commit plus the crash route: the next commit reverts all others."""
    (seeded,) = developer.git("rev-list", "--max-parents=0", "HEAD").split()
    developer.git("clean", "--force", "--quiet", "-d")
    developer.git("read-tree", "--reset", "-u", seeded)
    _append(developer, CRASH_ROUTE)


def crash_at_start(developer: Developer) -> str:
    """Commit a service that exits at once."""
    return _configure(developer, 'raise SystemExit("a mistake made on purpose")')


def bind_wrong_port(developer: Developer) -> str:
    """Commit a service that listens on a port that no load balancer and no health check uses."""
    return _configure(developer, 'bind = "127.0.0.1:9999"')


def start_slowly(developer: Developer, seconds: float) -> str:
    """Commit a service that listens only after `seconds`."""
    return _configure(developer, f"import time; time.sleep({seconds:g})")


def exhaust_memory(developer: Developer, mebibytes: int) -> str:
    """Commit a service that allocates `mebibytes` in steps of 32 and never listens."""
    eating = "import time; eaten = []\n"
    eating += f"    while len(eaten) * 32 < {mebibytes}:\n"
    eating += '        eaten.append(b"x" * 32 * 1024 * 1024)\n'
    return _configure(developer, f"{eating}    time.sleep(3600)")


def answer_500(developer: Developer) -> str:
    """Commit a service that returns 500 for production traffic, but not to the hook or to health checks."""
    return _route(developer, IN_PRODUCTION.format(mistake='raise RuntimeError("a mistake made on purpose")'))


def crash_on_a_request(developer: Developer) -> str:
    """Commit a service whose container exits on a request of production traffic."""
    return _route(developer, IN_PRODUCTION.format(mistake=CRASH))


def remove_crash_route(developer: Developer) -> str:
    """Commit a service without the crash route."""
    path = developer.clone / ROUTES
    path.write_text(path.read_text().replace(CRASH_ROUTE, ""))
    return developer.greet("Hello from a version without the crash route")


def has_crash_route(developer: Developer, commit: str) -> bool:
    """Return whether a commit has the crash route; the seeded one does not."""
    return CRASH_ROUTE in developer.git("show", f"{commit}:{ROUTES}") + "\n"


def kill_the_build(developer: Developer) -> str:
    """Commit a test that kills the shell of the build command, as the kernel does when memory runs out."""
    return _test(developer, "import os\nimport signal\n\n    os.kill(os.getppid(), signal.SIGKILL)\n")


def hang_the_build(developer: Developer) -> str:
    """Commit a test that never ends."""
    return _test(developer, "import time\n\n    while True:\n        time.sleep(60)\n")


def fill_the_disk(developer: Developer) -> str:
    """Commit tests without space for their report: every write to /dev/full fails with ENOSPC."""
    body = "import os\n\n    os.makedirs('reports', exist_ok=True)\n"
    return _test(developer, f"{body}    os.symlink('/dev/full', 'reports/unit-tests.xml')\n")


def _configure(developer: Developer, mistake: str) -> str:
    with (developer.clone / GUNICORN).open("a") as file:
        file.write(f"\n{ON_ECS}\n    {mistake}\n")
    return developer.commit("Make a mistake that shows on ECS")


def _route(developer: Developer, mistake: str) -> str:
    _append(developer, mistake)
    return developer.commit("Make a mistake that shows in production")


def _test(developer: Developer, content: str) -> str:
    imports, _, body = content.partition("\n\n")
    (developer.clone / A_TEST).write_text(f"{imports}\n\n\ndef test_that_misbehaves_on_purpose():\n{body}")
    return developer.commit("Make a mistake that shows in the build")


def _append(developer: Developer, route: str) -> None:
    with (developer.clone / ROUTES).open("a") as file:
        file.write(route)
