"""The edits that break each rule: (file, old text, new text)."""

from __future__ import annotations

DOCKERFILE = "Dockerfile"
APPSPEC = "appspec.yaml"
BUILDSPEC = "buildspec.yml"
IMAGE = "buildspec-image.yml"
TASKDEF = "taskdef.json"
GUNICORN = "sample_service/gunicorn.conf.py"
REQUIREMENTS = "sample_service/requirements.txt"
REQUIREMENTS_DEV = "sample_service/requirements-dev.txt"

BREAKS: dict[str, list[tuple[str, str, str]]] = {
    "b2_names_and_ports_agree": [
        (APPSPEC, "ContainerName: app", "ContainerName: web"),
        (APPSPEC, "ContainerPort: ${CONTAINER_PORT}", "ContainerPort: 80"),
        (TASKDEF, '"name": "${CONTAINER_NAME}"', '"name": "web"'),
        (TASKDEF, "${TASK_FAMILY}", "task"),
        (DOCKERFILE, "PORT=8080", "PORT=80"),
    ],
    "d1_the_image_is_named_in_image_detail": [
        (IMAGE, "> imageDetail.json", "> imageDetails.json"),
        (IMAGE, '"ImageURI"', '"imageUri"'),
    ],
    "d2_placeholders_are_left_for_the_deploy_action": [
        (TASKDEF, "<IMAGE1_NAME>", "IMAGE1_NAME"),
        (APPSPEC, "<TASK_DEFINITION>", "task-dev"),
        (TASKDEF, '"${TASK_CPU}"', "256"),
        (TASKDEF, '"family"', '"revision": 1, "family"'),
    ],
    "d3_the_artifact_has_the_files_that_deploy_reads": [
        (IMAGE, "    - imageDetail.json\n", ""),
        (IMAGE, "    - taskdef*.json", "    - '*.json'"),
        (IMAGE, "    - imageDetail.json", "    - '**/*'"),
    ],
    "d4_files_have_the_names_that_the_deploy_action_expects": [
        (IMAGE, "- appspec*.yaml", "- appspec*.yml"),
    ],
    "e3_the_image_is_tested_before_it_is_pushed": [
        (IMAGE, "try_image.py", "fill.py"),
        (IMAGE, "        docker build", '        docker push "$IMAGE_REPOSITORY_URI" && docker build'),
    ],
    "e3_the_gates_come_before_the_image": [
        (BUILDSPEC, "python -m bandit", "echo bandit"),
        (BUILDSPEC, "python -m pytest", "echo pytest"),
        (BUILDSPEC, "--junitxml=reports/", "--junitxml="),
    ],
    "f1_python_is_the_one_of_the_image": [
        (BUILDSPEC, "python: 3.9", "python: 3.11"),
        (IMAGE, "python: 3.9", "python: 3.11"),
        (DOCKERFILE, "3.9-slim", "3.11-slim"),
    ],
    "f2_requirements_are_pinned_with_hashes": [
        (REQUIREMENTS_DEV, "8.4.2", "9.0.0"),
        (REQUIREMENTS, "gunicorn==23", "gunicorn==24"),
        (DOCKERFILE, " --require-hashes", ""),
        (DOCKERFILE, "uninstall --yes pip ", "uninstall --yes "),
        (REQUIREMENTS, "blinker==", "--find-links /opt/wheels\nblinker=="),
    ],
    "f4_docker_hub_is_optional_and_its_failure_is_not": [
        (IMAGE, "!= anonymous", "!= nobody"),
        (
            IMAGE,
            "  variables:\n",
            "  parameter-store:\n    PASSWORD: /docker-hub-dev/password\n  variables:\n",
        ),
    ],
    "f5_no_secret_is_written": [
        (BUILDSPEC, "- python --version", "- set -x"),
        (IMAGE, "          aws ssm", '          PASSWORD="$(aws ssm'),
    ],
    "f6_the_base_image_needs_no_docker_hub": [
        (DOCKERFILE, "public.ecr.aws/docker/library/", ""),
    ],
    "f7_a_failed_build_pushes_nothing": [
        (IMAGE, '- test "$CODEBUILD_BUILD_SUCCEEDING" = 1', "- date"),
        (BUILDSPEC, '"$SERVICE_FOLDER" --junit', '"$SERVICE_FOLDER" || true --junit'),
        (BUILDSPEC, "- python --version", "- echo python: 3.9"),
    ],
    "f8_the_report_group_is_the_one_of_the_stack": [
        (BUILDSPEC, "  $REPORT_GROUP_ARN:", "  unit-tests:"),
    ],
    "f11_the_base_image_is_pulled_with_a_login": [
        (IMAGE, "--password-stdin public.ecr.aws", "--password-stdin"),
    ],
    "f12_the_tests_run_in_the_phase_after_which_reports_are_published": [
        (BUILDSPEC, "  build:\n    commands:", "  build:\n    on-failure: ABORT\n    commands:"),
        (BUILDSPEC, "  pre_build:\n    commands:", "  pre_build:\n    commands:\n      - python -m pytest"),
    ],
    "a_command_of_several_lines_begins_with_its_name": [
        (IMAGE, "        # Push the image\n", ""),
    ],
    "f9_each_build_has_a_tag_of_its_own": [
        (IMAGE, 'URI:$IMAGE_TAG" .', 'URI:latest" .'),
        (IMAGE, "BUILDX_NO_DEFAULT_ATTESTATIONS", "BUILDX"),
        (IMAGE, "$COMMIT-${CODEBUILD_BUILD_ID##*:}", "$COMMIT"),
    ],
    "n1_connections_outlive_the_load_balancers": [
        (GUNICORN, "keepalive = 75", "keepalive = 2"),
        (GUNICORN, '"gthread"', '"sync"'),
    ],
    "n2_a_stopping_task_finishes_its_requests": [
        (DOCKERFILE, 'CMD ["gunicorn",', 'CMD ["sh", "-c", "gunicorn",'),
        (TASKDEF, '"stopTimeout": 60', '"stopTimeout": 30'),
        (TASKDEF, '"stopTimeout": 60', '"stopTimeout": 121'),
    ],
    "n5_the_container_checks_itself_with_what_it_has": [
        (TASKDEF, '"python"', '"curl"'),
        (TASKDEF, '"CMD"', '"CMD-SHELL"'),
        (TASKDEF, "timeout=4)", "timeout=4"),
    ],
    "n6_a_hook_tests_the_new_version_before_any_traffic": [
        (APPSPEC, "AfterAllowTestTraffic", "AfterAllowTraffic"),
        (APPSPEC, "${TEST_TRAFFIC_HOOK}", "test-traffic-hook-dev"),
        (APPSPEC, "Hooks:", "Gates:"),
        (TASKDEF, "image.revision", "image.version"),
        (IMAGE, 'python -I "$PLATFORM/fill.py"', "date"),
    ],
    "fargate_accepts_the_task": [
        (TASKDEF, '"awsvpc"', '"bridge"'),
        (TASKDEF, '"X86_64"', '"ARM64"'),
        (DOCKERFILE, "USER 10001:10001", "USER 0:0"),
        (TASKDEF, '"user": "10001:10001"', '"user": "0:0"'),
        (TASKDEF, '"drop": ["ALL"]', '"drop": []'),
    ],
    "c1_the_tests_have_nothing_to_push_with": [
        (BUILDSPEC, "- python --version", "- docker version"),
        (IMAGE, "        docker build", "        python -m pytest sample_service\n        docker build"),
        (IMAGE, "        docker build", "        python tests/prepare.py\n        docker build"),
        (IMAGE, '"$PLATFORM/signing.txt"', '"$SERVICE_FOLDER/requirements.txt"'),
    ],
    "c3_the_scanner_runs_before_the_commit_and_out_of_its_reach": [
        (BUILDSPEC, 'cd "$PLATFORM/scanner"', "true"),
        (BUILDSPEC, ' --ini "$PLATFORM/bandit.ini"', ""),
        (BUILDSPEC, '"$PLATFORM/bandit.txt"', '"$SERVICE_FOLDER/requirements-dev.txt"'),
        (
            BUILDSPEC,
            "- python --version",
            '- pip install --requirement "$SERVICE_FOLDER/requirements-dev.txt"',
        ),
        (BUILDSPEC, 'python -I "$PLATFORM/audit.py"', 'python "$PLATFORM/audit.py"'),
    ],
}
