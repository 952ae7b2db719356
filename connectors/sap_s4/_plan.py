"""What one write comes down to: a changeset, and what its replies mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.sap_s4._batch import Operation
from landbridge.connector import Write


@dataclass(slots=True)
class Plan:
    """The changeset of one write; empty where SAP holds everything already.

    `target_id` is known for changes of a record that exists. `lines` are the pairs of line key and item that are known
    before anything is sent. `stage` is set where the record needs another step after this one.
    """

    write: Write
    entity_set: str
    operations: list[Operation] = field(default_factory=list)
    target_id: str | None = None
    created: bool = False
    lines: Mapping[str, str] = field(default_factory=dict)
    stage: str | None = None
    version: str | None = None
