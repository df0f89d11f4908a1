"""The reasons why some codes that operations declare cannot be reached here."""

from dataclasses import dataclass

EVERY = ("*",)


@dataclass(frozen=True)
class Explanation:
    """The reason why `codes` of a service cannot be reached by its `operations`."""

    service: str
    reason: str
    codes: tuple[str, ...]
    operations: tuple[str, ...] = EVERY

    def covers(self, operation: str, code: str) -> bool:
        """Return whether this is the reason for a code of an operation."""
        return code in self.codes and (self.operations == EVERY or operation in self.operations)


NO_KEYS = "local_aws encrypts nothing: of keys, it checks their states, and not what they decrypt."
INTERNAL = "It is an internal failure of AWS, with status 500: no request is the reason for it."
THROTTLED = "AWS throttles calls: local_aws answers each one."
QUOTA = "It needs more resources than a test can create: a quota of the account or of a resource."
RACE = "It needs two calls at the same moment."
OTHER_PLATFORM = "It is about EC2 instances, on-premises instances or Lambda: local_aws deploys to ECS only."
NO_RULE = "AWS's pages name no value that gets it, or no limit."
NOT_HERE = "It is about a feature that local_aws refuses by name, or does not have."
TWIN = "AWS declares two codes for what is invalid, and its pages name no case of this one."
ORGANIZATION = "It needs a policy of AWS Organizations."
DELAY = "AWS refuses it for a minute: local_aws has no such delay."
HTTP = "It is about the content type of a request, which clients set."
MODEL = "AWS answers the code for what the model does not allow, which each operation may return."
UNKNOWN = "Neither AWS's pages nor a public report says which call gets it: local_aws does not answer it."
NO_MEMBER = "The operation has no member that could be wrong in this way."
RUNNING = "It needs a deployment or a task that runs, which these calls do not start."
