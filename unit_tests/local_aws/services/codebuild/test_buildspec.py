"""Valid buildspecs are parsed, invalid ones are refused with CodeBuild's messages."""

import pytest

from local_aws.services.codebuild.buildspec import parse
from local_aws.services.codebuild.errors import BuildspecError

MINIMAL = "version: 0.2\nphases:\n  build:\n    commands: [make]\n"


def error_message(text: str) -> str:
    with pytest.raises(BuildspecError) as caught:
        parse(text)
    return str(caught.value)


EVERY_SECTION = """
version: 0.2
env:
  shell: bash
  variables: {PORT: 8080, EMPTY: }
  parameter-store: {USERNAME: /docker-hub-dev/username}
  exported-variables: [IMAGE_TAG]
phases:
  install:
    runtime-versions: {python: 3.10}
    commands: pip install x
  build:
    on-failure: CONTINUE
    commands:
      - |
        one
        two
    finally: [three]
reports:
  unit-tests: {files: [r.xml], file-format: JUNITXML}
artifacts: {files: ['**/*'], base-directory: out, discard-paths: yes, name: x}
cache: {paths: ['/root/.cache/**/*']}
"""


def test_variables_and_phases_are_parsed() -> None:
    spec = parse(EVERY_SECTION)
    assert spec.shell == "bash"
    assert spec.variables == {"PORT": "8080", "EMPTY": ""}
    # As a number, which YAML makes of it, it would be 3.1.
    assert spec.phases["install"].runtime_versions == {"python": "3.10"}
    assert spec.phases["install"].commands == ("pip install x",)
    assert spec.phases["build"].commands == ("one\ntwo\n",)
    assert (spec.phases["build"].on_failure, spec.phases["build"].finally_) == ("CONTINUE", ("three",))


def test_artifacts_reports_and_the_cache_are_parsed() -> None:
    spec = parse(EVERY_SECTION)
    assert spec.artifacts is not None
    assert (spec.artifacts.base_directory, spec.artifacts.discard_paths) == ("out", True)
    assert spec.reports["unit-tests"].files == ("r.xml",)
    assert spec.cache_paths == ("/root/.cache/**/*",)


def test_an_unquoted_colon_in_a_command_is_reported_with_codebuilds_message() -> None:
    text = "version: 0.2\nphases:\n  build:\n    commands:\n      - true\n      - echo error: this\n"
    assert error_message(text) == (
        "Expected Commands[1] to be of string type: found subkeys instead at line 6, "
        "value of the key tag on line 5 might be empty"
    )


def test_invalid_yaml_is_refused_with_libyamls_message() -> None:
    assert error_message("version: 0.2\nphases: [a,\nb: 1\n") == "did not find expected ',' or ']' at line 4"
    assert error_message("\tversion: 0.2") == "found character that cannot start any token at line 1"


@pytest.mark.parametrize("text", ["", "- a", "just words", "phases: {build: {commands: [x]}}"])
def test_a_text_without_a_version_is_refused(text: str) -> None:
    assert error_message(text) == "wrong number of container tags, expected 1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINIMAL + "artefacts: {files: [x]}", "unknown key artefacts at line 5"),
        (MINIMAL.replace("commands", "command"), "unknown key phases.build.command at line 4"),
        (MINIMAL.replace("build:", "bild:"), "unknown key phases.bild at line 3"),
        (MINIMAL + "env: {vars: {A: b}}", "unknown key env.vars at line 5"),
        (MINIMAL + "artifacts: {files: [x], dir: y}", "unknown key artifacts.dir at line 5"),
    ],
)
def test_an_unknown_key_is_refused_at_any_depth(text: str, message: str) -> None:
    assert error_message(text) == message


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL + "batch: {fast-fail: true}",
        MINIMAL + "run-as: nobody",
        MINIMAL + "env: {secrets-manager: {A: b}}",
        MINIMAL + "env: {shell: powershell.exe}",
        MINIMAL + "env: {git-credential-helper: yes}",
        MINIMAL + "artifacts: {files: [x], secondary-artifacts: {a: {files: [y]}}}",
        MINIMAL + "reports: {r: {files: [x], file-format: CUCUMBERJSON}}",
        MINIMAL.replace("0.2", "0.1"),
        MINIMAL.replace("commands: [make]", "commands: [make]\n    on-failure: RETRY"),
    ],
)
def test_an_unsupported_feature_is_refused_by_name(text: str) -> None:
    assert "local_aws" in error_message(text)


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL + "artifacts: {name: x}",
        MINIMAL + "version: 0.2",
        MINIMAL + "env: {variables: {'a-b': c}}",
        MINIMAL + "env: [a]",
        MINIMAL.replace("[make]", "[{a: b}]"),
        MINIMAL.replace("[make]", "['']").replace("['']", "[~]"),
        "version: 0.2\n",
        MINIMAL + "artifacts: {files: [x], discard-paths: perhaps}",
    ],
)
def test_other_invalid_buildspecs_are_refused(text: str) -> None:
    assert error_message(text)


def test_the_buildspec_that_these_tests_change_is_valid() -> None:
    assert parse(MINIMAL).phases["build"].commands == ("make",)
