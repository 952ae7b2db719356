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

from landbridge.errors import Denied
from landbridge.secrets import Secret
from landbridge.signatures._models import Hmac, Proof, StandardWebhooks, Token, Webhook, tolerance
from landbridge.signatures._request import Request

_SECONDS = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)  # not " 1", "+1", "01", "1e0": one spelling of one moment
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){1,128}", re.ASCII)
_SHORTEST = 16  # bytes of a secret: what is shorter can be tried out
_ID = re.compile(r"[!-~]{1,256}", re.ASCII)
_MOST_SIGNATURES = 10


class Forged(Exception):
    """The request does not prove who sent it; `why` is for our own log and never for the sender."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Unready(Exception):
    """We cannot check anybody's proof: a secret of ours is missing. `why` is for our own log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def admit(webhook: Webhook, request: Request) -> None:
    """What needs no body: the address and the token, so that a stranger's body is not even read; raises as `verify`."""
    if webhook.addresses:
        _from(webhook, request.address)
    for proof in webhook.proofs:
        if isinstance(proof, Token):
            _checked(proof, request)


def verify(webhook: Webhook, request: Request) -> str | None:
    """The delivery's id where the sender names one (None where not); raises Forged or Unready and nothing else."""
    if webhook.addresses:
        _from(webhook, request.address)
    found: str | None = None
    for proof in webhook.proofs:
        found = _checked(proof, request) or found
    return found


def _checked(proof: Proof, request: Request) -> str | None:
    try:
        return _CHECKS[type(proof)](proof, request)
    except (Forged, Unready):
        raise
    except Exception as error:  # noqa: BLE001 - bytes of strangers: whatever they break here is a refusal
        raise Forged(type(error).__name__) from None


def unready(webhook: Webhook) -> list[str]:
    """Why proofs could not be checked, or could be guessed: secrets that are missing, unreadable or too short."""
    return [why for proof in webhook.proofs for secret in proof.secrets if (why := _wrong(proof, secret))]


def _wrong(proof: Proof, secret: Secret) -> str | None:
    if why := secret.missing():
        return why
    text = secret.reveal()
    if isinstance(proof, StandardWebhooks):
        try:
            key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except ValueError:
            return f"{secret.reference} is no secret of Standard Webhooks (whsec_ and base64)."
    else:
        key = text.encode()
    if len(key) < _SHORTEST:
        return f"{secret.reference} has {len(key)} bytes; a secret of less than {_SHORTEST} can be tried out."
    return None


def _revealed(proof: Proof) -> list[str]:
    """The secrets that can be opened: one that was taken away already must not shut out the other."""
    found, why = [], ""
    for secret in proof.secrets:
        try:
            found.append(secret.reveal())
        except Denied as error:
            why = error.message
    if not found:
        raise Unready(why)
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
        base64.b64decode(Standard(secret).sign(id_, moment, body).partition(",")[2]) for secret in _revealed(proof)
    ]
    _matching(expected, signatures)
    return id_


def _hmac(proof: Proof, request: Request) -> str | None:
    assert isinstance(proof, Hmac)
    text = _one(request, proof.header.lower())
    if not text.startswith(proof.prefix):
        raise Forged("prefix")
    text = text[len(proof.prefix) :]
    given = _unhexed(text) if proof.encoding == "hex" else _decoded(text)
    signed = request.body
    if proof.timestamp is not None:
        stamp = _one(request, proof.timestamp.lower())
        _moment(stamp, proof, request)
        signed = stamp.encode() + b"." + signed
    expected = [_mac(secret, signed, proof.algorithm) for secret in _revealed(proof)]
    _matching(expected, [given])
    if proof.id is None:
        return None
    # The id is not signed: with the content, so that nobody can use up the id of another delivery.
    return f"{_one(request, proof.id.lower())[:256]}:{hashlib.sha256(request.body).hexdigest()[:32]}"


def _token(proof: Proof, request: Request) -> None:
    assert isinstance(proof, Token)
    place = request.headers if proof.header is not None else request.query
    given = place.get((proof.header or "").lower() or proof.query or "", "")
    _matching([_hashed(secret) for secret in _revealed(proof)], [_hashed(given)])


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


def _mac(secret: str, signed: bytes, algorithm: str) -> bytes:
    return hmac.new(secret.encode(), signed, algorithm).digest()


def _hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()  # of one length, whatever was given


def _unhexed(text: str) -> bytes:
    if not _HEX.fullmatch(text):
        raise Forged("encoding")
    return bytes.fromhex(text)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Forged("encoding") from None
