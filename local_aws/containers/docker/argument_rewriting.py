"""Rewrites the arguments of a build's `docker`: names of ECR's host become names of the gateway."""

import re
from dataclasses import dataclass

from local_aws.containers.docker.command import BUILD_LABEL, LABEL

# Management commands that are the same as a command of one word.
_LONG = {f"image {kind}": kind for kind in ("build", "push", "pull", "tag", "inspect")}
_LONG |= {f"container {kind}": kind for kind in ("run", "create", "exec", "logs", "start", "cp")}
_LONG |= {"buildx build": "build", "builder build": "build", "container ls": "ps", "container ps": "ps"}
# Management commands that have no such short form.
_LONG |= {two: two for two in ("volume create", "network create")}
_ECR = r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com"
_NAME = re.compile(rf"(?P<option>--[a-z-]+=)?(?:https://)?(?P<host>{_ECR})(?P<rest>/\S*)?\Z")

# These change the engine for everybody on this machine, or start what the end of a build does not stop.
REFUSED = ("compose", "swarm", "stack", "plugin", "context")
# What these create gets labels.
_CREATES = ("run", "create", "volume create", "network create")
# Their output is a container's, not the engine's, and they may read standard input.
_OUTPUT_UNCHANGED = ("run", "exec", "logs", "attach", "start", "cp", "save", "export", "load", "import")


class RefusedError(Exception):
    """local_aws does not run the command. The text says why."""


@dataclass(frozen=True)
class RewriteContext:
    """The build whose `docker` is run, and the registry that stands for ECR."""

    registry: str
    instance: str
    name: str
    podman: bool


@dataclass(frozen=True)
class RewrittenCommand:
    """The arguments for the engine. `host` is the ECR host that they named, or empty."""

    words: tuple[str, ...]
    kind: str
    host: str
    # The names that `build` or `tag` gives to an image.
    image_names: tuple[str, ...]

    @property
    def prints_names(self) -> bool:
        """Whether the output may name images, whose registry must be printed as ECR's host."""
        return self.kind not in _OUTPUT_UNCHANGED


def rewrite(arguments: list[str], context: RewriteContext) -> RewrittenCommand:
    """Return the engine's arguments for `docker ARGUMENTS`. Raises `RefusedError`."""
    two = " ".join(arguments[:2])
    if arguments[0] in REFUSED or "prune" in arguments[:2] or (arguments[0][0] == "-" and arguments[1:]):
        raise RefusedError(
            f"local_aws does not run `docker {two}` in a build: other builds and users share the engine"
        )
    head, kind = (2, _LONG[two]) if two in _LONG else (1, arguments[0])
    rest, host = _rewrite_names(arguments[head:], context.registry, kind)
    options = _extra_options(kind, context, names_ecr=bool(host))
    return RewrittenCommand((*arguments[:head], *options, *rest), kind, host, _image_names(kind, rest))


def names_public_registry(kind: str, arguments: list[str]) -> bool:
    """Return whether a command signs in to public ECR or pulls from it: the gateway answers these first."""
    return kind in ("login", "pull") and bool(re.match(r"(https://)?public\.ecr\.aws(/|\Z)", arguments[-1]))


def _rewrite_names(words: list[str], registry: str, kind: str) -> tuple[list[str], str]:
    rewritten, host = [], ""
    for word in words:
        match = _NAME.match(word)
        # The words after the image are the container's.
        if match is None or (host and kind in ("run", "create")):
            rewritten.append(word)
            continue
        host = match["host"]
        # A repository comes after its account. A login is to the registry, whatever repository it names.
        has_repository = match["rest"] and kind != "login"
        rest = f"/{host.partition('.')[0]}{match['rest']}" if has_repository else ""
        rewritten.append(f"{match['option'] or ''}{registry}{rest}")
    return rewritten, host


def _extra_options(kind: str, context: RewriteContext, *, names_ecr: bool) -> list[str]:
    options = []
    if kind in _CREATES:
        options += ["--label", f"{LABEL}={context.instance}", "--label", f"{BUILD_LABEL}={context.name}"]
    elif kind == "build" and context.podman:
        # podman's cache mixes up the values of --build-arg (https://github.com/containers/buildah/issues/5501):
        # an image would carry another commit's id. On CodeBuild every build starts without a cache anyway.
        # Docker's format, as docker builds it: in podman's own an image has no HEALTHCHECK and no SHELL
        # (https://docs.podman.io/en/latest/markdown/podman-build.1.html, --format).
        options += ["--layers=false", "--format=docker"]
    elif kind == "ps":
        # A build sees its own containers only, as on a host of its own.
        options += ["--filter", f"label={BUILD_LABEL}={context.name}"]
    if context.podman and names_ecr and kind in ("run", "create", "login", "push", "pull"):
        options += ["--tls-verify=false"]
    return options


def _image_names(kind: str, words: list[str]) -> tuple[str, ...]:
    if kind == "tag":
        return tuple(words[-1:])
    if kind != "build":
        return ()
    found = [word.partition("=")[2] for word in words if word.startswith("--tag=")]
    after = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-t", "--tag")]
    return (*found, *after)
