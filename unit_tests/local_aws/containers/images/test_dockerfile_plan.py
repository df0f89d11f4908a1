"""The build plan of a Dockerfile: what it contains, and what is refused by name."""

import pytest

from local_aws.containers.images.config import ImageConfig
from local_aws.containers.images.dockerfile import DockerfileError, UnsupportedError, substitute
from local_aws.containers.images.dockerfile_plan import (
    BuildPlan,
    CopyFiles,
    RunCommands,
    base_python,
    make_plan,
)

BASE = "FROM public.ecr.aws/docker/library/python:3.9-slim\n"


def plan(text: str, **arguments: str) -> BuildPlan:
    return make_plan(BASE + text, arguments, ImageConfig({"PATH": "/usr/local/bin:/bin"}))


def config(text: str, **arguments: str) -> ImageConfig:
    return plan(text, **arguments).steps[-1].config


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        ("public.ecr.aws/docker/library/python:3.9-slim", "3.9"),
        ("docker.io/library/python:3.12", "3.12"),
        ("python:3.9.25-slim", "3.9"),
        ("python:3.9-alpine", None),
        ("debian:12", None),
        ("evil.example/python:3.9", None),
    ],
)
def test_only_official_python_images_have_a_stand_in(reference: str, version: str | None) -> None:
    assert base_python(reference) == version


def test_continued_lines_and_comments_between_them_are_one_instruction() -> None:
    planned = config("ENV A=1 \\\n  # a comment\n\n    B='two words'\nWORKDIR /srv\nWORKDIR app")
    assert planned.environment["A"] == "1"
    assert planned.environment["B"] == "two words"
    assert planned.working_directory == "/srv/app"


def test_a_build_argument_reaches_env_and_its_default_holds_without_it() -> None:
    text = "ARG GIT_COMMIT=none\nENV GIT_COMMIT=${GIT_COMMIT}"
    assert config(text, GIT_COMMIT="abc").environment["GIT_COMMIT"] == "abc"
    assert config(text).environment["GIT_COMMIT"] == "none"
    assert config("ENV GIT_COMMIT=${GIT_COMMIT}", GIT_COMMIT="abc").environment["GIT_COMMIT"] == ""


def test_a_changed_argument_changes_the_steps_that_see_it_and_none_before() -> None:
    text = "COPY a /a\nARG V\nRUN pip install x\n"
    one, two = plan(text, V="1").steps, plan(text, V="2").steps
    assert one[0].text == two[0].text
    assert one[1].text != two[1].text


def test_substitution_supports_defaults_alternatives_and_escapes() -> None:
    assert substitute(r"$A ${B:-b} ${A:+set} \$A $C.", {"A": "a"}) == "a b set $A ."


def test_exec_and_shell_forms_are_recorded_as_in_docker() -> None:
    assert config('CMD ["gunicorn", "app:create()"]').command == ("gunicorn", "app:create()")
    assert config("CMD gunicorn app").command == ("/bin/sh", "-c", "gunicorn app")
    assert config('CMD ["a"]\nENTRYPOINT ["b"]').command == ()


def test_copy_supports_a_numeric_owner_and_a_destination_relative_to_the_working_directory() -> None:
    work = plan("WORKDIR /srv\nCOPY --chown=10001:10002 a b ./").steps[-1].work
    assert work == CopyFiles(("a", "b"), "/srv/", (10001, 10002))


def test_run_splits_pip_commands_and_substitutes_as_the_shell_would() -> None:
    work = (
        plan("ENV R=requirements.txt\nRUN pip install --no-cache-dir -r $R && python -m compileall .")
        .steps[-1]
        .work
    )
    assert isinstance(work, RunCommands)
    assert work.commands == (
        ("pip", "install", "--no-cache-dir", "-r", "requirements.txt"),
        ("python", "-m", "compileall", "."),
    )


def test_healthcheck_expose_user_label_and_stopsignal_are_recorded() -> None:
    planned = config(
        "EXPOSE 8080\nUSER 10001\nLABEL a=b\nSTOPSIGNAL SIGQUIT\n"
        'HEALTHCHECK --interval=1m30s --retries=2 CMD ["python", "-c", "1"]'
    )
    assert (planned.exposed_ports, planned.user, planned.labels) == (("8080/tcp",), "10001", {"a": "b"})
    assert planned.stop_signal == "SIGQUIT"
    assert planned.health_check == {
        "Test": ["CMD", "python", "-c", "1"],
        "Interval": 90_000_000_000,
        "Retries": 2,
    }


@pytest.mark.parametrize(
    "line",
    [
        "RUN apt-get update",
        "RUN pip install x; rm -rf /",
        "RUN pip install x || true",
        "RUN pip install $(cat x)",
        "RUN pip install -e .",
        "RUN --mount=type=cache,target=/root pip install x",
        "ADD a b",
        "VOLUME /x",
        "COPY --from=build /a /b",
        "COPY --chown=app:app a /b",
        "COPY <<EOF /x",
        "FROM python:3.9 AS second",
    ],
)
def test_an_instruction_that_needs_docker_is_refused_by_name_and_line(line: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        plan(f"\n{line}\n")
    text = str(caught.value)
    assert text.startswith("local_aws (processes) cannot run: ")
    assert "(line 3)" in text
    assert text.endswith("; use docker")


def test_no_image_is_built_for_another_platform() -> None:
    name = "public.ecr.aws/docker/library/python:3.9-slim"
    with pytest.raises(UnsupportedError):
        make_plan(f"FROM --platform=linux/arm64 {name}\n", {}, ImageConfig())
    assert make_plan(f"FROM --platform=linux/amd64 {name}\n", {}, ImageConfig()).python == "3.9"


@pytest.mark.parametrize(
    "text", ["", "RUN pip install x", "FROM python:3.9\nFORM x", "FROM python:3.9\nCOPY a"]
)
def test_an_invalid_dockerfile_is_an_error_as_in_docker(text: str) -> None:
    with pytest.raises(DockerfileError):
        make_plan(text, {}, ImageConfig())
