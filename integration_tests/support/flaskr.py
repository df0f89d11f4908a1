"""Flask's tutorial as a service: a third-party application with its own tests.

It is part of Flask's source distribution (examples/tutorial, BSD-3-Clause), from the package index.
"""

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from harness.cloud import HarnessError

# The source distribution of the sample's Flask; its hash is in the sample's requirements too.
LOCKED = "flask==3.1.3 --hash=sha256:0ef0e52b8a9cd932855379197dd8f94047b359ca0a78695144304cb45f87c9eb\n"
TUTORIAL = "flask-3.1.3/examples/tutorial"
# What the pipeline requires of a service: a health check. No response has the header X-Version.
WSGI = """import atexit
import os
import shutil
import tempfile

from flaskr import create_app
from flaskr.db import init_db

# In its own folder if possible: a killed task leaves nothing elsewhere. A container's is read-only.
place = tempfile.mkdtemp(dir="." if os.access(".", os.W_OK) else "/dev/shm")  # nosec B108
main = os.getpid()
# Its workers are forks of it, and end before it.
atexit.register(lambda: shutil.rmtree(place) if os.getpid() == main else None)
app = create_app({"DATABASE": os.path.join(place, "flaskr.sqlite")})
with app.app_context():
    init_db()


@app.get("/health")
def health():
    return {"status": "ok"}

"""


def replace_with_flaskr(clone: Path, package: str) -> None:
    """Replace the copy of the sample in `package` by the tutorial, with the changes that it needs."""
    service = clone / "service"
    tutorial = _unpacked(clone.parent) / TUTORIAL
    for name in (package, "tests"):
        shutil.rmtree(service / name)
    for name in ("flaskr", "tests", "LICENSE.txt"):
        (tutorial / name).rename(service / name)
    (service / "wsgi.py").write_text(WSGI)
    _edit(service / "gunicorn.conf.py", (rf"^from {package}\.logs .*\n|^logconfig_dict = .*\n", ""))
    # The application creates this folder if it is missing, which needs root in the container.
    (service / "instance").mkdir()
    (service / "instance/.keep").touch()
    copies = "COPY service/flaskr ./flaskr\nCOPY service/instance ./instance\nCOPY service/wsgi.py ./"
    _edit(
        clone / "Dockerfile",
        (rf"^COPY service/{package} .*$", copies),
        (rf"{package}:create_app\(\)", "wsgi:app"),
    )
    # The tutorial's default, which a configuration replaces.
    _edit(service / "flaskr/__init__.py", (r'SECRET_KEY="dev",', 'SECRET_KEY="dev",  # nosec B106'))


def _unpacked(folder: Path) -> Path:
    """Download the source distribution with its hash, and unpack it."""
    requirements = folder / "flask.txt"
    requirements.write_text(LOCKED)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "flask"]
    command += ["--require-hashes", "--requirement", str(requirements), "--dest", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own pip
    if done.returncode:
        raise HarnessError(f"cannot download Flask's source distribution: {done.stderr.strip()}")
    with tarfile.open(folder / "flask-3.1.3.tar.gz") as packed:
        packed.extractall(folder, filter="data")
    return folder


def _edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for pattern, words in changes:
        text, count = re.subn(pattern, words, text, flags=re.M)
        if not count:
            raise HarnessError(f"{path} of the deployed repository has no match of {pattern}")
    path.write_text(text)
