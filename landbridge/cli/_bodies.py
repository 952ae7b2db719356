"""What a record looked like before and after each step: native, canonical, and as it was written, masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landbridge.cli._personal import MASK, masked_native, personal_fields, plain

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from landbridge.installation import Installation


def with_bodies(
    installation: Installation, connection: Connection, found: dict[str, Any], *, show_personal: bool
) -> dict[str, Any]:
    """A journey with the bodies of its messages and of what its rows wrote last, where they are still kept."""
    from landbridge.store import operate

    steps = {step.message_id: step for step in found["journey"]}
    rows = {step.outbox_id: step for step in found["journey"] if step.outbox_id is not None}
    kept = operate.bodies(connection, list(steps))
    messages: dict[int, dict[str, Any]] = {}
    for (message, kind), body in kept.items():
        step = steps[message]
        shown = body
        if not show_personal and kind == "native":
            shown = masked_native(installation, step.source, step.entity, body)
        elif not show_personal:
            shown = installation.canonical.mask(step.entity, body)
        messages.setdefault(message, {})[kind] = shown
    written: dict[int, dict[str, Any]] = {}
    for one in operate.sent(connection, list(rows)):
        step = rows[one.outbox_id]
        body = _flat(one.content or {})
        if not show_personal:
            body = _masked(installation, step, body, kept.get((step.message_id, "canonical")) or {})
        written[one.outbox_id] = {"at": one.at, "attempt": one.number, "written": body}
    return found | {"bodies": {"messages": messages, "rows": written}}


def _flat(content: dict[str, Any]) -> dict[str, Any]:
    found = dict(content.get("header") or {})
    for key, line in (content.get("lines") or {}).items():
        found |= {f"line {key}: {name}": value for name, value in line.items()}
    return found


def _masked(installation: Installation, step: Any, body: dict[str, Any], canonical: dict[str, Any]) -> dict[str, Any]:
    flow = installation.settings.flows.get(step.flow)
    route = next((one for one in flow.deliver if flow.route_key(one) == step.route), None) if flow else None
    hidden = None
    if route is not None:
        hidden = personal_fields(installation, route.to, route.entity, canonical, creating=True)

    def is_hidden(name: str) -> bool:
        inner = plain(name.partition(": ")[2] or name)
        return hidden is None or any(
            one == inner or one.startswith(f"{inner}.") or one.endswith(f".{inner}") for one in hidden
        )

    return {name: MASK if value is not None and is_hidden(name) else value for name, value in body.items()}
