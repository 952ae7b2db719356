"""A secret is opened late, rotates live, and is never printed."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import sys
import traceback
import types

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from landbridge import secrets
from landbridge.errors import Denied
from landbridge.secrets import MASK, Secret, remember, scrub

CANARY = "c4n4ry-77aa01"


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    password: Secret


def test_an_environment_variable_is_read_when_it_is_needed(monkeypatch):
    secret = Config.model_validate({"password": "env:ERP_PW"}).password
    monkeypatch.setenv("ERP_PW", "one")
    assert secret.reveal() == "one"
    monkeypatch.setenv("ERP_PW", "two")
    assert secret.reveal() == "two", "a rotated secret is used at once"


def test_the_mounted_secret_stands_in_for_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("ERP_PW", raising=False)
    monkeypatch.setattr(secrets, "RUN_SECRETS", tmp_path)
    (tmp_path / "erp_pw").write_text("mounted\n")
    assert Secret("env:ERP_PW").reveal() == "mounted"


def test_a_file_loses_only_the_line_break_at_its_end(tmp_path):
    path = tmp_path / "key.pem"
    path.write_text(" a\nb \n")
    assert Secret(f"file:{path}").reveal() == " a\nb "


def test_an_airflow_connection_is_asked_only_when_named(monkeypatch):
    class Hook:
        @staticmethod
        def get_connection(name):
            assert name == "crm-prod"
            return types.SimpleNamespace(password="pw", login="me", extra_dejson={"private_key": "PEM"})

    monkeypatch.setitem(sys.modules, "airflow.sdk", types.SimpleNamespace(BaseHook=Hook))
    assert Secret("airflow:crm-prod").reveal() == "pw"
    assert Secret("airflow:crm-prod/login").reveal() == "me"
    assert Secret("airflow:crm-prod/private_key").reveal() == "PEM"
    with pytest.raises(Denied, match="Airflow connection crm-prod, nothing"):
        Secret("airflow:crm-prod/nothing").reveal()


def test_what_airflow_raises_does_not_get_out(monkeypatch):
    class Hook:
        @staticmethod
        def get_connection(name):
            raise RuntimeError(f"cannot parse {CANARY}")

    monkeypatch.setitem(sys.modules, "airflow.sdk", types.SimpleNamespace(BaseHook=Hook))
    with pytest.raises(Denied) as caught:
        Secret("airflow:crm").reveal()
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_the_error_lists_everything_that_was_tried(monkeypatch, tmp_path):
    monkeypatch.delenv("ERP_PW", raising=False)
    monkeypatch.setattr(secrets, "RUN_SECRETS", tmp_path)
    with pytest.raises(Denied) as caught:
        Secret("env:ERP_PW").reveal()
    assert caught.value.message == (
        f"env:ERP_PW is not set. Looked in: environment variable ERP_PW, {tmp_path / 'erp_pw'}."
    )
    assert caught.value.hint
    assert Secret("env:ERP_PW").missing() == caught.value.message
    gone = Secret(f"file:{tmp_path / 'gone'}").missing()
    assert gone is not None
    assert "FileNotFoundError" in gone


@pytest.mark.parametrize(
    "value", [CANARY, f"plain:{CANARY}", "env:", "env:1X", "file:", "airflow:", f"vault:{CANARY}", 7]
)
def test_a_plain_value_is_refused_without_being_repeated(value):
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"password": value})
    assert CANARY not in str(caught.value)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_secret_is_never_printed(monkeypatch, caplog, capsys):
    monkeypatch.setenv("ERP_PW", CANARY)
    caplog.set_level(logging.DEBUG)
    for secret in (Secret("env:ERP_PW"), Secret.plain(CANARY)):
        config = Config(password=secret)
        assert secret.reveal() == CANARY
        logging.getLogger("x").info("%s %r %s", secret, secret, config)
        sys.stdout.write(f"{secret} {secret:>3} {[secret]} {config}")
        shown = [repr(config), str(config), config.model_dump_json(), json.dumps(config.model_dump(mode="json"))]
        assert all(CANARY not in text for text in shown)
        assert MASK in repr(config)
        try:
            raise RuntimeError(secret, config)
        except RuntimeError as error:
            assert CANARY not in "".join(traceback.format_exception(error))
    assert CANARY not in caplog.text
    assert CANARY not in capsys.readouterr().out


def test_a_secret_in_memory_does_not_travel_and_a_named_one_does():
    named = Secret("env:ERP_PW")
    assert pickle.loads(pickle.dumps(named)) == named
    assert copy.deepcopy(Secret.plain(CANARY)).reveal() == CANARY
    with pytest.raises(TypeError, match="does not travel") as caught:
        pickle.dumps(Secret.plain(CANARY))
    assert CANARY not in str(caught.value)


def test_words_from_outside_lose_every_secret_that_was_opened():
    remember("token-abcdef")
    remember("token-abcdef-longer")
    assert scrub("bad token-abcdef-longer and token-abcdef") == f"bad {MASK} and {MASK}"
    assert scrub("nothing here") == "nothing here"


def test_the_schema_for_editors_shows_the_forms():
    schema = Config.model_json_schema()["properties"]["password"]
    assert schema["type"] == "string"
    assert "env" in schema["pattern"]
