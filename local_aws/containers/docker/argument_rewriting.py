"""Reads the words of a build's `docker`: what is ECR's goes to the gateway, the rest stays as it is."""

import re
from dataclasses import dataclass

from local_aws.containers.docker.command import BUILD_LABEL, LABEL

# Two words for what one means alone.
_LONG = {f"image {kind}": kind for kind in ("build", "push", "pull", "tag", "inspect")}
_LONG |= {f"container {kind}": kind for kind in ("run", "create", "exec", "logs", "start", "cp")}
_LONG |= {"buildx build": "build", "builder build": "build", "container ls": "ps", "container ps": "ps"}
# Two words that mean something of their own.
_LONG |= {two: two for two in ("volume create", "network create")}
_ECR = r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com"
_NAME = re.compile(rf"(?P<option>--[a-z-]+=)?(?:https://)?(?P<host>{_ECR})(?P<rest>/\S*)?\Z")

# What these start could not be ended with the build, and what these change is this machine's.
REFUSED = ("compose", "swarm", "stack", "plugin", "context")
# Made here, so marked here.
_MADE = ("run", "create", "volume create", "network create")
# What these print is a container's, not the engine's, and they may read standard input.
_PASSED_ON = ("run", "exec", "logs", "attach", "start", "cp", "save", "export", "load", "import")


class RefusedError(Exception):
    """The command is not run here; the text says why."""


@dataclass(frozen=True)
class Build:
    """What the words of one build's `docker` are completed with."""

    registry: str
    instance: str
    name: str
    podman: bool


@dataclass(frozen=True)
class Mapped:
    """The engine's words; `host` is the ECR host that `registry` stands for, empty without one."""

    words: tuple[str, ...]
    kind: str
    host: str
    # Names that a build or a tag gives to an image.
    names: tuple[str, ...]

    @property
    def prints_names(self) -> bool:
        """Whether the output names images, so that the registry has to be told as the host."""
        return self.kind not in _PASSED_ON


def map_words(arguments: list[str], build: Build) -> Mapped:
    """Return what the engine is told for `docker ARGUMENTS`. Raises `RefusedError`."""
    two = " ".join(arguments[:2])
    if arguments[0] in REFUSED or "prune" in arguments[:2] or (arguments[0][0] == "-" and arguments[1:]):
        raise RefusedError(
            f"local_aws does not run `docker {two}` in a build: "
            "the engine is this machine's, not the build's alone"
        )
    head, kind = (2, _LONG[two]) if two in _LONG else (1, arguments[0])
    rest, host = _map_names(arguments[head:], build.registry, kind)
    options = _options(kind, build, mapped=bool(host))
    return Mapped((*arguments[:head], *options, *rest), kind, host, _given_names(kind, rest))


def _map_names(words: list[str], registry: str, kind: str) -> tuple[list[str], str]:
    mapped, host = [], ""
    for word in words:
        match = _NAME.match(word)
        # After the image, words are the container's.
        if match is None or (host and kind in ("run", "create")):
            mapped.append(word)
            continue
        host = match["host"]
        # A repository is named behind its account; who signs in names the registry alone.
        rest = f"/{host.partition('.')[0]}{match['rest']}" if match["rest"] else ""
        mapped.append(f"{match['option'] or ''}{registry}{rest}")
    return mapped, host


def _options(kind: str, build: Build, *, mapped: bool) -> list[str]:
    options = []
    if kind in _MADE:
        options += ["--label", f"{LABEL}={build.instance}", "--label", f"{BUILD_LABEL}={build.name}"]
    elif kind == "build" and build.podman:
        # Its cache takes the ENV of another --build-arg (https://github.com/containers/buildah/issues/5501):
        # a commit would say that it is another. On CodeBuild every build starts without a cache anyway.
        options += ["--layers=false"]
    elif kind == "ps":
        # As on a machine of its own, a build sees its own containers only.
        options += ["--filter", f"label={BUILD_LABEL}={build.name}"]
    if build.podman and mapped and kind in ("run", "create", "login", "push", "pull"):
        options += ["--tls-verify=false"]
    return options


def _given_names(kind: str, words: list[str]) -> tuple[str, ...]:
    if kind == "tag":
        return tuple(words[-1:])
    if kind != "build":
        return ()
    found = [word.partition("=")[2] for word in words if word.startswith("--tag=")]
    after = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-t", "--tag")]
    return (*found, *after)
