"""Supervision of child processes: started, watched, restarted, and stopped so that none is left behind."""

from landbridge.supervise._processes import Process, alive, current_folder, family, process, send, wait_gone, working_in
from landbridge.supervise._spawn import spawn

__all__ = ["Process", "alive", "current_folder", "family", "process", "send", "spawn", "wait_gone", "working_in"]
