"""Forged webhooks without end: what was signed is altered in one place, and nothing of it may be believed.

`hostile_webhooks(seed)` is the long form at library level: it gives the figures that `make faults` prints.
"""

from __future__ import annotations

import base64
import hmac
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from landbridge.secrets import Secret
from landbridge.signatures import Forged, Hmac, Request, StandardWebhooks, Token, Webhook, verify

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
KEY = "c4n4ry-key-that-is-32-bytes-long!"
WHSEC = "whsec_" + base64.b64encode(KEY.encode()).decode()
_STAMP = str(int(NOW.timestamp()))
_BODY = b'[{"entity": "customer", "key": "C1", "body": {"name": "Alfreds", "credit": 1000}, "stamp": "1"}]'


@dataclass(frozen=True)
class Sender:
    """A way to prove oneself, and a request that proves it; `signed` are the headers of which each byte counts."""

    name: str
    webhook: Webhook
    request: Request
    signed: tuple[str, ...]
    body_is_signed: bool = True


def senders() -> list[Sender]:
    """One per proof."""

    def request(headers: dict[str, str], query: dict[str, str] | None = None) -> Request:
        return Request({"content-type": "application/json", **headers}, query or {}, _BODY, "192.0.2.7", NOW)

    def mac(text: bytes, algorithm: str = "sha256") -> hmac.HMAC:
        return hmac.new(KEY.encode(), text, algorithm)

    plain = Secret.plain(KEY)
    standard = base64.b64encode(mac(f"msg_1.{_STAMP}.".encode() + _BODY).digest()).decode()
    stamped = mac(_STAMP.encode() + b"." + _BODY, "sha512")
    return [
        Sender(
            "standard",
            Webhook(standard=StandardWebhooks(secrets=(Secret.plain(WHSEC),))),
            request({"webhook-id": "msg_1", "webhook-timestamp": _STAMP, "webhook-signature": f"v1,{standard}"}),
            ("webhook-id", "webhook-timestamp", "webhook-signature"),
        ),
        Sender(
            "hmac",
            Webhook(hmac=Hmac(header="X-Signature", prefix="sha256=", secrets=(plain,))),
            request({"x-signature": f"sha256={mac(_BODY).hexdigest()}"}),
            ("x-signature",),
        ),
        Sender(
            "stamped",
            Webhook(
                hmac=Hmac(
                    header="X-Signature", secrets=(plain,), algorithm="sha512", encoding="base64", timestamp="X-Time"
                )
            ),
            request({"x-signature": base64.b64encode(stamped.digest()).decode(), "x-time": _STAMP}),
            ("x-signature", "x-time"),
        ),
        Sender("token", Webhook(token=Token(query="key", secrets=(plain,))), request({}, {"key": KEY}), (), False),
    ]


def mutant(sender: Sender, dice: random.Random) -> Request:
    """The request, altered in one or several places that its proof covers."""
    request = sender.request
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        request = _altered(sender, request, dice)
    return request


def _altered(sender: Sender, request: Request, dice: random.Random) -> Request:
    if not sender.body_is_signed:
        return replace(request, query=dice.choice(({"key": _text(dice, KEY)}, {}, {"Key": KEY}, {"key": ""})))
    what = dice.randrange(10)
    if what < 4:
        return replace(request, body=_bytes(dice, request.body))
    headers = dict(request.headers)
    name = dice.choice(sender.signed)
    if what < 8 and name in headers:
        headers[name] = _text(dice, headers[name])
    elif what == 8:
        headers.pop(name, None)
    else:
        headers[name] = dice.choice(_ODD)
    return replace(request, headers=headers)


_ODD = (
    "", " ", "v1,", "v1", ",", "v2,aaaa", "v1a," + "A" * 44, "v1," + "A" * 4000, "v1,\u00e4" * 3, "\x00", "0", "-1",
    "1e9", "9" * 30, "+" + _STAMP, " " + _STAMP, "0" + _STAMP, _STAMP + ".0", "\u0661" * 10, "v1," * 5000, "sha256=",
    "sha256=" + "0" * 64, "null", "None", "v1,====", "v1,\ud800", "nan", "inf", _STAMP + "\n", "msg_1\n", "msg_1 ",
)  # fmt: skip


def _bytes(dice: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    what = dice.randrange(5)
    at = dice.randrange(len(changed)) if changed else 0
    if what == 0 and changed:
        changed[at] ^= 1 << dice.randrange(8)
    elif what == 1:
        changed[at:at] = dice.randbytes(dice.randrange(1, 9))
    elif what == 2:
        del changed[at : at + dice.randrange(1, 9)]
    elif what == 3:
        changed += b" "
    else:
        return dice.randbytes(dice.randrange(200))
    return bytes(changed)


def _text(dice: random.Random, text: str) -> str:
    what = dice.randrange(6)
    at = dice.randrange(len(text)) if text else 0
    if what == 0:
        return text[:at] + dice.choice("ABCDabcd0123+/=, .\u00e9\x7f") + text[at + 1 :]
    if what == 1:
        return text[:at]
    if what == 2:
        return text + dice.choice((" ", "=", "A", ",", " v1,AAAA", "\x00"))
    if what == 3:
        return text[:at] + text[at:].swapcase()
    if what == 4:
        return " " + text
    return str(int(text) + dice.choice((-1, 1, 300, -301, 10**6))) if text.isdigit() else text[::-1]


def same(sender: Sender, request: Request) -> bool:
    """Whether a mutant says the same in another spelling: then it proves what the sender proved."""
    original = sender.request
    if not sender.body_is_signed:
        return request.query.get("key") == KEY
    if request.body != original.body:
        return False
    return all(_meaning(request.headers.get(n, "")) == _meaning(original.headers[n]) for n in sender.signed)


def _meaning(text: str) -> Any:
    """What a header says: the signatures that a list holds, or the text itself."""
    if text.startswith("sha256="):
        return text[7:].lower()  # hex has two spellings of a byte
    found = set()
    for part in text.split(" ")[:10]:
        version, _, given = part.partition(",")
        try:
            packed = given if version == "v1" else part
            if len(packed) > 40:
                found.add(base64.b64decode(packed, validate=True))  # base64 has four spellings of its last byte
        except ValueError:
            continue
    ours = {one for one in found if len(one) in (32, 64)}
    return ("signatures", sorted(ours)[0]) if len(ours) == 1 else text


FULL = {"forgeries": 1_000_000}
"""How many the whole run makes."""


def hostile_webhooks(
    seed: int, budget: float | None = None, numbers: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """The whole run, or what of it fits into `budget` (seconds); the counts, as `make faults` prints them."""
    return forge((numbers or FULL)["forgeries"], seed, seconds=budget)


def forge(count: int, seed: int, *, seconds: float | None = None) -> dict[str, Any]:
    """So many forged requests at library level: how many were believed, and what left as anything but a refusal."""
    dice = random.Random(seed)
    everybody = senders()
    for sender in everybody:
        verify(sender.webhook, sender.request)  # a check that refuses everything would forge nothing
    accepted: list[str] = []
    broken: list[str] = []
    tried, began = 0, time.monotonic()
    for request, sender in _requests(everybody, dice):
        if tried >= count or (seconds is not None and tried % 1000 == 0 and time.monotonic() - began > seconds):
            break
        tried += 1
        try:
            verify(sender.webhook, request)
        except Forged:
            continue
        except Exception as error:  # noqa: BLE001 - that anything else leaves is what is looked for
            broken.append(f"{sender.name}: {type(error).__name__}")
            continue
        accepted.append(f"{sender.name}: {dict(request.headers)} {request.query} {request.body!r}")
    return {
        "forgeries": tried, "forged_accepted": len(accepted), "bad_input_5xx": len(broken), "seed": seed,
        "examples": (accepted + broken)[:5],
    }  # fmt: skip


def _requests(everybody: list[Sender], dice: random.Random) -> Iterator[tuple[Request, Sender]]:
    while True:
        sender = dice.choice(everybody)
        request = mutant(sender, dice)
        if dice.random() < 0.02:  # word for word, and too late or too early
            seconds = dice.choice((301, 302, 900, 10**7))
            late = replace(sender.request, received_at=NOW + timedelta(seconds=dice.choice((-1, 1)) * seconds))
            if "timestamp" in " ".join(sender.signed) or "x-time" in sender.signed:
                yield late, sender
                continue
        if not same(sender, request):
            yield request, sender
