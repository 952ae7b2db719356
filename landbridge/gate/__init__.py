"""The quality gate: great-expectations over what waits for a flow, before it is processed.

`look` is called between extract and process: it keeps each rule's result with a page for people, hands processing what
is wrong with single messages, and pauses a flow that asks for it. great-expectations is imported only where something
waits, and here alone.
"""

from landbridge.gate._look import Looked, look, page_path, standing

__all__ = ["Looked", "look", "page_path", "standing"]
