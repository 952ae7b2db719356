"""What can go wrong, one class per thing the engine does about it.

    LandbridgeError
    ├── ConfigError              stops before anything runs; carries every Problem at once, with file:line:col
    └── Failure                  an outcome of one message or one attempt; may be raised, or returned per write
        ├── Invalid              quarantine, with the list of findings        (schema, data quality, unknown code)
        ├── Denied               pauses the flow, tells the operator          (401, 403, wrong organisation)
        ├── Unavailable(wait=)   tries again with backoff and jitter          (429, refused connection, 503)
        ├── OutcomeUnknown       waits the settle time, asks the target       (time-out, cut line, 5xx after sending)
        ├── Rejected             dead letter, at once                         (422, business rule of the target)
        └── Conflict             to a person, with both values                (changed on both sides, shipped already)

The class says what the engine does, the message says what happened and where, `hint` says what to do now.
Neither ever holds a secret or a masked value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class LandbridgeError(Exception):
    """The root of all errors that Landbridge raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} hint: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(cls: type[LandbridgeError], state: dict[str, Any]) -> LandbridgeError:
    error = cls.__new__(cls)
    Exception.__init__(error, state.get("message", ""))
    error.__dict__.update(state)
    return error


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in one place of a configuration file; line and column count from 1, 0 if unknown."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}  {self.message}" + (f" {self.hint}" if self.hint else "")


class ConfigError(LandbridgeError):
    """Configuration that cannot run: all problems at once; nothing was started."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        files = len({problem.file for problem in self.problems})
        lines = "\n".join(str(problem) for problem in self.problems)
        count = f"{len(self.problems)} problem{'s' * (len(self.problems) != 1)} in {files} file{'s' * (files != 1)}"
        super().__init__(f"{lines}\n{count}; nothing was started.")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one message: where in the body, which rule, and what to do."""

    path: str
    rule: str
    message: str
    hint: str = ""
    where: str = field(default="", compare=False)  # mapping or rule file:line, where known
    severity: str = field(default="", compare=False)  # of a quality rule; "warning" and "info" hold nothing up

    @property
    def noted(self) -> bool:
        """Whether the message goes on: the finding is only kept beside it."""
        return self.severity in ("warning", "info")

    def as_dict(self) -> dict[str, str]:
        """The finding as it is stored beside the message."""
        told = {
            "path": self.path,
            "rule": self.rule,
            "message": self.message,
            "hint": self.hint,
            "where": self.where,
        }
        return told | {"severity": self.severity} if self.severity else told


class Failure(LandbridgeError):
    """What went wrong with one message or one attempt; connectors raise it or return it per write."""

    code = "failure"

    def __init__(self, message: str, *, hint: str = "", status: str = "", sent: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.status = status  # the target's own code, such as "422" or "V1/302"
        self.sent = sent  # False only where it is certain that nothing reached the target


class Invalid(Failure):
    """The message itself is wrong: quarantined with its findings."""

    code = "invalid"

    def __init__(self, findings: Sequence[Finding], *, hint: str = "") -> None:
        self.findings = tuple(findings)
        text = "; ".join(map(_told, self.findings))
        hints = hint or next((f.hint for f in self.findings if f.hint), "")
        super().__init__(text, hint=hints, sent=False)


def _told(finding: Finding) -> str:
    where = f" ({finding.where})" if finding.where else ""
    return (f"{finding.path}: {finding.message}" if finding.path else finding.message) + where


class Denied(Failure):
    """The target refuses us, not the message: the flow pauses until a person acts."""

    code = "denied"


class Unavailable(Failure):
    """The target did not take the message and has no effect of it; `wait` is its own Retry-After in seconds."""

    code = "unavailable"

    def __init__(
        self, message: str, *, wait: float | None = None, hint: str = "", status: str = "", sent: bool = True
    ) -> None:
        super().__init__(message, hint=hint, status=status, sent=sent)
        self.wait = wait


class OutcomeUnknown(Failure):
    """The target may or may not have the effect, now or minutes later: settle, look up, then decide."""

    code = "outcome_unknown"


class Rejected(Failure):
    """The target will never take this message as it is: dead letter."""

    code = "rejected"


class Conflict(Failure):
    """Two sides hold different truths and a person must choose; `ours` and `theirs` are both values."""

    code = "conflict"

    def __init__(self, message: str, *, ours: Any = None, theirs: Any = None, hint: str = "", status: str = "") -> None:
        super().__init__(message, hint=hint, status=status)
        self.ours = ours
        self.theirs = theirs
