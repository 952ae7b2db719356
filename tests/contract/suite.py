"""The contract suite, which ships with the kernel so that connectors from elsewhere are held to it too."""

from landbridge.contract import ALL, Inbox, as_update, delivered, outcome_of

__all__ = ["ALL", "Inbox", "as_update", "delivered", "outcome_of"]
