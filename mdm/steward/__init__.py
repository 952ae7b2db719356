"""Stewardship: what waits for a person, why the hub thinks so, and what the person decides; every act can be undone.

`Desk` acts, `View` shows; the command line (`mdm.cli`) and the HTTP API (`mdm.steward.api`) are two ways to both.
"""

from mdm.steward._desk import SAMPLE, Desk, Preview
from mdm.steward._doubts import Doubt, Side, Waterfall, doubts, explain
from mdm.steward._figures import METRICS, Figures, Status
from mdm.steward._labels import Label, label, next_to_label
from mdm.steward._shown import Asked, Compared, Decided, Named, ShownPair, ShownRecord, ShownStep
from mdm.steward._view import ShownGolden, ShownNotice, ShownPreview, View

__all__ = [
    "METRICS",
    "SAMPLE",
    "Asked",
    "Compared",
    "Decided",
    "Desk",
    "Doubt",
    "Figures",
    "Label",
    "Named",
    "Preview",
    "ShownGolden",
    "ShownNotice",
    "ShownPair",
    "ShownPreview",
    "ShownRecord",
    "ShownStep",
    "Side",
    "Status",
    "View",
    "Waterfall",
    "doubts",
    "explain",
    "label",
    "next_to_label",
]
