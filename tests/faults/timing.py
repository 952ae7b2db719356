"""Whether the time that a refusal takes tells where a forged signature is wrong: Welch's t over many refusals.

Two kinds of forgery in random turn: wrong in the first byte of the proof, and wrong in its last. Who compares byte by
byte and stops at the first that differs takes longer for the second; |t| beyond 4.5 says that it can be measured.
"""

from __future__ import annotations

import base64
import gc
import random
from contextlib import suppress
from dataclasses import replace
from math import sqrt
from time import perf_counter_ns
from typing import Any

from hostile_webhooks import KEY, Sender, senders

from landbridge.signatures import Forged, Request, verify

LEAKS = 4.5
"""The |t| of ISO/IEC 17825 and of dudect; by chance it is beyond it once in 150,000 times."""
ROUND = 500
"""How many forgeries are made before the clock runs over them."""


def forged(sender: Sender, place: int, dice: random.Random) -> Request:
    """The genuine request with the byte at this place of its proof altered, by the dice."""
    if not sender.body_is_signed:
        return replace(sender.request, query={"key": _altered(KEY.encode(), place, 1).decode("latin-1")})
    name = sender.signed[-1] if sender.name == "standard" else sender.signed[0]
    text, by = sender.request.headers[name], dice.randrange(1, 256)
    if text.startswith("sha256="):
        return _with(sender, name, "sha256=" + _altered(bytes.fromhex(text[7:]), place, by).hex())
    prefix, text = ("v1,", text[3:]) if text.startswith("v1,") else ("", text)
    return _with(sender, name, prefix + base64.b64encode(_altered(base64.b64decode(text), place, by)).decode())


def _altered(proof: bytes, place: int, by: int) -> bytes:
    changed = bytearray(proof)
    changed[place] ^= by
    return bytes(changed)


def _with(sender: Sender, name: str, value: str) -> Request:
    return replace(sender.request, headers={**sender.request.headers, name: value})


def welch(sender: Sender, number: int, seed: int) -> float:
    """|t| between the times of so many refusals of both kinds; the slowest tenth is left out, as what disturbs is."""
    dice = random.Random(f"{seed} {sender.name}")
    times: list[list[int]] = [[], []]
    for _ in range(number // ROUND):
        kinds = [dice.getrandbits(1) for _ in range(ROUND)]
        # each used once, and made in the order of its use: where it lies in memory tells nothing of its kind
        requests = [forged(sender, -kind, dice) for kind in kinds]
        gc.disable()
        try:
            for kind, request in zip(kinds, requests, strict=True):
                began = perf_counter_ns()
                with suppress(Forged):
                    verify(sender.webhook, request)
                times[kind].append(perf_counter_ns() - began)
        finally:
            gc.enable()
    most = sorted(times[0] + times[1])[int(sum(map(len, times)) * 0.9)]
    kept = [[float(one) for one in kind if one <= most] for kind in times]
    means = [sum(kind) / len(kind) for kind in kept]
    spreads = [sum((x - mean) ** 2 for x in kind) / (len(kind) - 1) for kind, mean in zip(kept, means, strict=True)]
    return abs(means[0] - means[1]) / sqrt(sum(spread / len(kind) for spread, kind in zip(spreads, kept, strict=True)))


def measure_timing(number: int, seed: int) -> dict[str, Any]:
    """So many verifications, shared by every kind of proof; the greatest |t|, and how many are beyond the limit."""
    everybody = senders()
    found = {sender.name: welch(sender, number // len(everybody), seed) for sender in everybody}
    leaks = [name for name, t in found.items() if t >= LEAKS]
    told: dict[str, Any] = {"timed_verifications": number, "longest_timing_t": round(max(found.values()), 2)}
    told["timing_leaks"] = len(leaks)
    return told | ({"wrongs": [f"timing, seed {seed}: {found}"]} if leaks else {})
