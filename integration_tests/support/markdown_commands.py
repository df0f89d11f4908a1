"""The commands of a Markdown page: in its code blocks, and as inline code."""

import re
from collections.abc import Iterator

# The blocks also have diagrams and templates, whose lines do not begin with a command.
COMMAND = re.compile(
    r"(aws|cdk|curl|docker|export|gh|git|make|npm|npx|operations|pip|podman|pytest|python3?|uv) "
)
BLOCKS = re.compile(r"^(?: {4}(?! ).*| {6,}--.*)$", re.M)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
# Inline code may continue on the next line.
SPANS = re.compile(r"(?<!`)`([^`]+)`(?!`)")


def commands(text: str) -> Iterator[str]:
    """Yield the commands of the indented and the fenced blocks, without their comments."""
    shells = (block for language, block in FENCED.findall(text) if language in ("sh", "console"))
    blocks = "\n".join(BLOCKS.findall(text)) + "\n".join(shells)
    for line in re.sub(r"\\\n\s*", "", blocks).splitlines():
        command = re.split(r"\s+#\s", line.strip())[0].strip()
        # An arrow belongs to a diagram.
        if COMMAND.match(command) and " -> " not in command:
            yield command


def spans(text: str) -> Iterator[str]:
    """Yield the commands that are inline code in a sentence or in a table."""
    for span in SPANS.findall(BLOCKS.sub("", FENCED.sub("", text))):
        command = " ".join(span.split())
        if COMMAND.match(command):
            yield command
