"""Rules for the contract files: one function for each, named after its pitfall."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from unit_tests.contract.contract_files import ENVIRONMENT, Contract

Rule = Callable[[Contract], None]

DEREGISTRATION_DELAY = 30  # seconds, of both target groups
IDLE_TIMEOUT = 60  # seconds, of the load balancer
LONGEST_STOP_TIMEOUT = 120  # seconds, on Fargate
SERVICE_LOCKS = ("sample_service/requirements.txt", "sample_service/requirements-dev.txt")
PINS = {"flask": "3.1.3", "gunicorn": "23.0.0", "pytest": "8.4.2"}
PLATFORM_PINS = {"bandit": "1.8.6", "boto3": "1.42.97"}
# What describe-task-definition returns and register-task-definition rejects.
ANSWERED_ONLY = {
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
}


def b2_names_and_ports_agree(contract: Contract) -> None:
    """The appspec names a container and a port of the task definition, and the image listens there."""
    load_balancer = contract.target_service["LoadBalancerInfo"]
    assert load_balancer["ContainerName"] == ENVIRONMENT["CONTAINER_NAME"]
    assert load_balancer["ContainerPort"] == "${CONTAINER_PORT}"
    assert contract.container["name"] == "${CONTAINER_NAME}"
    assert contract.taskdef["family"] == "${TASK_FAMILY}"
    (mapping,) = contract.container["portMappings"]
    assert mapping["containerPort"] == "${CONTAINER_PORT}"
    assert {"name": "PORT", "value": "${CONTAINER_PORT}"} in contract.container["environment"]
    assert f"PORT={ENVIRONMENT['CONTAINER_PORT']}" in contract.dockerfile.split()


def d1_the_image_is_named_in_image_detail(contract: Contract) -> None:
    """CodeDeployToECS reads imageDetail.json, {"ImageURI": ...}; the other file is for rolling releases."""
    assert '{"ImageURI":"%s"}' in contract.commands[contract.step("> imageDetail.json")]
    assert not any("imagedefinitions" in command for command in contract.commands)


def d2_placeholders_are_left_for_the_deploy_action(contract: Contract) -> None:
    """CodePipeline fills these two, and accepts only what register-task-definition accepts."""
    assert contract.container["image"] == "<IMAGE1_NAME>"
    assert contract.target_service["TaskDefinition"] == "<TASK_DEFINITION>"
    assert not ANSWERED_ONLY & set(contract.taskdef)
    assert isinstance(contract.taskdef["cpu"], str)
    assert isinstance(contract.taskdef["memory"], str)


def d3_the_artifact_has_the_files_that_deploy_reads(contract: Contract) -> None:
    """The Deploy action rejects an artifact above 3 MB: three files, and two more per promotion."""
    assert "artifacts" not in contract.tests
    artifacts = contract.image["artifacts"]
    assert sorted(artifacts["files"]) == ["appspec*.yaml", "imageDetail.json", "taskdef*.json"]
    assert set(artifacts) == {"files"}


def d4_files_have_the_names_that_the_deploy_action_expects(contract: Contract) -> None:
    """Not appspec.yml: only Deploy would find that a file does not exist."""
    here = set(contract.image["artifacts"]["files"]) - {"imageDetail.json"}
    found = {path.name for pattern in here for path in contract.root.glob(pattern)}
    assert found == {"appspec.yaml", "taskdef.json"}


def e3_the_image_is_tested_before_it_is_pushed(contract: Contract) -> None:
    """A bad image must not reach Deploy, which would wait for it for up to an hour."""
    smoke = contract.step('python -I "$PLATFORM/try_image.py"')
    assert contract.step("docker build") < smoke < contract.step("docker push")


def e3_the_gates_come_before_the_image(contract: Contract) -> None:
    """pytest (with its report) and bandit decide whether there is an image at all."""
    assert contract.step("-m pytest") < contract.step("docker build")
    assert contract.step("-m bandit") < contract.step("docker build")
    (report,) = contract.tests["reports"].values()
    assert report["file-format"] == "JUNITXML"
    assert f"--junitxml={report['files'][0]}" in contract.commands[contract.step("-m pytest")]


def f1_python_is_the_one_of_the_image(contract: Contract) -> None:
    """Tests on another Python version would prove little."""
    specs = (contract.tests, contract.image)
    versions = {str(spec["phases"]["install"]["runtime-versions"]["python"]) for spec in specs}
    assert versions == {"3.9"}
    name, _, _digest = contract.instruction("FROM").partition("@")
    assert name.rpartition(":")[2] == "3.9-slim"


def f2_requirements_are_pinned_with_hashes(contract: Contract) -> None:
    """Only these releases install on 3.9; the files contain no URL of an index or a machine."""
    pinned: dict[str, str] = {}
    for name in SERVICE_LOCKS:
        found = _pins(contract, name)
        assert {**pinned, **found} == {**found, **pinned}, "a version differs between the two files"
        pinned |= found
    assert PINS.items() <= pinned.items()
    of_the_platform = _pins(contract, "requirements/bandit.txt") | _pins(contract, "requirements/signing.txt")
    assert PLATFORM_PINS.items() <= of_the_platform.items()
    assert "--require-hashes" in contract.instruction("RUN")
    assert "pip uninstall --yes pip setuptools wheel" in contract.dockerfile
    installs = [command for command in contract.commands if "pip install" in command]
    assert ["--require-hashes" in command for command in installs] == [True, True, True]


def _pins(contract: Contract, name: str) -> dict[str, str]:
    """Return the versions of a lock, each of which must have a hash."""
    text = (contract.root / name).read_text()
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", text), name
    found = re.findall(r"^\w.*(?:\n {4}--hash.*)*", text, re.MULTILINE)
    assert all("--hash=sha256:" in pin for pin in found), f"{name}: a pin has no hash"
    return dict(pin.split()[0].split("==") for pin in found)


def f4_docker_hub_is_optional_and_its_failure_is_not(contract: Contract) -> None:
    """A PARAMETER_STORE name that does not exist would fail every build before it starts."""
    assert "parameter-store" not in {**contract.tests["env"], **contract.image["env"]}
    command = contract.commands[contract.step("ssm get-parameter")]
    assert '[ "$DOCKER_HUB_USERNAME" != anonymous ]' in command
    assert "set -o pipefail" in command
    assert "--password-stdin" in command


def f5_no_secret_is_written(contract: Contract) -> None:
    """A build reads the SecureString into a pipe, never into a variable or the log."""
    text = "\n".join(contract.commands)
    assert not re.search(r"put-parameter|set -x|--password[ =]|-p \"", text)
    assert not re.search(r"=\"?\$\(aws ssm get-parameter", text)


def f6_the_base_image_needs_no_docker_hub(contract: Contract) -> None:
    """Docker Hub limits pulls by address, and CodeBuild shares its addresses."""
    assert contract.instruction("FROM").startswith("public.ecr.aws/")


def f7_a_failed_build_pushes_nothing(contract: Contract) -> None:
    """post_build runs after a failed build too, and YAML turns an unquoted colon into a mapping."""
    guard, *_ = contract.image["phases"]["post_build"]["commands"]
    assert guard == 'test "$CODEBUILD_BUILD_SUCCEEDING" = 1'
    assert contract.commands.index(guard) < contract.step("docker push")
    assert all(isinstance(command, str) for command in contract.commands)
    assert not any(re.search(r"\|\| *(true|:)", command) for command in contract.commands)


def f8_the_report_group_is_the_one_of_the_stack(contract: Contract) -> None:
    """For a name CodeBuild would create a group `<project>-<name>`; the stack passes its group's ARN."""
    assert list(contract.tests["reports"]) == ["$REPORT_GROUP_ARN"]


def f9_each_build_has_a_tag_of_its_own(contract: Contract) -> None:
    """Tags are immutable, and each attestation would count as one of the ten images that are kept."""
    text = "\n".join(contract.commands)
    tags = re.findall(r"\$IMAGE_REPOSITORY_URI:(\S+?)\"", text)
    assert set(tags) == {"$IMAGE_TAG"}
    assert 'export IMAGE_TAG="commit-$COMMIT-${CODEBUILD_BUILD_ID##*:}"' in text
    assert ":latest" not in text
    assert contract.image["env"]["variables"].get("BUILDX_NO_DEFAULT_ATTESTATIONS") == "1"


def f11_the_base_image_is_pulled_with_a_login(contract: Contract) -> None:
    """Public ECR refuses pulls without one if others at the same address pull, too."""
    pull = contract.step("docker pull")
    assert contract.step("-m pytest") < pull < contract.step("docker build")
    assert "docker login --username AWS --password-stdin public.ecr.aws" in contract.commands[pull]


def f12_the_tests_run_in_the_phase_after_which_reports_are_published(contract: Contract) -> None:
    """A failed pre_build ends the build; a failed build continues with UPLOAD_ARTIFACTS."""
    phases = contract.tests["phases"]
    with_tests = [name for name in phases if any("-m pytest" in each for each in phases[name]["commands"])]
    assert with_tests == ["build"]
    assert "on-failure" not in phases["build"]


def a_command_of_several_lines_begins_with_its_name(contract: Contract) -> None:
    """CodeBuild quotes the whole command in its error, and a person reads the first line."""
    for command in contract.commands:
        lines = command.strip().splitlines()
        assert len(lines) == 1 or lines[0].startswith("# "), lines[0]


def n1_connections_outlive_the_load_balancers(contract: Contract) -> None:
    """If the worker closes an idle connection first, the next request gets a 502."""
    assert contract.gunicorn["worker_class"] == "gthread"
    assert contract.gunicorn["keepalive"] > IDLE_TIMEOUT


def n2_a_stopping_task_finishes_its_requests(contract: Contract) -> None:
    """gunicorn must receive SIGTERM, and have longer than the target group takes to deregister it."""
    assert json.loads(contract.instruction("CMD"))[0] == "gunicorn"
    assert not re.search(r"^ENTRYPOINT", contract.dockerfile, re.MULTILINE)
    stop = contract.container["stopTimeout"]
    assert DEREGISTRATION_DELAY < stop <= LONGEST_STOP_TIMEOUT
    assert DEREGISTRATION_DELAY <= contract.gunicorn["graceful_timeout"] < stop


def n5_the_container_checks_itself_with_what_it_has(contract: Contract) -> None:
    """A slim image has no curl, and a wrong check kills tasks that the load balancer finds healthy."""
    form, program, *_, code = contract.container["healthCheck"]["command"]
    assert (form, program) == ("CMD", "python")
    assert "os.environ['PORT'] + '${HEALTH_PATH}'" in code
    compile(code, "healthCheck", "exec")


def n6_a_hook_tests_the_new_version_before_any_traffic(contract: Contract) -> None:
    """Build renders the name of the function, which differs by environment, and the expected commit."""
    assert contract.hooks == {"AfterAllowTestTraffic": "${TEST_TRAFFIC_HOOK}"}
    assert contract.container["dockerLabels"] == {"org.opencontainers.image.revision": "${COMMIT}"}
    assert contract.step("export COMMIT") < contract.step("fill.py")


def fargate_accepts_the_task(contract: Contract) -> None:
    """What Fargate requires, and what limits a compromised task."""
    assert contract.taskdef["requiresCompatibilities"] == ["FARGATE"]
    assert contract.taskdef["networkMode"] == "awsvpc"
    assert contract.taskdef["runtimePlatform"] == {
        "cpuArchitecture": "X86_64",
        "operatingSystemFamily": "LINUX",
    }
    assert contract.container["logConfiguration"]["logDriver"] == "awslogs"
    assert contract.container["readonlyRootFilesystem"] is True
    assert contract.gunicorn["SHARED_MEMORY"] == "/dev/shm"  # noqa: S108 - the only folder that stays writable.
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", contract.instruction("USER"))
    assert contract.container["user"] == contract.instruction("USER")
    assert contract.container["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}}


def c1_the_tests_have_nothing_to_push_with(contract: Contract) -> None:
    """What runs there is the commit's code: no registry, no AWS CLI, no artifact (attack C1)."""
    commands = [command for phase in contract.tests["phases"].values() for command in phase["commands"]]
    assert not any(re.search(r"\b(aws|docker)\b", command) for command in commands)
    ours = [command for phase in contract.image["phases"].values() for command in phase["commands"]]
    signs = contract.step('--target "$PLATFORM/packages" --requirement "$PLATFORM/signing.txt"')
    ours.remove(contract.commands[signs])
    assert not any(
        re.search(r"pip install|-m pytest|python (?!-I \"\$PLATFORM|-c)", command) for command in ours
    )


def c3_the_scanner_runs_before_the_commit_and_out_of_its_reach(contract: Contract) -> None:
    """A module, a configuration or a package of the commit must not replace it (attack C3)."""
    scan = contract.step("-m bandit")
    audit, installed_by_the_commit = (
        contract.step("audit.py"),
        contract.step('--requirement "$SERVICE_FOLDER'),
    )
    assert audit < scan < installed_by_the_commit
    assert 'python -I "$PLATFORM/audit.py"' in contract.commands[audit], "attack S7"
    assert 'cd "$PLATFORM/scanner"' in contract.commands[scan]
    assert '--ini "$PLATFORM/bandit.ini"' in contract.commands[scan]
    installed = contract.commands[contract.step("--target")]
    assert '--only-binary :all: --target "$PLATFORM/scanner"' in installed
    assert '--requirement "$PLATFORM/bandit.txt"' in installed


# F3 (privileged), N3 and N4 (termination wait, rollback) are rules for the template, not for these files.
RULES: dict[str, Rule] = {
    name: rule
    for name, rule in globals().items()
    if re.match(r"[a-z]\d+_|a_command_|fargate_", name) and callable(rule)
}
