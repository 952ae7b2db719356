"""The check of a webhook's proofs: constant time, one answer for everything that is wrong."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from datetime import UTC, datetime
from ipaddress import ip_address

from standardwebhooks import Webhook as Standard

from landbridge.secrets import Secret
from landbridge.signatures._models import Hmac, Proof, StandardWebhooks, Token, Webhook, tolerance
from landbridge.signatures._request import Request

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)  # not " 1", "+1", "1e0": one spelling of one moment
_ID = re.compile(r"[!-~]{1,256}", re.ASCII)
_MOST_SIGNATURES = 10


class Forged(Exception):
    """The request does not prove who sent it; `why` is for our own log and never for the sender."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def verify(webhook: Webhook, request: Request) -> str | None:
    """The delivery's id where the sender signs one (None where not); raises Forged and nothing else."""
    if webhook.addresses:
        _from(webhook, request.address)
    found: str | None = None
    for proof in webhook.proofs:
        try:
            found = _CHECKS[type(proof)](proof, request) or found
        except Forged:
            raise
        except Exception as error:  # noqa: BLE001 - bytes of strangers: whatever they break here is a refusal
            raise Forged(type(error).__name__) from None
    return found


def _from(webhook: Webhook, address: str) -> None:
    try:
        there = ip_address(address)
    except ValueError:
        raise Forged("no address") from None
    mapped = getattr(there, "ipv4_mapped", None) or there
    if not any(mapped.version == network.version and mapped in network for network in webhook.addresses):
        raise Forged("address")


def _standard(proof: Proof, request: Request) -> str:
    assert isinstance(proof, StandardWebhooks)
    id_ = _one(request, "webhook-id")
    if not _ID.fullmatch(id_):
        raise Forged("id")
    moment = _moment(_one(request, "webhook-timestamp"), proof, request)
    given = [part.partition(",") for part in _one(request, "webhook-signature").split(" ")[:_MOST_SIGNATURES]]
    signatures = [_decoded(text) for version, _, text in given if version == "v1"]
    body = request.body.decode("utf-8")
    expected = [
        base64.b64decode(Standard(secret.reveal()).sign(id_, moment, body).partition(",")[2])
        for secret in proof.secrets
    ]
    _matching(expected, signatures)
    return id_


def _hmac(proof: Proof, request: Request) -> str | None:
    assert isinstance(proof, Hmac)
    text = _one(request, proof.header.lower())
    if not text.startswith(proof.prefix):
        raise Forged("prefix")
    text = text[len(proof.prefix) :]
    given = bytes.fromhex(text) if proof.encoding == "hex" and " " not in text else _decoded(text)
    signed = request.body
    if proof.timestamp is not None:
        stamp = _one(request, proof.timestamp.lower())
        _moment(stamp, proof, request)
        signed = stamp.encode() + b"." + signed
    expected = [_mac(secret, signed, proof.algorithm) for secret in proof.secrets]
    _matching(expected, [given])
    return None if proof.id is None else _one(request, proof.id.lower())[:256]


def _token(proof: Proof, request: Request) -> None:
    assert isinstance(proof, Token)
    place = request.headers if proof.header is not None else request.query
    given = place.get((proof.header or "").lower() or proof.query or "", "")
    _matching([_hashed(secret.reveal()) for secret in proof.secrets], [_hashed(given)])


_CHECKS = {StandardWebhooks: _standard, Hmac: _hmac, Token: _token}


def _one(request: Request, name: str) -> str:
    found = request.headers.get(name)
    if not found:
        raise Forged(f"no {name}")
    return found


def _moment(text: str, proof: StandardWebhooks | Hmac, request: Request) -> datetime:
    if not _SECONDS.fullmatch(text):
        raise Forged("time stamp")
    moment = datetime.fromtimestamp(int(text), UTC)
    if abs(request.received_at - moment) > tolerance(proof):
        raise Forged("time stamp out of tolerance")
    return moment


def _matching(expected: list[bytes], given: list[bytes]) -> None:
    """Whether one of ours is one of theirs; every pair is compared, so that time tells nothing."""
    found = False
    for ours in expected:
        for theirs in given:
            found |= hmac.compare_digest(ours, theirs)
    if not found:
        raise Forged("signature")


def _mac(secret: Secret, signed: bytes, algorithm: str) -> bytes:
    return hmac.new(secret.reveal().encode(), signed, algorithm).digest()


def _hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()  # of one length, whatever was given


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Forged("encoding") from None
