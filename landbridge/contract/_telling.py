"""What a connector tells of itself, and what it never tells: secrets."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from landbridge.contract._bench import Bench
from landbridge.contract._kit import contract
from landbridge.errors import Denied, LandbridgeError


@contract
def config_refuses_unknown_fields(bench: Bench) -> None:
    """A setting that does not exist is refused, and named."""
    raw = bench.raw_config()
    bench.registration.config.model_validate(raw)
    with pytest.raises(ValidationError, match="nonsense"):
        bench.registration.config.model_validate({**raw, "nonsense": 1})


@contract
def every_config_field_has_description_and_example(bench: Bench) -> None:
    """Every setting says what it is and shows a value."""
    for name, field in bench.registration.config.model_fields.items():
        assert field.description, f"{name} has no description"
        assert field.examples, f"{name} has no example"


@contract
def secret_never_in_repr_log_or_error(bench: Bench) -> None:
    """No secret in any representation, log line or error, even where the product sends it back."""
    seen: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(self.format(record) + repr(record.args))

    root, handler, level = logging.getLogger(), Collect(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        for secret in bench.secrets():
            assert len(secret) >= 8, "a canary must be long enough to be found"
            body = {"error": f"bad {secret}", "error_description": f"you sent {secret}", "message": f"not {secret}"}
            bench.fault("login", "reply", status=400, body=body, times=1)
            connector = bench.connector()
            seen.append(f"{connector!r} {connector} {connector.config!r} {connector.http!r}")
            seen.append(connector.config.model_dump_json())
            _collect(seen, connector.check)
            bench.clear_faults()
            connector.check()
            bench.fault("write", "reply", status=400, body=body, times=None)
            _collect(seen, partial(connector.write, bench.target, [bench.write("canary")]))
            bench.clear_faults()
            with pytest.raises(ValidationError) as caught:
                type(connector.config).model_validate({**bench.raw_config(), "nonsense": secret})
            seen.append(str(caught.value))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert seen
    for secret in bench.secrets():
        assert all(secret not in text for text in seen), "a secret was printed"


def _collect(seen: list[str], call: Callable[[], Any]) -> None:
    try:
        seen.append(repr(call()))
    except LandbridgeError as error:
        seen.append("".join(traceback.format_exception(error)) + repr(vars(error)))


@contract
def check_says_who_answers(bench: Bench) -> None:
    """`check` tells the organisation, the same each time."""
    identity = bench.connector().check()
    assert identity.organisation
    assert bench.connector().check().organisation == identity.organisation


@contract
def check_says_which_right_is_missing(bench: Bench) -> None:
    """`check` is Denied and names the right that is missing."""
    expected = bench.take_right()
    with pytest.raises(Denied) as caught:
        bench.connector().check()
    assert expected in caught.value.message
    assert caught.value.hint


@contract
def describe_knows_types_and_lengths(bench: Bench) -> None:
    """`describe` tells types, lengths and which fields are required."""
    fields = bench.connector().describe(bench.target).fields
    assert bench.text_field in fields
    assert fields[bench.text_field].type == "string"
    assert fields[bench.text_field].length
    assert any(field.required for field in fields.values())


@contract
def every_entity_is_declared_soundly(bench: Bench) -> None:
    """Names are lower case; each entity can be read or created; batch and settle are positive."""
    for name, entity in bench.registration.connector.entities.items():
        assert name.islower()
        assert entity.batch >= 1
        assert entity.settle > timedelta(0)
        assert entity.native or entity.create, f"{name} can neither be read nor written"
