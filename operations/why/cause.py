"""Why a release failed, as plain data."""

from dataclasses import dataclass

RETRY = "retry the stage"


@dataclass(frozen=True)
class Cause:
    """Why an action failed: the gate that stopped it, its reason, what to do, and where the whole log is.

    `gate` is the step of the build, the lifecycle event of the deployment, or the alarm. `log` is a command.
    """

    gate: str
    reason: str
    remedy: str
    log: str = ""


@dataclass(frozen=True)
class Explanation:
    """A release and its status; `action` and `cause` tell what failed, or what it waits for."""

    suffix: str
    execution: str
    commit: str
    subject: str
    status: str
    action: str = ""
    cause: Cause | None = None
    note: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether there is something to explain."""
        return self.cause is not None

    @property
    def lines(self) -> tuple[str, ...]:
        """The release in at most four lines: what failed, why, what to do, and where the whole log is."""
        subject = f' "{self.subject}"' if self.subject else ""
        if not self.execution:
            return (f"{self.suffix}: {self.note}",)
        release = f"release {self.commit[:7] or self.execution}{subject}"
        if self.cause is None:
            return (f"{self.suffix}: {release} {self.note}",)
        gate = f": {self.cause.gate}" if self.cause.gate else ""
        lines = [f"{self.suffix}: {release} {self.note} {self.action}{gate}", f"why: {self.cause.reason}"]
        lines.append(f"do:  {self.cause.remedy}")
        return tuple([*lines, f"log: {self.cause.log}"] if self.cause.log else lines)
