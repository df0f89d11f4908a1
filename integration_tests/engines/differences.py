"""What processes answer differently from engines, or one engine from the other, and why that stays.

Each key is a pattern of names of fields, as of a shell. docs/known-differences.md has the reasons.
"""

_FILES = "the files of an image are in a folder of the machine"

DIFFERENCES = {
    "facts in a task: may write.*": "processes have no read-only root",
    "facts in a task: process id": "processes share the process ids of the machine",
    "facts in a task: user*": "processes have no users",
    "facts in a task: variables.HOME": _FILES,
    "facts in a task: variables.LOCAL_AWS_*": "what makes a process a container",
    "facts in a task: variables.PATH": _FILES,
    "facts in a task: working directory": _FILES,
    "image: media types*": "images of processes have OCI's format, those of docker its own",
    "task, stopped without a handler: *exitCode": "only process 1 of a container ignores SIGTERM",
}
