"""Who answers, by the declared call."""

from __future__ import annotations

from typing import Any

from connectors.declarative._block import Check
from connectors.declarative._errors import ErrorMap
from connectors.declarative._line import Line
from landbridge.connector import Identity
from landbridge.errors import Denied
from landbridge.net import origin
from landbridge.translator import Place


def asked_identity(line: Line, errors: ErrorMap, asked: Check | None, url: str) -> Identity:
    """The organisation that answers; Denied where our user lacks a right that is needed."""
    if asked is None:
        return Identity(origin(url))
    reply = line.send("GET", asked.path, errors)
    body = reply.json()
    body = body.get("d", body) if isinstance(body, dict) else body
    if missing := [each for each in asked.needs if each not in _rights(Place(str(asked.rights)).of(body))]:
        hint = "Give our user these rights, or take them out of `check.needs`."
        raise Denied(f"{line.system}: our user lacks {', '.join(missing)}.", hint=hint, sent=False)
    if asked.organisation is None:
        return Identity(origin(url))
    organisation = Place(asked.organisation).of(body)
    if not isinstance(organisation, (str, int)) or isinstance(organisation, bool) or not str(organisation):
        hint = "Look at `check.organisation`."
        raise Denied(f"{reply.what} did not say which organisation answers.", hint=hint, sent=False)
    user = Place(asked.user).of(body) if asked.user else None
    return Identity(str(organisation), user="" if user is None else str(user))


def _rights(found: Any) -> set[str]:
    if isinstance(found, str):
        return set(found.split())
    return {str(each) for each in found} if isinstance(found, list) else set()
