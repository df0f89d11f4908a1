"""A buildspec of version 0.2 as plain data, read as strictly as CodeBuild reads it, in CodeBuild's words.

CodeBuild user guide, "Build specification reference". What local_aws cannot do is refused by its name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

# CodeBuild's parser is a port of libyaml, which PyYAML carries: the same mistakes get the same words.
SHELLS = ("sh", "bash")
PHASES = ("install", "pre_build", "build", "post_build")
ON_FAILURE = ("ABORT", "CONTINUE")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class BuildspecError(Exception):
    """The buildspec is refused: CodeBuild's YAML_FILE_ERROR, in the phase DOWNLOAD_SOURCE."""


@dataclass(frozen=True)
class Phase:
    """One phase's commands; `finally_` runs whatever came of them.

    `on_failure` None follows CodeBuild's own transitions: only a failed build phase goes on, to post_build.
    """

    commands: tuple[str, ...] = ()
    finally_: tuple[str, ...] = ()
    on_failure: str | None = None
    runtime_versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Files:
    """What `artifacts` or a report takes: patterns below `base_directory`."""

    files: tuple[str, ...]
    base_directory: str = "."
    discard_paths: bool = False
    exclude: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True)
class Buildspec:
    """The whole file. `reports` is keyed by the report group's name or ARN."""

    shell: str
    variables: dict[str, str]
    parameter_store: dict[str, str]
    exported_variables: tuple[str, ...]
    phases: dict[str, Phase]
    artifacts: Files | None
    reports: dict[str, Files]
    cache_paths: tuple[str, ...]


def parse(text: str) -> Buildspec:
    """Read a buildspec; raises `BuildspecError`."""
    try:
        root = yaml.compose(text, yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise BuildspecError(f"{error.problem} at line {line}") from error
    # Not UTF-8 (half a surrogate pair), or nested deeper than any parser follows.
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise BuildspecError(str(error)) from error
    if not isinstance(root, yaml.MappingNode):
        raise BuildspecError("wrong number of container tags, expected 1")
    top = _Mapping(root, "")
    version = top.text("version")
    if version is None:
        raise BuildspecError("wrong number of container tags, expected 1")
    if version != "0.2":
        raise BuildspecError(f"local_aws runs buildspec version 0.2, not {version}")
    top.refuse("run-as", "proxy", "batch")
    environment = top.mapping("env")
    spec = Buildspec(
        shell=_one_of(environment.text("shell") or "sh", SHELLS, "env.shell"),
        variables=environment.texts("variables"),
        parameter_store=environment.texts("parameter-store"),
        exported_variables=environment.list("exported-variables"),
        phases=_phases(top.mapping("phases")),
        artifacts=_artifacts(top),
        reports=top.each("reports", _report),
        cache_paths=_cache(top.mapping("cache")),
    )
    environment.refuse("secrets-manager")
    if _yes(environment.text("git-credential-helper"), "env.git-credential-helper"):
        raise BuildspecError("local_aws has no git credential helper: env.git-credential-helper must be no")
    environment.end()
    top.end()
    _check_names(spec)
    return spec


def _phases(phases: "_Mapping") -> dict[str, Phase]:
    found = {}
    for name in PHASES:
        if not phases.has(name):
            continue
        phase = phases.mapping(name)
        phase.refuse("run-as", "steps")
        found[name] = Phase(
            phase.commands("commands"),
            phase.commands("finally"),
            _on_failure(phase.text("on-failure"), f"phases.{name}.on-failure"),
            phase.texts("runtime-versions") if name == "install" else {},
        )
        phase.end()
    phases.end()
    if not found:
        raise BuildspecError("At least one phase is required in phases")
    return found


def _on_failure(value: str | None, path: str) -> str | None:
    return None if value is None else _one_of(value, ON_FAILURE, path)


def _artifacts(top: "_Mapping") -> Files | None:
    if not top.has("artifacts"):
        return None
    artifacts = top.mapping("artifacts")
    artifacts.refuse("secondary-artifacts", "s3-prefix")
    if _yes(artifacts.text("enable-symlinks"), "artifacts.enable-symlinks"):
        raise BuildspecError("local_aws does not know artifacts.enable-symlinks")
    return _files(artifacts)


def _report(report: "_Mapping") -> Files:
    form = report.text("file-format") or "JUNITXML"
    if form != "JUNITXML":
        raise BuildspecError(f"local_aws reads reports of file-format JUNITXML, not {form}")
    return _files(report)


def _files(place: "_Mapping") -> Files:
    found = Files(
        place.list("files"),
        place.text("base-directory") or ".",
        _yes(place.text("discard-paths"), f"{place.path}discard-paths"),
        place.list("exclude-paths"),
        place.text("name"),
    )
    place.end()
    if not found.files:
        raise BuildspecError(f"{place.path}files is required and names at least one file")
    return found


def _cache(cache: "_Mapping") -> tuple[str, ...]:
    paths = cache.list("paths")
    cache.text("key")
    cache.list("fallback-keys")
    cache.end()
    return paths


def _check_names(spec: Buildspec) -> None:
    for name in (*spec.variables, *spec.parameter_store, *spec.exported_variables):
        if not VARIABLE.fullmatch(name):
            raise BuildspecError(f"{name!r} is not a name of an environment variable")


def _one_of(value: str, allowed: tuple[str, ...], path: str) -> str:
    if value not in allowed:
        raise BuildspecError(f"{path} is {value}, local_aws knows {' and '.join(allowed)}")
    return value


def _yes(value: str | None, path: str) -> bool:
    if value not in (None, "yes", "no", "true", "false"):
        raise BuildspecError(f"{path} is {value}: write yes or no")
    return value in ("yes", "true")


class _Mapping:
    """The keys of one mapping, taken one by one: what nobody took is unknown."""

    def __init__(self, node: yaml.Node | None, path: str) -> None:
        self.path = path
        self.values: dict[str, yaml.Node] = {}
        self.lines: dict[str, int] = {}
        if node is None or _empty(node):
            return
        if not isinstance(node, yaml.MappingNode):
            raise BuildspecError(f"Expected {path.rstrip('.')} to be a map at line {_line(node)}")
        for key, value in node.value:
            name = str(key.value)
            if name in self.values:
                raise BuildspecError(f"key {path}{name} already set in map at line {_line(key)}")
            self.values[name] = value
            self.lines[name] = _line(key)

    def has(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str | None:
        node = self.values.pop(name, None)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            raise BuildspecError(f"Expected {self.path}{name} to be of string type at line {_line(node)}")
        return str(node.value)

    def texts(self, name: str) -> dict[str, str]:
        mapping = self.mapping(name)
        return {key: mapping.text(key) or "" for key in list(mapping.values)}

    def mapping(self, name: str) -> "_Mapping":
        return _Mapping(self.values.pop(name, None), f"{self.path}{name}.")

    def each(self, name: str, read: Callable[["_Mapping"], Files]) -> dict[str, Files]:
        mapping = self.mapping(name)
        return {key: read(mapping.mapping(key)) for key in list(mapping.values)}

    def list(self, name: str) -> tuple[str, ...]:
        return self._strings(name, f"{self.path}{name}")

    def commands(self, name: str) -> tuple[str, ...]:
        return self._strings(name, "Commands")

    def refuse(self, *names: str) -> None:
        for name in names:
            if name in self.values:
                raise BuildspecError(f"local_aws does not know the buildspec key {self.path}{name}")

    def end(self) -> None:
        if self.values:
            name = next(iter(self.values))
            raise BuildspecError(f"unknown key {self.path}{name} at line {self.lines[name]}")

    def _strings(self, name: str, label: str) -> tuple[str, ...]:
        node = self.values.pop(name, None)
        if node is None or _empty(node):
            return ()
        items: list[Any] = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for number, item in enumerate(items):
            if not isinstance(item, yaml.ScalarNode) or _empty(item):
                line = _line(item)
                raise BuildspecError(
                    f"Expected {label}[{number}] to be of string type: found subkeys instead at line {line}, "
                    f"value of the key tag on line {line - 1} might be empty"
                )
        return tuple(str(item.value) for item in items)


def _empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
