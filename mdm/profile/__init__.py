"""A first declaration for records never seen, from what their columns hold; nothing of any truth is used."""

from mdm.profile._kinds import Seen, seen
from mdm.profile._profile import Proposal, propose

__all__ = ["Proposal", "Seen", "propose", "seen"]
