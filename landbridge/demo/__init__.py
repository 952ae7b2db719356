"""`make demo`: a company's CRM and ERP on this machine, integrated before your eyes by the flows of this project."""

from landbridge.demo._systems import systems
from landbridge.demo._tour import Tour, run

__all__ = ["Tour", "run", "systems"]
