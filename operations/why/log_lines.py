"""Find the line of a log that says why something failed, and what the runbook says to do about it.

The remedies are those of docs/operations.md, in its words.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

# A reason is one line, and names so many findings at most.
LONGEST = 600
MOST = 3
FIX = "fix the code and push"
READ_THE_LOG = "read the whole log"
_MARKER = re.compile(r"\[Container\] \S+ \S+ (.*)")
_STARTED, _FAILED = "Running command ", "Command did not exit successfully "
# An exception as Python prints it, or as pytest does.
_EXCEPTION = re.compile(r"(?:E {3,})?((?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt|Warning)\b(?:: .*)?)")
_COMMIT = re.compile(r"\b([0-9a-f]{7})[0-9a-f]{33}\b")
_SOURCE_FOLDER = r"(?:\S*/src/(?:s3/\d+/)?)?"


@dataclass(frozen=True)
class Sign:
    """What a log says when something is wrong, the part of it to show, and what to do."""

    pattern: str
    remedy: str
    shown: str = r"\g<0>"

    def findings(self, text: str) -> list[str]:
        """Return each different finding in a log, in its order."""
        found = (match.expand(self.shown) for match in re.finditer(self.pattern, text, re.MULTILINE))
        return list(dict.fromkeys(one_line(each) for each in found))


@dataclass(frozen=True)
class Line:
    """What a log says is wrong, and what to do."""

    text: str
    remedy: str


@dataclass(frozen=True)
class Failure:
    """The command that failed in a build, and what it printed."""

    command: str
    output: Sequence[str]

    @property
    def step(self) -> str:
        """The name of the command: the comment that it begins with, or its first line."""
        return shortened(self.command.partition("\n")[0].removeprefix("# ").strip(), 60)


# The first that matches counts: what is caused by another sign is below it.
SIGNS = (
    Sign(r"^FAILED (\S+)(?: - (.*))?", FIX, r"\1: \2"),
    Sign(
        r"^finding: (.*)",
        "pin the fixed version that the line names, and push; or add an exception",
        r"\1",
    ),
    Sign(r".*is not NAME==VERSION.*", "pin the package with its hashes; the index is the platform's choice"),
    Sign(
        rf"Issue: \[(B\d+):\w*\] (.*)(?:\n.*){{0,4}}?\n\s+Location: {_SOURCE_FOLDER}(\S+)",
        "fix it; for a false positive, add `# nosec` with a reason",
        r"\1 \2 (\3)",
    ),
    # After its last attempt, pip goes on as if the index had no such package.
    Sign(
        r"Retry\(total=0,.* connection broken by '(\w+)[\s\S]*No matching distribution found for (.*)",
        "check the build's way to the package index, then retry the stage",
        r"the package index cannot be reached (\1), so pip found no \2",
    ),
    Sign(r"No matching distribution found for .*", "pin a version that has one"),
    Sign(
        r".*toomanyrequests: You have reached.*", "use public ECR, or sign in to Docker Hub: see the README"
    ),
    Sign(r".*toomanyrequests: Rate exceeded.*", "retry the stage"),
    Sign(
        r"^(?:the image (?:does not|ended)|the header X-Version says|the test-traffic hook asks).*",
        "do what the line says; `make check-service` tries it again",
    ),
    Sign(r"^ECS would start no task .*", "do what the line says"),
    Sign(
        r".*needs '\w+': set it in the environment.*",
        "add the variable to the build project, in `infrastructure/constructs/build.py`",
    ),
    Sign(r".*(?:is the platform's: remove it from the commit|is not read).*", "do what the line says"),
    Sign(
        r"^(?:ERROR: .*failed to (?:solve|compute).*|.*(?:failed to solve|executor failed running).*"
        r"|ERROR: .*not found.*)",
        "build the image on your machine",
    ),
    Sign(r".*error creating report group.*", "use the variable"),
    Sign(r".*YAML_FILE_ERROR.*", "quote the command"),
    Sign(r".*Cannot have more than \d+ builds in queue.*", "request an increase of the quota"),
    Sign(
        rf'^E {{3,}}File "{_SOURCE_FOLDER}(\S+)", line (\d+)(?:\n.*){{0,3}}?\nE {{3,}}(\w*Error: .*)',
        FIX,
        r"\3 (\1:\2)",
    ),
    Sign(r"^E {3,}(\w+(?:Error|Exception)\b.*)", FIX, r"\1"),
    Sign(
        r"^=* ?(no tests ran) .*",
        "name its files `test_*.py`, or set `python_files` in its `pyproject.toml`",
        r"\1",
    ),
)


def failed_command(lines: Sequence[str]) -> Failure | None:
    """Return the first command of a build's log that failed, and what it printed."""
    started, text = 0, ""
    for number, line in enumerate(lines):
        marker = _MARKER.match(line)
        if marker is None:
            continue
        if marker[1].startswith(_STARTED):
            started, text = number, marker[1].removeprefix(_STARTED)
        elif marker[1].startswith(_FAILED):
            output = lines[started + 1 : number]
            command = _whole_command(text, marker[1].removeprefix(_FAILED), lines[number + 1 :], output)
            return Failure(command, output[command.count("\n") :])
    return None


def _whole_command(first: str, failed: str, after: Iterable[str], output: Sequence[str]) -> str:
    """Return the command: CodeBuild prints all its lines when it starts, and again when it has failed."""
    command = [first]
    # The last line also has the exit status.
    for line, again in zip(output, after, strict=False):
        if failed.startswith(first) and line == again:
            command.append(line)
        else:
            break
    return "\n".join(command)


def significant(lines: Sequence[str]) -> Line | None:
    """Return what a log says is wrong; None if it has neither a sign nor an exception."""
    text = "\n".join(lines)
    exception = last_exception(lines)
    for sign in SIGNS:
        if found := sign.findings(text):
            line = Line(listed(found), sign.remedy)
            is_new = exception and exception not in line.text and line.remedy != FIX
            return replace(line, text=f"{line.text}; {exception}") if is_new else line
    return Line(exception, FIX) if exception else None


def last_exception(lines: Sequence[str]) -> str:
    """Return the last line of the last traceback in a log, or ""."""
    found, inside = "", False
    for line in _unfolded(lines):
        if "Traceback (most recent call last):" in line:
            inside = True
        elif inside and (match := _EXCEPTION.fullmatch(line.rstrip())):
            found, inside = one_line(match[1]), False
    return found


def _unfolded(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a log; of a line that is JSON, the lines of its texts."""
    for line in lines:
        try:
            record = json.loads(line) if line.startswith("{") else None
        except ValueError:
            record = None
        texts = record.values() if isinstance(record, dict) else [line]
        for text in texts:
            if isinstance(text, str):
                yield from text.splitlines()


def last_line(lines: Sequence[str]) -> str:
    """Return the last line of a log that is not empty, or ""."""
    return next((one_line(line) for line in reversed(lines) if line.strip()), "")


def listed(found: Sequence[str]) -> str:
    """Join findings; only the first ones are named."""
    more = [f"and {len(found) - MOST} more"] if len(found) > MOST else []
    return "; ".join([*found[:MOST], *more])


def one_line(text: str) -> str:
    """Return a text as one line that a person can read."""
    return shortened(_COMMIT.sub(r"\1", " ".join(text.split())).rstrip(": "), LONGEST)


def shortened(text: str, longest: int) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
