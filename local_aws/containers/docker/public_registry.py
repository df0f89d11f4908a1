"""Sign-ins to public ECR and pulls from it by a build's `docker`: the gateway checks them in AWS's place.

The engine still pulls the image from AWS if it does not have it, without a login: a password of local_aws
is none of AWS's.
"""

import argparse
import sys
from pathlib import Path

from local_aws.containers.images.registry_client import PUBLIC_HOST, PublicRegistry, Reference, RegistryError

_LOGIN = "public-login"


def run(kind: str, arguments: list[str], endpoint: str, folder: Path) -> int:
    """Check a `login` or a `pull`, and return its exit code; `folder` keeps the login."""
    try:
        if kind == "login":
            _login(arguments, endpoint, folder / _LOGIN)
        else:
            _pull(arguments[-1], endpoint, folder / _LOGIN)
    except RegistryError as error:
        print(f"Error response from daemon: {error}", file=sys.stderr)
        return 1
    return 0


def _login(arguments: list[str], endpoint: str, file: Path) -> None:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-u", "--username", default="")
    user = parser.parse_known_args(arguments)[0].username
    login = f"{user}:{sys.stdin.read().strip()}"
    PublicRegistry(endpoint, Reference(PUBLIC_HOST, "", "", ""), login).ping()
    file.touch(0o600)
    file.write_text(login)
    print("Login Succeeded", flush=True)


def _pull(name: str, endpoint: str, file: Path) -> None:
    login = file.read_text() if file.exists() else None
    PublicRegistry(endpoint, Reference.parse(name), login).find()
    print(f"Pulling {name}", flush=True)
