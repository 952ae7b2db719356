"""What goes wrong on the line, and whether the effect may stand all the same."""

from __future__ import annotations

import requests
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from landbridge.errors import Denied, Failure, OutcomeUnknown, Rejected, Unavailable
from landbridge.net._address import ForbiddenAddress

_LOOK_UP = "Looked up by our reference after the settle time."
_AGAIN = "Tried again by itself; look whether the system is up."


def failure_of(error: Exception, what: str, *, safe: bool) -> Failure:
    """The Failure that a broken request stands for; says nothing of what was in the request."""
    for cause in _causes(error):
        if isinstance(cause, ForbiddenAddress):
            return Denied(f"{what}: {cause}.", hint="Look at the name server and at `url`.", sent=False)
        if isinstance(cause, (NewConnectionError, requests.exceptions.ConnectTimeout)):
            return Unavailable(f"{what}: no connection.", hint=_AGAIN, sent=False)
    if isinstance(error, requests.exceptions.SSLError):
        hint = "Check the certificate; a private CA is named by `net.ca`."
        return Denied(f"{what}: the certificate of the system is not trusted.", hint=hint, sent=False)
    if isinstance(error, requests.exceptions.ProxyError):
        return Unavailable(f"{what}: the proxy did not connect.", hint="Look at `net.proxy`.", sent=False)
    if isinstance(error, (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, ValueError)):
        hint = "A header or address holds a line break or another illegal character; fix the mapping or the settings."
        return Rejected(f"{what}: the request cannot be written.", hint=hint, sent=False)
    timed_out = isinstance(error, (requests.exceptions.ReadTimeout, ReadTimeoutError))
    return cut(what, "no reply in time" if timed_out else "the line was cut", safe=safe)


def cut(what: str, happened: str, *, safe: bool) -> Failure:
    """The request went out and no whole reply came back."""
    if safe:
        return Unavailable(f"{what}: {happened}.", hint=_AGAIN)
    return OutcomeUnknown(f"{what}: {happened}; it may or may not have had its effect.", hint=_LOOK_UP)


def _causes(error: BaseException) -> list[BaseException]:
    """The error with everything inside it: requests and urllib3 wrap causes in arguments and in `reason`.

    Not `__context__`: that may be an earlier request's error, and would call a sent request unsent.
    """
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__]
    return found


LineErrors = (requests.exceptions.RequestException, HTTPError, OSError, ValueError)
