"""Every check of the suite, in the order in which a connector is written."""

from landbridge.contract import _documents, _failing, _manners, _reading, _telling, _writing
from landbridge.contract._kit import ALL

PARTS = (_telling, _reading, _writing, _failing, _documents, _manners)
"""The modules of checks: importing one puts its checks into ALL."""

__all__ = ["ALL", "PARTS"]
