"""Schema drift: what systems say of their fields against what the mappings use.

`check` asks every system, `settle` compares answers that were asked already; `used` says which mapping lines and which
routes use a field.
"""

from landbridge.drift._check import Answer, Report, ask, check, settle
from landbridge.drift._compare import Change
from landbridge.drift._uses import Use, Used, fed, used

__all__ = ["Answer", "Change", "Report", "Use", "Used", "ask", "check", "fed", "settle", "used"]
