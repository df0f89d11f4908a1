"""`docker` commands about images: login, build, tag, images, push, pull, version."""

import argparse
import getpass
import sys
from functools import partial
from pathlib import Path

from local_aws.containers.docker_shim.command_table import (
    FORMAT,
    QUIET,
    CommandTable,
    Option,
    key_values,
    write_line,
)
from local_aws.containers.docker_shim.format import render
from local_aws.containers.docker_shim.state import DockerError, DockerState
from local_aws.containers.images.build import Builder, BuildError
from local_aws.containers.images.build_context import BuildContext
from local_aws.containers.images.dockerfile import DockerfileError, UnsupportedError
from local_aws.containers.images.registry_client import (
    PUBLIC_HOST,
    PublicRegistry,
    Reference,
    Registry,
    RegistryError,
    is_ecr,
)
from local_aws.containers.images.store import Image
from local_aws.containers.processes.engine import pull as pull_image
from local_aws.host.interpreters import PythonNotFoundError


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _version(state: DockerState, options: argparse.Namespace) -> None:
    content = {
        "Client": {"Version": "local_aws", "Os": "linux", "Arch": "amd64"},
        "Server": {"Version": "local_aws", "Engine": "processes", "Endpoint": state.settings.endpoint},
    }
    if options.format:
        write_line(render(options.format, content))
    else:
        write_line("Docker version local_aws (processes: a stand-in for docker, not docker)")


def _login(state: DockerState, options: argparse.Namespace) -> None:
    if not options.password_stdin:
        raise DockerError("Error: Cannot perform an interactive login from a non TTY device")
    login = f"{options.username or getpass.getuser()}:{sys.stdin.read().strip()}"
    # Docker ignores a path: the whole URI of a repository logs in to its registry.
    host = (options.server or "docker.io").removeprefix("https://").partition("/")[0]
    if not is_ecr(host) and host != PUBLIC_HOST:
        raise DockerError(f"local_aws (processes) cannot reach the registry {host}; use docker")
    registry = PublicRegistry if host == PUBLIC_HOST else Registry
    try:
        registry(state.settings.endpoint, Reference(host, "", "", ""), login).ping()
    except RegistryError as error:
        raise DockerError(
            f"Error response from daemon: login attempt to https://{host}/v2/ failed with status: "
            f"{error.status} Unauthorized"
        ) from error
    state.record_login(host, login)
    write_line("Login Succeeded")


def _build(state: DockerState, options: argparse.Namespace) -> None:
    if options.platform not in (None, "linux/amd64"):
        raise DockerError(f"local_aws (processes) cannot build for {options.platform}; use docker", 125)
    folder = Path(options.context)
    dockerfile = Path(options.file) if options.file else folder / "Dockerfile"
    if not dockerfile.is_file():
        raise DockerError(
            "ERROR: failed to build: failed to solve: failed to read dockerfile: open "
            f"{dockerfile.name}: no such file or directory"
        )
    progress = (lambda _line: None) if options.quiet else _progress
    builder = Builder(
        state.store,
        progress,
        state.settings.host,
        use_cache=not options.no_cache,
        on_base=partial(_find_base, state),
    )
    try:
        image = builder.build(dockerfile, BuildContext(folder, dockerfile), key_values(options.build_arg))
    except (DockerfileError, UnsupportedError, BuildError, PythonNotFoundError) as error:
        raise DockerError(f"ERROR: {error}") from error
    for name in options.tag:
        state.tag(name, image)
        progress(f"naming to {Reference.parse(name)} done")
    progress(f"writing image {image.id} done")
    if options.quiet:
        write_line(image.id)


def _find_base(state: DockerState, name: str) -> None:
    """Ask public ECR for a base image that this docker has not pulled. Raises `DockerError`."""
    reference = Reference.parse(name)
    if str(reference) in state.names():
        return
    try:
        _find_public(state, reference)
    except RegistryError as error:
        raise DockerError(
            f"ERROR: failed to solve: {name}: failed to resolve source metadata for {reference}: {error}"
        ) from error


def _find_public(state: DockerState, reference: Reference) -> None:
    """Ask public ECR for an image, as a pull does; do nothing for another registry's."""
    if reference.host == PUBLIC_HOST:
        PublicRegistry(state.settings.endpoint, reference, state.login(reference.host)).find()


def _tag(state: DockerState, options: argparse.Namespace) -> None:
    state.tag(options.target, _existing(state, options.source))


def _existing(state: DockerState, name: str) -> Image:
    """Return an image by name. Raise `DockerError` if there is none."""
    image = state.find(name)
    if image is None:
        raise DockerError(f"Error response from daemon: No such image: {Reference.parse(name)}")
    return image


def _images(state: DockerState, options: argparse.Namespace) -> None:
    if not options.quiet:
        write_line(f"{'REPOSITORY':60} {'TAG':42} IMAGE ID")
    for name, image_id in state.names().items():
        reference = Reference.parse(name)
        write_line(
            image_id[7:19] if options.quiet else f"{reference.name:60} {reference.tag:42} {image_id[7:19]}"
        )


def _push(state: DockerState, options: argparse.Namespace) -> None:
    reference = Reference.parse(options.name)
    write_line(f"The push refers to repository [{reference.name}]")
    image = state.names().get(str(reference))
    if image is None:
        raise DockerError(f"An image does not exist locally with the tag: {reference.name}")
    registry = _registry(state, reference)
    try:
        digest, size = registry.push(state.store, state.store.image(image), write_line)
    except RegistryError as error:
        raise DockerError(_push_error(error)) from error
    state.record_digest(f"{reference.name}@{digest}", state.store.image(image))
    write_line(f"{reference.tag}: digest: {digest} size: {size}")


def _registry(state: DockerState, reference: Reference) -> Registry:
    try:
        return Registry(state.settings.endpoint, reference, state.login(reference.host))
    except RegistryError as error:
        raise DockerError(f"local_aws (processes) cannot reach {reference.host}; use docker") from error


def _push_error(error: RegistryError) -> str:
    prefixes = {"NAME_UNKNOWN": "name unknown", "TAG_INVALID": "tag invalid", "DENIED": "denied"}
    prefix = prefixes.get(error.code)
    return f"{prefix}: {error}" if prefix else str(error)


def _pull(state: DockerState, options: argparse.Namespace) -> None:
    reference = Reference.parse(options.name)
    try:
        _find_public(state, reference)
        image = pull_image(state.store, state.settings.endpoint, options.name, state.login(reference.host))
    except (RegistryError, PythonNotFoundError) as error:
        raise DockerError(f"Error response from daemon: {error}") from error
    state.tag(options.name, image)
    digest = reference.digest
    if is_ecr(reference.host) and not digest:
        digest = state.store.put(state.store.manifest(image))
    if digest:
        state.record_digest(f"{reference.name}@{digest}", image)
        if not options.quiet:
            write_line(f"Digest: {digest}")
    write_line(
        str(reference) if options.quiet else f"Status: Downloaded newer image for {reference}\n{reference}"
    )


_NAME: Option = (("name",), {})

COMMANDS: CommandTable = {
    "version": (_version, [FORMAT]),
    "login": (
        _login,
        [
            (("-u", "--username"), {}),
            (("--password-stdin",), {"action": "store_true"}),
            (("server",), {"nargs": "?"}),
        ],
    ),
    "build": (
        _build,
        [
            (("-t", "--tag"), {"action": "append", "default": []}),
            (("-f", "--file"), {}),
            (("--build-arg",), {"action": "append", "default": []}),
            (("--provenance",), {"choices": ["false"]}),
            (("--sbom",), {"choices": ["false"]}),
            (("--platform",), {}),
            (("--progress",), {}),
            (("--cache-from",), {"action": "append"}),
            (("--pull",), {"action": "store_true"}),
            (("--load",), {"action": "store_true"}),
            (("--no-cache",), {"action": "store_true"}),
            QUIET,
            (("context",), {}),
        ],
    ),
    "tag": (_tag, [(("source",), {}), (("target",), {})]),
    "images": (_images, [QUIET]),
    "push": (_push, [QUIET, _NAME]),
    "pull": (_pull, [QUIET, (("--platform",), {"choices": ["linux/amd64"]}), _NAME]),
}
