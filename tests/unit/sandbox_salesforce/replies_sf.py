"""What several tests of the Salesforce sandbox ask of a reply."""

from __future__ import annotations

import requests


def code_of(reply: requests.Response) -> str:
    """The errorCode of a refusal; fails where the reply is none."""
    assert reply.status_code >= 400, reply.text
    code: str = reply.json()[0]["errorCode"]
    return code
