"""What every vendor sandbox stands on: a server, state on disk, an injected clock and faults on request."""

from sandbox._base.clock import Clock
from sandbox._base.control import Inspect, with_sandbox
from sandbox._base.faults import Fault, Faults, Hooks, Match, Reply, arrived, deferred, passed_fault
from sandbox._base.server import Served, main_args, run_main, serve
from sandbox._base.state import Collection, Document, State
from sandbox._base.tls import self_signed

__all__ = [
    "Clock",
    "Collection",
    "Document",
    "Fault",
    "Faults",
    "Hooks",
    "Inspect",
    "Match",
    "Reply",
    "Served",
    "State",
    "arrived",
    "deferred",
    "main_args",
    "passed_fault",
    "run_main",
    "self_signed",
    "serve",
    "with_sandbox",
]
