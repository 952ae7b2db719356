"""Proofs of webhooks: each scheme's own rules, secrets that change, and comparisons that take the same time."""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from landbridge.connector import Registry
from landbridge.secrets import Secret
from landbridge.settings import Flow
from landbridge.settings._system import SystemEntry
from landbridge.signatures import (
    Forged,
    Hmac,
    Request,
    StandardWebhooks,
    Token,
    Unready,
    Webhook,
    admit,
    unready,
    verify,
)
from landbridge.strict import yaml

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
OLD, NEW = "the old key, of 32 bytes at least", "the new key, of 32 bytes at least"
BODY = b'{"a": 1}'


def plain(*keys: str) -> tuple[Secret, ...]:
    return tuple(Secret.plain(key) for key in keys)


def request(headers: dict[str, str] | None = None, body: bytes = BODY, **more: object) -> Request:
    return replace(Request(headers or {}, {}, body, "192.0.2.7", NOW), **more)  # type: ignore[arg-type]  # a test's own


def mac(key: str, text: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(key.encode(), text, algorithm).hexdigest()


def whsec(key: str) -> str:
    return "whsec_" + base64.b64encode(key.encode()).decode()


def standard(key: str, id_: str = "msg_1", stamp: str = STAMP, body: bytes = BODY) -> dict[str, str]:
    digest = hmac.new(key.encode(), f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def test_both_secrets_are_valid_while_they_change_and_neither_afterwards():
    both = Webhook(standard=StandardWebhooks(secrets=plain(whsec(NEW), whsec(OLD))))
    assert verify(both, request(standard(OLD))) == verify(both, request(standard(NEW))) == "msg_1"
    sent = standard(OLD)
    sent["webhook-signature"] += " " + standard(NEW)["webhook-signature"]  # the sender signs with both meanwhile
    after = Webhook(standard=StandardWebhooks(secrets=plain(whsec(NEW))))
    assert verify(after, request(sent)) == "msg_1"
    with pytest.raises(Forged):
        verify(after, request(standard(OLD)))


def test_a_secret_that_was_taken_away_already_does_not_shut_out_the_other(monkeypatch):
    monkeypatch.setenv("HOOK_NEW", whsec(NEW))
    monkeypatch.delenv("HOOK_OLD", raising=False)
    both = Webhook(standard=StandardWebhooks(secrets=(Secret("env:HOOK_NEW"), Secret("env:HOOK_OLD"))))
    assert verify(both, request(standard(NEW))) == "msg_1"
    assert ["HOOK_OLD" in why for why in unready(both)] == [True]
    monkeypatch.delenv("HOOK_NEW")
    with pytest.raises(Unready):
        verify(both, request(standard(NEW)))


@pytest.mark.parametrize(
    ("key", "why"),
    [("whsec_", "0 bytes"), ("whsec_c2hvcnQ=", "5 bytes"), ("whsec_not base64", "no secret of"), (whsec(NEW), "")],
)
def test_a_secret_that_can_be_tried_out_is_told_before_anything_is_served(key, why):
    found = unready(Webhook(standard=StandardWebhooks(secrets=plain(key))))
    assert why in "".join(found)
    assert bool(found) == bool(why)
    assert key not in "".join(found)


def test_a_short_key_and_a_short_token_are_told_too():
    assert unready(Webhook(hmac=Hmac(header="X-S", secrets=plain("short"))))
    assert unready(Webhook(token=Token(query="key", secrets=plain("0123456789abcde"))))
    assert not unready(Webhook(token=Token(query="key", secrets=plain("0123456789abcdef"))))


@pytest.mark.parametrize("stamp", [f"0{STAMP}", f" {STAMP}", f"+{STAMP}", f"{STAMP}.0", "1e9", "", "٠" * 10])
def test_a_moment_has_one_spelling(stamp):
    webhook = Webhook(standard=StandardWebhooks(secrets=plain(whsec(OLD))))
    with pytest.raises(Forged):
        verify(webhook, request({**standard(OLD), "webhook-timestamp": stamp}))


@pytest.mark.parametrize(("seconds", "good"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_the_tolerance_is_to_the_second_in_both_directions(seconds, good):
    webhook = Webhook(standard=StandardWebhooks(secrets=plain(whsec(OLD))))
    late = request(standard(OLD), received_at=NOW + timedelta(seconds=seconds))
    if good:
        assert verify(webhook, late) == "msg_1"
    else:
        with pytest.raises(Forged):
            verify(webhook, late)


@pytest.mark.parametrize(
    ("given", "good"),
    [
        (mac(OLD, BODY), True),
        (mac(OLD, BODY).upper(), True),
        (mac(OLD, BODY)[:-2], False),
        (mac(OLD, BODY)[:32] + " " + mac(OLD, BODY)[32:], False),
        (base64.b64encode(bytes.fromhex(mac(OLD, BODY))).decode(), False),
        ("", False),
        (mac(NEW, BODY), False),
    ],
)
def test_a_signature_in_hex_is_hex_and_whole(given, good):
    webhook = Webhook(hmac=Hmac(header="X-S", secrets=plain(OLD), prefix="sha256="))
    asked = request({"x-s": f"sha256={given}"})
    if good:
        verify(webhook, asked)
    else:
        with pytest.raises(Forged):
            verify(webhook, asked)


def test_an_id_that_is_not_signed_cannot_use_up_another_deliverys():
    webhook = Webhook(hmac=Hmac(header="X-S", secrets=plain(OLD), id="X-Id"))
    ids = {verify(webhook, request({"x-s": mac(OLD, body), "x-id": "7"}, body)) for body in (b"[1]", b"[2]", b"[1]")}
    assert len(ids) == 2, "a replayed body under the id of a delivery that is still to come would swallow that one"


def test_all_that_is_declared_must_hold_and_address_and_token_hold_before_the_body():
    webhook = Webhook(
        hmac=Hmac(header="X-S", secrets=plain(OLD)),
        token=Token(header="X-Token", secrets=plain(NEW)),
        addresses=("192.0.2.0/24", "2001:db8::/32"),  # type: ignore[arg-type]  # pydantic reads texts
    )
    good = request({"x-s": mac(OLD, BODY), "x-token": NEW})
    verify(webhook, good)
    verify(webhook, replace(good, address="::ffff:192.0.2.9"))
    verify(webhook, replace(good, address="2001:db8::1"))
    admit(webhook, replace(good, body=b""))
    for bad in (
        replace(good, address="192.0.3.1"), replace(good, address=""), replace(good, address="192.0.2.7:80"),
        replace(good, headers={"x-s": mac(OLD, BODY)}),
    ):  # fmt: skip
        for check in (admit, verify):
            with pytest.raises(Forged):
                check(webhook, bad)
    with pytest.raises(Forged):
        verify(webhook, replace(good, headers={"x-token": NEW}))


def test_an_address_alone_is_no_proof():
    with pytest.raises(ValidationError, match="an address alone is no proof"):
        Webhook(addresses=("192.0.2.0/24",))  # type: ignore[arg-type]  # pydantic reads texts


def test_a_secret_stands_in_no_refusal(monkeypatch):
    webhook = Webhook(standard=StandardWebhooks(secrets=plain(whsec(OLD))))
    with pytest.raises(Forged) as refused:
        verify(webhook, request(standard(NEW)))
    shown = f"{refused.value} {refused.value.why} {webhook!r} {request(standard(NEW))!r}"
    assert not any(word in shown for word in (OLD, NEW, whsec(OLD), "v1,"))


def test_the_examples_of_the_page_are_valid(root: Path):
    page = (root / "docs/webhooks.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    entry, extract = (yaml.load(block.encode(), file="docs/webhooks.md").value for block in blocks)
    system = SystemEntry.model_validate(entry["crm"])
    assert Webhook.model_validate(system.webhook).proofs
    Registry()[system.connector].config.model_validate(system.config)
    assert Flow.model_validate(
        {"flow": "orders", "summary": "A flow.", "owner": "x", **extract, "deliver": [{"to": "erp", "entity": "order"}]}
    ).extract.webhook


# -- comparisons take the same time whatever is given (W9) ------------------------

_PROOF = {"expected", "given", "ours", "theirs", "signatures", "mac", "token", "secret"}


def compared(text: str) -> list[int]:
    """The lines that compare a proof by anything but `hmac.compare_digest`."""
    found = []
    for node in ast.walk(ast.parse(text)):
        alike = isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.In | ast.NotIn)
        parts = [node.left, *node.comparators] if alike else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
            parts = list(node.args)
        names = {one.id for part in parts for one in ast.walk(part) if isinstance(one, ast.Name)}
        calls = {
            one.func.attr for part in parts for one in ast.walk(part)
            if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)
        }  # fmt: skip
        if names & _PROOF or calls & {"reveal", "digest", "hexdigest"}:
            found.append(node.lineno)
    return found


def test_proofs_are_compared_in_constant_time_only(root: Path):
    files = [*(root / "landbridge/signatures").glob("*.py"), *(root / "landbridge/webhook").glob("*.py")]
    text = (root / "landbridge/signatures/_verify.py").read_text(encoding="utf-8")
    assert text.count("hmac.compare_digest(") == 1
    assert {file.name: compared(file.read_text(encoding="utf-8")) for file in files} == {
        file.name: [] for file in files
    }


@pytest.mark.parametrize(
    "fault",
    ["found = ours == theirs", "if given in expected: pass", "ok = mac.digest() == x", "x = secret.reveal() != y"],
)
def test_a_comparison_that_tells_the_time_is_found(fault):
    assert compared(fault) == [1]
