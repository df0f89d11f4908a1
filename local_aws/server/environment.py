"""The environment of the server's process: MiniStack's settings, and what its functions inherit."""

import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

from local_aws.core.context import ACCOUNT, REGION
from local_aws.core.errors import LocalAwsError
from local_aws.host.process_tags import INSTANCE_VARIABLE

_MISSING_SDK = Path(__file__).with_name("missing_sdk.js")


def configure(port: int, instance: str, node_modules: Path | None) -> None:
    """Set the environment variables of this process, before MiniStack is imported.

    Raises `LocalAwsError` when `node_modules` has no AWS SDK.
    """
    os.environ.update(
        {
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "BIND_HOST": "127.0.0.1",
            # Otherwise MiniStack listens on all interfaces for these, whatever BIND_HOST is.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            # Node.js of the virtual environment, for Lambda's functions.
            "PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", os.defpath)]),
            **_node_variables(node_modules),
            INSTANCE_VARIABLE: instance,
        }
    )


def _node_variables(node_modules: Path | None) -> dict[str, str]:
    """Return what gives Lambda's Node.js runtime its AWS SDK, or an error message in place of it.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
    """
    if node_modules is None:
        options = os.environ.get("NODE_OPTIONS", "")
        return {"NODE_OPTIONS": f'{options} --require "{_MISSING_SDK}"'.strip()}
    if not (node_modules / "@aws-sdk").is_dir():
        raise LocalAwsError(
            f"{node_modules} has no AWS SDK: run `npm ci` in its project, or correct --node-modules"
        )
    return {"NODE_PATH": str(node_modules)}


def use_temporary_folder(folder: Path) -> None:
    """Empty `folder` and use it for temporary files: MiniStack never removes the functions it unpacks."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tempfile.tempdir = str(folder)


def log_to(path: Path) -> None:
    """Write the log of this process to a file."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(name)s] %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
