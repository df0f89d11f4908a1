"""Print the table of the wrong calls.

With a date, print it as the section of docs/local-aws.md; with `neither`, print the codes that lack a call.
"""

import sys

from unit_tests.local_aws.fidelity.coverage import coverage, table
from unit_tests.local_aws.fidelity.services import SUITES

SECTION = """
## Wrong calls

Each operation above, those of ELBv2 for Application Load Balancers, and those of the other services that
this project calls, declare error codes in botocore's model. `make fidelity` makes wrong calls and
compares the answers. A code is *reached* if a call gets it, *explained* if
`unit_tests/local_aws/fidelity/explanations.py` says why no call can get it here, and *neither* if it
lacks both. Each code counts once for each operation that declares it. The models of S3 and EC2 declare
few codes or none: for these, those codes of AWS's pages count that a call must get. Counted on {date}:

{table}"""


def main(words: list[str]) -> str:
    """Return what the command prints."""
    if not words:
        return table()
    if words != ["neither"]:
        return SECTION.format(date=words[0], table=table())
    return "".join(
        f"{suite.service}:{operation} {code}\n"
        for suite in SUITES
        for operation, code in sorted(coverage(suite).neither)
    )


if __name__ == "__main__":
    print(main(sys.argv[1:]), end="")
