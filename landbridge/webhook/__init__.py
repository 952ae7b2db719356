"""The webhook endpoint: systems tell what changed, and hear 2xx once it is kept and not before.

`application` makes the ASGI application of an installation, `serve` runs it, `unready` says what keeps it from
verifying anybody. A request is read within limits, verified
(`landbridge.signatures`), parsed by the system's connector, and committed together with what other requests brought at
the same moment: one transaction, one wait for the disk. `body_of`, `Room` and `Limited` hold any other endpoint of
ours to the same limits.
"""

from landbridge.webhook._app import application
from landbridge.webhook._body import Refused, Room, body_of
from landbridge.webhook._openapi import openapi
from landbridge.webhook._protocol import Limited
from landbridge.webhook._serve import serve, unready

__all__ = ["Limited", "Refused", "Room", "application", "body_of", "openapi", "serve", "unready"]
