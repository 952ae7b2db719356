"""Stewardship: what waits for a person, why the hub thinks so, and what the person decides; every act can be undone."""

from mdm.steward._desk import Desk, Preview
from mdm.steward._doubts import Doubt, Side, Waterfall, doubts, explain
from mdm.steward._labels import Label, label, next_to_label

__all__ = ["Desk", "Doubt", "Label", "Preview", "Side", "Waterfall", "doubts", "explain", "label", "next_to_label"]
