"""What callers send: the same declaration checks a request and describes it in the contract."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]
Record = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]+$"),
    Field(description="A record: `system:key`, its id, or a golden id."),
]
By = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$"),
    Field(description="The person for whom this is done; it is kept as said: the token proves the caller alone."),
]
Most = Annotated[int, Field(ge=1, le=500, description="At most this many.")]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Personal(_Sent):
    """Whether personal values are shown."""

    personal: bool = Field(False, description="Show personal values instead of ***.")


class QueueQuery(Personal):
    """What of the queue is wanted."""

    most: Most = 50


class PairQuery(Personal):
    """Which two records."""

    a: Record
    b: Record


class GoldenQuery(Personal):
    """Which golden record, and as of when."""

    id: Record
    as_of: AwareDatetime | None = Field(None, description="What its sources said at that time.")
    known_at: AwareDatetime | None = Field(None, description="What the hub knew at that time.")


class LabelQuery(Personal):
    """Who labels, and how many pairs are wanted."""

    by: By
    most: Most = 1


class Decision(_Sent):
    """A decision about records."""

    verdict: Literal["same", "different", "unsure", "parent_of", "split", "pin"]
    these: list[Record] = Field(min_length=1, max_length=200)
    those: list[Record] = Field(default_factory=list, max_length=200)
    attribute: Text | None = Field(None, description="Of a pin: a top field of the canonical model.")
    value: Any = Field(None, description="Of a pin: its value; null clears the attribute.")
    by: By
    reason: Text = ""
    dry_run: bool = Field(False, description="Only say what would follow.")
    personal: bool = Field(False, description="Show personal values in what would follow.")


class Undo(_Sent):
    """A decision that is taken back."""

    decision: UUID
    by: By
    dry_run: bool = Field(False, description="Only say what would follow.")
    personal: bool = Field(False, description="Show personal values in what would follow.")


class NoticesQuery(_Sent):
    """Which notices are wanted."""

    dismissed: bool = Field(False, description="Those that were dismissed too.")


class Dismissal(_Sent):
    """A notice that was read, and is told again once it says something else."""

    notice: Annotated[
        str,
        StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$"),
        Field(description="Its id, as the notices show it."),
    ]
    by: By
    reason: Text = ""


class Alike(_Sent):
    """A decision about every waiting pair that agrees as this one does."""

    a: Record
    b: Record
    verdict: Literal["same", "different"]
    pattern: Annotated[
        str,
        StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]+$"),
        Field(description="As it was shown: refused if it is another by now."),
    ]
    pairs: int = Field(ge=1, le=500, description="How many pairs were shown: refused if there are more or fewer.")
    by: By
    reason: Text = ""
    dry_run: bool = Field(False, description="Only say what would follow.")
    personal: bool = Field(False, description="Show personal values in what would follow.")


class NewLabel(_Sent):
    """What a person says of a pair, without having seen its weight."""

    a: Record
    b: Record
    verdict: Literal["same", "different", "unsure"]
    by: By
