"""The bench of the contract suite, which ships with the kernel."""

from landbridge.contract import KEPT_ALIVE, Bench, Side

__all__ = ["KEPT_ALIVE", "Bench", "Side"]
