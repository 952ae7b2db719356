"""What the endpoint offers, as an OpenAPI 3.1 document made from the systems that have webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landbridge.settings import System
from landbridge.signatures import Hmac, Proof, StandardWebhooks, Token

_PROBLEM = {
    "type": "object",
    "required": ["type", "status", "title", "instance"],
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "title": {"type": "string"},
        "instance": {"type": "string", "description": "The id under which our log has more."},
    },
}
_ANSWERS = {
    "400": "It cannot be read.",
    "401": "It is not proven who sent this.",
    "408": "The body came too slowly.",
    "413": "The body is too long, or tells too much.",
    "415": "The content encoding is not read.",
    "422": "It tells nothing that is taken here.",
    "429": "More comes in than can be kept; Retry-After says when to come back.",
    "503": "It could not be kept, or read, for now; Retry-After says when to come back.",
}


def openapi(systems: Mapping[str, System]) -> dict[str, Any]:
    """The document; every system with a webhook is a path of its own, with its proofs as security schemes."""
    schemes: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for name, system in sorted(systems.items()):
        if system.webhook is None:
            continue
        needed: dict[str, list[str]] = {}
        for proof in system.webhook.proofs:
            scheme = f"{name}_{type(proof).__name__}"
            schemes[scheme] = _scheme(proof)
            needed[scheme] = []
        paths[f"/hooks/{name}"] = {"post": _operation(name, needed), "options": _hand_shake(name)}
    paths["/health"] = {"get": {"summary": "Whether it is well.", "responses": {"200": _content("It is.", {})}}}
    figures = {"description": "Metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    paths["/metrics"] = {"get": {"summary": "Figures as Prometheus reads them.", "responses": {"200": figures}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Landbridge webhooks", "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": schemes, "schemas": {"Problem": _PROBLEM}},
    }


def _operation(name: str, needed: dict[str, list[str]]) -> dict[str, Any]:
    problem = {"$ref": "#/components/schemas/Problem"}
    return {
        "operationId": f"hook_{name}",
        "summary": f"What changed in {name}.",
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {}} for kind in ("application/json", "text/xml", "application/xml")},
        },
        "responses": {
            "200": {"description": "Kept; the body is what this sender wants to hear."},
            "202": {"description": "Kept."},
            **{
                code: {"description": text, "content": {"application/problem+json": {"schema": problem}}}
                for code, text in _ANSWERS.items()
            },
        },
        "security": [needed],
    }


def _hand_shake(name: str) -> dict[str, Any]:
    return {
        "operationId": f"allow_{name}",
        "summary": "Whether webhooks are taken here, for senders that ask first (CloudEvents web hooks).",
        "parameters": [
            {"name": "WebHook-Request-Origin", "in": "header", "required": False, "schema": {"type": "string"}}
        ],
        "responses": {"200": {"description": "They are; WebHook-Allowed-Origin repeats who asked."}},
    }


def _scheme(proof: Proof) -> dict[str, Any]:
    if isinstance(proof, StandardWebhooks):
        text = "Standard Webhooks 1.0.0."
        return {"type": "apiKey", "in": "header", "name": "webhook-signature", "description": text}
    if isinstance(proof, Hmac):
        return {"type": "apiKey", "in": "header", "name": proof.header, "description": f"HMAC, {proof.algorithm}."}
    assert isinstance(proof, Token)
    place = "header" if proof.header else "query"
    return {"type": "apiKey", "in": place, "name": proof.header or proof.query, "description": "A shared token."}


def _content(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}
