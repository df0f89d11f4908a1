"""The commands that a page of the documentation names: those of its blocks, and those within sentences."""

import re
from collections.abc import Iterator

# Drawings and templates in the same form; no line of theirs begins as a command does.
COMMAND = re.compile(
    r"(aws|cdk|curl|docker|export|gh|git|make|npm|npx|operations|pip|podman|pytest|python3?|uv) "
)
BLOCKS = re.compile(r"^(?: {4}(?! ).*| {6,}--.*)$", re.M)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
# A span may go on in the next line.
SPANS = re.compile(r"(?<!`)`([^`]+)`(?!`)")


def commands(text: str) -> Iterator[str]:
    """Yield the commands of the indented and the fenced blocks, without their comments."""
    shells = (block for language, block in FENCED.findall(text) if language in ("sh", "console"))
    blocks = "\n".join(BLOCKS.findall(text)) + "\n".join(shells)
    for line in re.sub(r"\\\n\s*", "", blocks).splitlines():
        command = re.split(r"\s+#\s", line.strip())[0].strip()
        # An arrow stands in a drawing.
        if COMMAND.match(command) and " -> " not in command:
            yield command


def spans(text: str) -> Iterator[str]:
    """Yield the commands that stand as code in a sentence or in a table."""
    for span in SPANS.findall(BLOCKS.sub("", FENCED.sub("", text))):
        command = " ".join(span.split())
        if COMMAND.match(command):
            yield command
