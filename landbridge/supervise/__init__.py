"""Supervision of child processes: started, watched, restarted, and stopped so that none is left behind."""

from landbridge.supervise._child import Child, State, Status
from landbridge.supervise._ports import free_port, http_answers, port_is_free, wait_for_http
from landbridge.supervise._processes import (
    Process,
    alive,
    current_folder,
    family,
    process,
    processes,
    send,
    wait_gone,
    working_in,
)
from landbridge.supervise._spawn import spawn
from landbridge.supervise._supervisor import Supervisor

__all__ = [
    "Child",
    "Process",
    "State",
    "Status",
    "Supervisor",
    "alive",
    "current_folder",
    "family",
    "free_port",
    "http_answers",
    "port_is_free",
    "process",
    "processes",
    "send",
    "spawn",
    "wait_for_http",
    "wait_gone",
    "working_in",
]
