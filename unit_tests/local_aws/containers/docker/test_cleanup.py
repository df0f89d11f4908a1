"""Cleanup of what local_aws created in an engine: by the reaper after a kill -9, and images by name."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from local_aws.containers.docker import cleanup
from unit_tests.local_aws.containers.engine_fakes import (
    REGISTRY,
    FakeEngine,
)
from unit_tests.local_aws.containers.fakes import until

SERVER = """
import sys, time
sys.path[:0] = [{project!r}]
from pathlib import Path
from local_aws.containers.docker.cleanup import cleanup_command
from local_aws.containers.engine import ContainerSpec
from local_aws.host import reaper
from unit_tests.local_aws.containers.engine_fakes import FakeEngine, engine_of

state = Path({state!r})
reaping = reaper.start("mine", cleanup_command(state / "containers"))
engine = engine_of(FakeEngine(Path({engine!r})), state)
engine.start(ContainerSpec("image", "web"), print)
print("ready", flush=True)
time.sleep(60)
"""


def test_after_a_kill_9_the_reaper_removes_the_containers_of_the_engine(tmp_path: Path) -> None:
    folder, state = tmp_path / "engine", tmp_path / "state"
    project = str(Path(__file__).parents[4])
    text = textwrap.dedent(SERVER).format(project=project, state=str(state), engine=str(folder))
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE) as server:  # noqa: S603
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        assert len(list((folder / "containers").iterdir())) == 2
        server.send_signal(signal.SIGKILL)
    until(lambda: not list((folder / "containers").iterdir()), 30)
    until(lambda: not (state / "containers/engine.json").exists(), 30)


def test_images_of_local_aws_are_untagged_and_removed_without_another_tag(tmp_path: Path) -> None:
    special = (
        f'[ "$1" = images ] && {{ echo {REGISTRY}/a:1 "{REGISTRY}/b:<none>" python:3.9; exit; }}; '
        '[ "$1 $2 $5" = "image inspect sha256:mine" ] && { echo "[]"; exit; }; '
        """[ "$1 $2" = "image inspect" ] && { echo '["theirs:1"]'; exit; }"""
    )
    fake = FakeEngine(tmp_path / "e", special=special)
    record = cleanup.Record(tmp_path)
    record.write(fake.command, REGISTRY)
    for name in ("sha256:mine", "sha256:theirs", "extra:1"):
        record.add_image(name)
    cleanup.remove_resources(tmp_path)
    removed = [words[1] for words in fake.commands("rmi")]
    assert removed == [f"{REGISTRY}/a:1", "extra:1", "sha256:mine"]
    assert record.read() is None
