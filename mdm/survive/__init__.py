"""Survivorship: the golden values of a group of records, a pure function with its lineage."""

from mdm.survive._golden import Golden, Member, Pin, survive
from mdm.survive._lineage import Told, told
from mdm.survive._values import fingerprint, text_of

__all__ = ["Golden", "Member", "Pin", "Told", "fingerprint", "survive", "text_of", "told"]
