"""Who sent a webhook: the ways in which senders prove themselves, and the check that believes nothing else.

Whatever is wrong with a proof, the answer is the same refusal; it says to nobody outside which part was wrong.
"""

from landbridge.signatures._models import Hmac, Proof, StandardWebhooks, Token, Webhook
from landbridge.signatures._request import Request
from landbridge.signatures._verify import Forged, Unready, admit, unready, verify

__all__ = [
    "Forged",
    "Hmac",
    "Proof",
    "Request",
    "StandardWebhooks",
    "Token",
    "Unready",
    "Webhook",
    "admit",
    "unready",
    "verify",
]
