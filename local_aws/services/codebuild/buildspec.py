"""Parses a buildspec of version 0.2, as strictly as CodeBuild and with CodeBuild's error messages.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from local_aws.services.codebuild.errors import BuildspecError

# CodeBuild's parser is a port of libyaml, which PyYAML includes: the same mistakes have the same messages.
SHELLS = ("sh", "bash")
PHASES = ("install", "pre_build", "build", "post_build")
ON_FAILURE = ("ABORT", "CONTINUE")
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class BuildspecPhase:
    """One phase; the commands of `finally_` run whether its `commands` fail or not.

    `on_failure` None means CodeBuild's default transitions: after a failed phase the build ends, except that
    post_build follows build.
    """

    commands: tuple[str, ...] = ()
    finally_: tuple[str, ...] = ()
    on_failure: str | None = None
    runtime_versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FileSet:
    """The files of `artifacts` or of a report: patterns below `base_directory`."""

    files: tuple[str, ...]
    base_directory: str = "."
    discard_paths: bool = False
    exclude: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True)
class Buildspec:
    """The whole file. `reports` is keyed by the report group's name or ARN, or by a variable for it."""

    shell: str
    variables: dict[str, str]
    parameter_store: dict[str, str]
    exported_variables: tuple[str, ...]
    phases: dict[str, BuildspecPhase]
    artifacts: FileSet | None
    reports: dict[str, FileSet]
    cache_paths: tuple[str, ...]


def parse(text: str) -> Buildspec:
    """Parse a buildspec; raises `BuildspecError`."""
    try:
        root = yaml.compose(text, yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise BuildspecError(f"{error.problem} at line {line}") from error
    # Not UTF-8 (half a surrogate pair), or nested too deep.
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise BuildspecError(str(error)) from error
    if not isinstance(root, yaml.MappingNode):
        raise BuildspecError("wrong number of container tags, expected 1")
    top = _Mapping(root, "")
    version = top.string("version")
    if version is None:
        raise BuildspecError("wrong number of container tags, expected 1")
    if version != "0.2":
        raise BuildspecError(f"local_aws supports buildspec version 0.2, not {version}")
    top.refuse_keys("run-as", "proxy", "batch")
    environment = top.mapping("env")
    spec = Buildspec(
        shell=_one_of(environment.string("shell") or "sh", SHELLS, "env.shell"),
        variables=environment.string_map("variables"),
        parameter_store=environment.string_map("parameter-store"),
        exported_variables=environment.string_list("exported-variables"),
        phases=_phases(top.mapping("phases")),
        artifacts=_artifacts(top),
        reports=top.file_sets("reports", _report),
        cache_paths=_cache_paths(top.mapping("cache")),
    )
    environment.refuse_keys("secrets-manager")
    if _is_yes(environment.string("git-credential-helper"), "env.git-credential-helper"):
        raise BuildspecError("local_aws has no git credential helper: env.git-credential-helper must be no")
    environment.check_empty()
    top.check_empty()
    _check_names(spec)
    return spec


def _phases(phases: "_Mapping") -> dict[str, BuildspecPhase]:
    parsed = {}
    for name in PHASES:
        if not phases.has(name):
            continue
        phase = phases.mapping(name)
        phase.refuse_keys("run-as", "steps")
        parsed[name] = BuildspecPhase(
            phase.commands("commands"),
            phase.commands("finally"),
            _on_failure(phase.string("on-failure"), f"phases.{name}.on-failure"),
            phase.string_map("runtime-versions") if name == "install" else {},
        )
        phase.check_empty()
    phases.check_empty()
    if not parsed:
        raise BuildspecError("At least one phase is required in phases")
    return parsed


def _on_failure(value: str | None, path: str) -> str | None:
    return None if value is None else _one_of(value, ON_FAILURE, path)


def _artifacts(top: "_Mapping") -> FileSet | None:
    if not top.has("artifacts"):
        return None
    artifacts = top.mapping("artifacts")
    artifacts.refuse_keys("secondary-artifacts", "s3-prefix")
    if _is_yes(artifacts.string("enable-symlinks"), "artifacts.enable-symlinks"):
        raise BuildspecError("local_aws does not support artifacts.enable-symlinks")
    return _file_set(artifacts)


def _report(report: "_Mapping") -> FileSet:
    file_format = report.string("file-format") or "JUNITXML"
    if file_format != "JUNITXML":
        raise BuildspecError(f"local_aws supports reports of file-format JUNITXML, not {file_format}")
    return _file_set(report)


def _file_set(section: "_Mapping") -> FileSet:
    files = FileSet(
        section.string_list("files"),
        section.string("base-directory") or ".",
        _is_yes(section.string("discard-paths"), f"{section.path}discard-paths"),
        section.string_list("exclude-paths"),
        section.string("name"),
    )
    section.check_empty()
    if not files.files:
        raise BuildspecError(f"{section.path}files is required and names at least one file")
    return files


def _cache_paths(cache: "_Mapping") -> tuple[str, ...]:
    paths = cache.string_list("paths")
    cache.string("key")
    cache.string_list("fallback-keys")
    cache.check_empty()
    return paths


def _check_names(spec: Buildspec) -> None:
    for name in (*spec.variables, *spec.parameter_store, *spec.exported_variables):
        if not VARIABLE_NAME.fullmatch(name):
            raise BuildspecError(f"{name!r} is not a name of an environment variable")


def _one_of(value: str, allowed: tuple[str, ...], path: str) -> str:
    if value not in allowed:
        raise BuildspecError(f"{path} is {value}, local_aws supports {' and '.join(allowed)}")
    return value


def _is_yes(value: str | None, path: str) -> bool:
    if value not in (None, "yes", "no", "true", "false"):
        raise BuildspecError(f"{path} is {value}: write yes or no")
    return value in ("yes", "true")


class _Mapping:
    """The keys of one mapping. Reading a key removes it: the keys that remain at the end are unknown."""

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

    def string(self, name: str) -> str | None:
        node = self.values.pop(name, None)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            raise BuildspecError(f"Expected {self.path}{name} to be of string type at line {_line(node)}")
        return str(node.value)

    def string_map(self, name: str) -> dict[str, str]:
        mapping = self.mapping(name)
        return {key: mapping.string(key) or "" for key in list(mapping.values)}

    def mapping(self, name: str) -> "_Mapping":
        return _Mapping(self.values.pop(name, None), f"{self.path}{name}.")

    def file_sets(self, name: str, read: Callable[["_Mapping"], FileSet]) -> dict[str, FileSet]:
        mapping = self.mapping(name)
        return {key: read(mapping.mapping(key)) for key in list(mapping.values)}

    def string_list(self, name: str) -> tuple[str, ...]:
        return self._strings(name, f"{self.path}{name}")

    def commands(self, name: str) -> tuple[str, ...]:
        return self._strings(name, "Commands")

    def refuse_keys(self, *names: str) -> None:
        for name in names:
            if name in self.values:
                raise BuildspecError(f"local_aws does not support the buildspec key {self.path}{name}")

    def check_empty(self) -> None:
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
