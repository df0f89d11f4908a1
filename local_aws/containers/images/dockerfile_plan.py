"""Turns a Dockerfile into a build plan: the base image, then steps with the configuration after each."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace

from local_aws.containers.images import dockerfile
from local_aws.containers.images.config import ImageConfig
from local_aws.containers.images.dockerfile import DockerfileError, Instruction, UnsupportedError

_BASE = re.compile(
    r"(?:public\.ecr\.aws/docker/library/|docker\.io/(?:library/)?)?python:(\d+\.\d+)(?:\.\d+)?(?:-slim)?$"
)
_SHELL_SYNTAX = re.compile(r"[;|<>`*?]|\$\(|(?<!&)&(?!&)")
_HEALTH_FLAGS = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
    "retries": "Retries",
}
_UNITS = {"ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}


@dataclass(frozen=True)
class CopyFiles:
    """COPY of `sources` (relative to the build context) to `destination` (absolute in the image)."""

    sources: tuple[str, ...]
    destination: str
    owner: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class RunCommands:
    """RUN of commands, each a list of words, in order until one fails."""

    commands: tuple[tuple[str, ...], ...]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class BuildStep:
    """One instruction after FROM. `text` has its variables substituted: it is part of the cache key."""

    text: str
    config: ImageConfig
    work: CopyFiles | RunCommands | None = None


@dataclass(frozen=True)
class BuildPlan:
    """A build: the base image, its Python version, and the steps."""

    base: str
    python: str
    steps: tuple[BuildStep, ...]


def base_python(reference: str) -> str | None:
    """Return the Python version (`3.9`) of an official python image, or None for any other image."""
    match = _BASE.match(reference.partition("@")[0])
    return match[1] if match else None


def make_plan(text: str, build_arguments: Mapping[str, str], base: ImageConfig) -> BuildPlan:
    """Plan the build of a Dockerfile's text on a base image's configuration.

    Raises `DockerfileError` where Docker fails, and `UnsupportedError` for what needs Docker.
    """
    planner = _Planner(build_arguments, base)
    for instruction in dockerfile.parse(text):
        planner.add(instruction)
    return BuildPlan(planner.base, planner.python, tuple(planner.steps))


class _Planner:
    def __init__(self, build_arguments: Mapping[str, str], base: ImageConfig) -> None:
        self.given = build_arguments
        self.config = base
        self.arguments: dict[str, str] = {}
        self.before_from: dict[str, str] = {}
        self.steps: list[BuildStep] = []
        self.base = self.python = ""

    def add(self, instruction: Instruction) -> None:
        scope = {**self.arguments, **self.config.environment}
        raw = instruction.arguments
        # In these the shell substitutes variables, not the builder.
        if instruction.name not in ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"):
            raw = dockerfile.substitute(raw, scope)
        done = replace(instruction, arguments=raw)
        try:
            getattr(self, f"_{instruction.name.lower()}")(done)
        # An empty variable in place of a word, an open quote, an invalid number or an unknown flag.
        except (IndexError, KeyError, ValueError) as error:
            raise DockerfileError(f"dockerfile parse error on line {done.line}: {done}") from error
        if instruction.name not in ("FROM", "ARG", "COPY", "RUN"):
            self.steps.append(BuildStep(str(done), self.config))

    def _arg(self, done: Instruction) -> None:
        name, equals, default = done.arguments.partition("=")
        default = "".join(shlex.split(default)) if equals else self.before_from.get(name, "")
        value = self.given.get(name, default)
        if self.base:
            self.arguments[name] = value
        else:
            self.before_from[name] = self.arguments[name] = value

    def _from(self, done: Instruction) -> None:
        found, arguments = dockerfile.flags(done.arguments)
        python = base_python(arguments.split()[0])
        platform = found.get("platform", "")
        if python is None or found.keys() - {"platform"} or platform not in ("", "linux/amd64"):
            raise UnsupportedError(str(done), done.line)
        self.base, self.python = arguments.split()[0], python
        # Arguments before FROM are out of scope after it, until ARG names them again.
        self.arguments = {}

    def _label(self, done: Instruction) -> None:
        self.config = replace(self.config, labels={**self.config.labels, **dockerfile.pairs(done)})

    def _env(self, done: Instruction) -> None:
        self.config = self.config.with_environment(**dockerfile.pairs(done))

    def _workdir(self, done: Instruction) -> None:
        self.config = replace(self.config, working_directory=self._absolute(done.arguments))

    def _expose(self, done: Instruction) -> None:
        ports = [port if "/" in port else f"{port}/tcp" for port in done.arguments.split()]
        self.config = replace(self.config, exposed_ports=tuple({*self.config.exposed_ports, *ports}))

    def _user(self, done: Instruction) -> None:
        self.config = replace(self.config, user=done.arguments)

    def _stopsignal(self, done: Instruction) -> None:
        self.config = replace(self.config, stop_signal=done.arguments)

    def _cmd(self, done: Instruction) -> None:
        self.config = replace(self.config, command=dockerfile.command(done.arguments))

    def _entrypoint(self, done: Instruction) -> None:
        # As in Docker, ENTRYPOINT drops the base image's CMD.
        self.config = replace(self.config, entrypoint=dockerfile.command(done.arguments), command=())

    def _healthcheck(self, done: Instruction) -> None:
        found, arguments = dockerfile.flags(done.arguments)
        check: dict[str, object] = {"Test": ["NONE"]}
        if arguments.upper() != "NONE":
            kind, _, text = arguments.partition(" ")
            if kind.upper() != "CMD" or found.keys() - _HEALTH_FLAGS.keys():
                raise DockerfileError(f"Unknown type or flag in {str(done)!r} (line {done.line})")
            words = dockerfile.exec_form(text)
            check["Test"] = ["CMD-SHELL", text] if words is None else ["CMD", *words]
        for flag, value in found.items():
            check[_HEALTH_FLAGS[flag]] = int(value) if flag == "retries" else _nanoseconds(value, done)
        self.config = replace(self.config, health_check=check)

    def _copy(self, done: Instruction) -> None:
        found, arguments = dockerfile.flags(done.arguments)
        if found.keys() - {"chown"}:
            raise UnsupportedError(str(done), done.line)
        words = dockerfile.exec_form(arguments) or tuple(shlex.split(arguments))
        if len(words) < 2:
            raise DockerfileError(f"COPY requires at least two arguments (line {done.line})")
        destination = self._absolute(words[-1])
        if words[-1].endswith("/") or words[-1] in (".", "./"):
            destination = destination.rstrip("/") + "/"
        if len(words) > 2 and not destination.endswith("/"):
            raise DockerfileError(
                f"When using COPY with more than one source file, the destination must be a directory and "
                f"end with a / (line {done.line})"
            )
        work = CopyFiles(words[:-1], destination, _owner(found.get("chown"), done))
        self.steps.append(BuildStep(str(done), self.config, work))

    def _run(self, done: Instruction) -> None:
        environment = {**self.arguments, **self.config.environment}
        words = dockerfile.exec_form(done.arguments)
        commands = [words] if words else _shell_commands(done, environment)
        for command in commands:
            if not runnable(command):
                raise UnsupportedError(str(done), done.line)
        # A change of an ARG in scope invalidates Docker's cache: it is part of the step's environment.
        arguments = "".join(f"|{key}={value}" for key, value in sorted(self.arguments.items()))
        work = RunCommands(tuple(commands), environment)
        self.steps.append(BuildStep(f"{done}{arguments}", self.config, work))

    def _absolute(self, path: str) -> str:
        parts: list[str] = []
        for part in f"{'' if path.startswith('/') else self.config.working_directory}/{path}".split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)


def runnable(words: tuple[str, ...]) -> bool:
    """Return whether a RUN command can run without Docker: pip (un)install, or python -m compileall."""
    program, rest = words[0].rpartition("/")[2], words[1:]
    if re.fullmatch(r"python(3(\.\d+)?)?", program) and rest[:1] == ("-m",):
        program, rest = (rest[1], rest[2:]) if len(rest) > 1 else ("", ())
        if program == "compileall":
            return True
    # An editable install would write a path of this machine into the image.
    editable = any(word in ("-e", "--editable") for word in rest)
    is_pip = bool(re.fullmatch(r"pip(3(\.\d+)?)?", program))
    return is_pip and rest[:1] in (("install",), ("uninstall",)) and not editable


def _shell_commands(done: Instruction, environment: Mapping[str, str]) -> list[tuple[str, ...]]:
    found, text = dockerfile.flags(done.arguments)
    unquoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", text)
    if found or _SHELL_SYNTAX.search(unquoted):
        raise UnsupportedError(str(done), done.line)
    try:
        words = shlex.split(dockerfile.substitute(text, environment))
    except ValueError as error:
        raise DockerfileError(f"dockerfile parse error on line {done.line}: {error}") from error
    commands: list[tuple[str, ...]] = [()]
    for word in words:
        if word == "&&":
            commands.append(())
        else:
            commands[-1] = (*commands[-1], word)
    if not all(commands):
        raise DockerfileError(f"syntax error near && (line {done.line})")
    return commands


def _owner(text: str | None, done: Instruction) -> tuple[int, int]:
    if text is None:
        return (0, 0)
    user, _, group = text.partition(":")
    if not user.isdigit() or not (group or user).isdigit():
        raise UnsupportedError(f"{done}: a user by name needs the image's /etc/passwd", done.line)
    return (int(user), int(group or user))


def _nanoseconds(text: str, done: Instruction) -> int:
    found = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if "".join(number + unit for number, unit in found) != text or not found:
        raise DockerfileError(f"invalid duration {text!r} (line {done.line})")
    return int(sum(float(number) * _UNITS[unit] for number, unit in found))
