"""Each way to log in sends what its standard says, renews what expires, and shows no secret to anybody."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
import socket
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from project_on_disk import write_project
from pydantic import BaseModel, TypeAdapter, ValidationError
from wire_stub import reply, wire

from landbridge.connector import Config, Connector, Registry, connector
from landbridge.errors import ConfigError, Denied, Failure, LandbridgeError, Unavailable
from landbridge.net import Auth, Authenticator, NetSettings, Url, addresses_of, authenticator, open_http
from landbridge.settings import Settings
from landbridge.time import ManualClock

CANARY = "c4n4ry-of-the-login"
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
AUTH: TypeAdapter[Auth] = TypeAdapter(Auth)


class Shop(Config):
    url: Url
    auth: Auth


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def logged_in(url: str, folder: Path, secret: str = CANARY, *, clock: ManualClock | None = None, **auth: object):
    (folder / "secret").write_text(secret, encoding="utf-8")
    given = {name: f"file:{folder / 'secret'}" if value == "SECRET" else value for name, value in auth.items()}
    config = Shop.model_validate({"url": url, "auth": given})
    clock = clock or ManualClock(AT)
    return authenticator(config.auth, open_http("crm", config, NetSettings(connect=2, read=2), clock=clock), clock)


class Server:
    """Answers /token with tokens t1, t2, … and everything else with 200, or 401 for a token that it has ended."""

    def __init__(self, *, expires: object = 3600, status: int = 200, body: object = None) -> None:
        self.tokens = 0
        self.ended: set[str] = set()
        self.expires, self.status, self.body = expires, status, body

    def __call__(self, line: socket.socket, request: str) -> None:
        if " /token" in request.splitlines()[0]:
            self.tokens += 1
            body = {"access_token": f"t{self.tokens}-token", "token_type": "bearer", "expires_in": self.expires}
            body = body if self.body is None else self.body
            line.sendall(reply(self.status, json.dumps(body).encode(), Content_Type="application/json"))
            return
        sent = re.search(r"(?i)authorization: bearer (\S+)", request)
        line.sendall(reply(401 if sent and sent[1] in self.ended else 200))


def head(request: str) -> dict[str, str]:
    lines = request.partition("\r\n\r\n")[0].splitlines()[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def form(request: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.partition("\r\n\r\n")[2]).items()}


def oauth2(url: str, folder: Path, **more: object) -> Authenticator:
    auth = {"type": "oauth2", "token_url": f"{url}/token", "client_id": "us:er", "client_secret": "SECRET"}
    return logged_in(url, folder, **{**auth, **more})  # type: ignore[arg-type]  # a configuration as written


def test_nobody_is_named_where_nothing_is_asked(tmp_path: Path) -> None:
    with wire(Server()) as server:
        logged_in(server.url, tmp_path, type="none").request("GET", "/x")
        assert "authorization" not in head(server.requests[0])


def test_basic_is_user_and_password(tmp_path: Path) -> None:
    with wire(Server()) as server:
        logged_in(server.url, tmp_path, "p:ä", type="basic", user="bus", password="SECRET").request("GET", "/x")
        sent = head(server.requests[0])["authorization"].removeprefix("Basic ")
        assert base64.b64decode(sent).decode() == "bus:p:ä"


def test_a_bearer_is_read_anew_when_the_secret_is_rotated(tmp_path: Path) -> None:
    with wire(Server()) as server:
        line = logged_in(server.url, tmp_path, type="bearer", token="SECRET")
        line.request("GET", "/x")
        (tmp_path / "secret").write_text("rotated-token", encoding="utf-8")
        line.request("GET", "/x")
        assert [head(each)["authorization"] for each in server.requests] == [
            f"Bearer {CANARY}",
            "Bearer rotated-token",
        ]


def test_an_api_key_goes_into_a_header_or_the_query(tmp_path: Path) -> None:
    with wire(Server()) as server:
        logged_in(server.url, tmp_path, type="api_key", key="SECRET", header="X-Key", prefix="Token ").request(
            "GET", "/x"
        )
        assert head(server.requests[0])["x-key"] == f"Token {CANARY}"
        logged_in(server.url, tmp_path, "a&b", type="api_key", key="SECRET", query="key").request(
            "GET", "/x?a=1", params={"b": "2"}
        )
        assert server.requests[1].startswith("GET /x?a=1&b=2&key=a%26b HTTP")


@pytest.mark.parametrize("where", ["header", "body"])
def test_client_credentials_are_exchanged_for_a_token(tmp_path: Path, where: str) -> None:
    with wire(Server()) as server:
        line = oauth2(
            server.url, tmp_path, client_auth=where, scope="a b", audience="https://x", extra={"resource": "r"}
        )
        line.request("POST", "/x", json={"a": 1})
        asked, sent = server.requests
        wanted = {"grant_type": "client_credentials", "scope": "a b", "audience": "https://x", "resource": "r"}
        if where == "body":
            assert form(asked) == {**wanted, "client_id": "us:er", "client_secret": CANARY}
            assert "authorization" not in head(asked)
        else:
            assert form(asked) == wanted
            login = base64.b64decode(head(asked)["authorization"].removeprefix("Basic ")).decode()
            assert login == f"us%3Aer:{CANARY}"  # RFC 6749, 2.3.1
        assert head(sent)["authorization"] == "Bearer t1-token"
        assert sent.endswith('{"a":1}')


def test_a_token_is_kept_until_it_nears_its_end(tmp_path: Path) -> None:
    answers, clock = Server(expires="100"), ManualClock(AT)
    with wire(answers) as server:
        line = oauth2(server.url, tmp_path, clock=clock)
        for _ in range(3):
            line.request("GET", "/x")
        clock.advance(89)
        line.request("GET", "/x")
        assert answers.tokens == 1
        clock.advance(2)  # nine tenths of its life are over
        line.request("GET", "/x")
        assert answers.tokens == 2


@pytest.mark.parametrize("expires", [None, 0, -5, "soon", {}, 1e12])
def test_a_token_without_a_sound_end_lives_as_long_as_declared(tmp_path: Path, expires: object) -> None:
    answers, clock = Server(expires=expires), ManualClock(AT)
    with wire(answers) as server:
        line = oauth2(server.url, tmp_path, clock=clock, lifetime="10m")
        line.request("GET", "/x")
        clock.advance(500)
        line.request("GET", "/x")
        assert answers.tokens == 1
        clock.advance(100)
        line.request("GET", "/x")
        assert answers.tokens == (1 if expires == 1e12 else 2)


def test_a_refused_token_is_replaced_once_and_then_told(tmp_path: Path) -> None:
    answers = Server()
    with wire(answers) as server:
        line = oauth2(server.url, tmp_path)
        assert line.request("GET", "/x").ok
        answers.ended = {"t1-token"}
        assert line.request("POST", "/x", json={}).ok
        assert answers.tokens == 2
        answers.ended = {"t2-token", "t3-token", "t4-token"}
        before = len(server.requests)
        assert line.request("GET", "/x").status == 401
        assert len(server.requests) - before == 3, "refused, a new token, refused: no fourth request"


@pytest.mark.parametrize("auth", [{"type": "bearer", "token": "SECRET"}, {"type": "none"}])
def test_what_cannot_be_renewed_is_asked_once(tmp_path: Path, auth: dict[str, str]) -> None:
    answers = Server()
    answers.ended = {CANARY}
    with wire(answers) as server:
        logged_in(server.url, tmp_path, **auth).request("GET", "/x")  # type: ignore[arg-type]  # as written
        assert len(server.requests) == 1


def test_many_threads_ask_for_one_token(tmp_path: Path) -> None:
    answers = Server()
    with wire(answers) as server:
        line = oauth2(server.url, tmp_path)
        _all_at_once(8, lambda: line.request("GET", "/x"))
        assert answers.tokens == 1
        answers.ended = {"t1-token"}
        statuses = _all_at_once(8, lambda: line.request("GET", "/x"))
        assert [each.status for each in statuses] == [200] * 8
        assert answers.tokens == 2, "one refresh for all that were refused"


def _all_at_once(count: int, call: Callable[[], object]) -> list[object]:
    found: list[object] = []
    gate = threading.Barrier(count)

    def run() -> None:
        gate.wait()
        found.append(call())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == count
    return found


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Denied), (401, Denied), (404, Denied), (429, Unavailable), (500, Unavailable)]
)
def test_a_login_that_fails_sends_nothing(tmp_path: Path, status: int, kind: type[Failure]) -> None:
    body = {"error": "invalid_client", "error_description": f"you sent {CANARY}"}
    with wire(Server(status=status, body=body)) as server:
        with pytest.raises(kind) as caught:
            oauth2(server.url, tmp_path).request("POST", "/x", json={})
        assert not caught.value.sent
        assert "invalid_client" in caught.value.message
        assert CANARY not in str(caught.value)
        assert all(" /token" in each for each in server.requests)


@pytest.mark.parametrize("body", [{}, [], "x", {"access_token": ""}, {"access_token": 1}])
def test_a_login_without_a_token_is_denied(tmp_path: Path, body: object) -> None:
    with wire(Server(body=body)) as server, pytest.raises(Denied, match="access_token"):
        oauth2(server.url, tmp_path).request("GET", "/x")


def test_a_login_that_is_cut_is_unavailable_and_sent_nothing(tmp_path: Path) -> None:
    def cut(line: socket.socket, request: str) -> None:
        line.close()

    with wire(cut) as server, pytest.raises(Unavailable) as caught:
        oauth2(server.url, tmp_path).request("POST", "/x", json={})
    assert not caught.value.sent


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "HS256"])
def test_an_assertion_is_the_bearer_itself_and_verifies(tmp_path: Path, algorithm: str) -> None:
    rsa_key, ec_key = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
    secret = CANARY + "x" * 32
    keys = {
        "RS256": (pem(rsa_key), rsa_key.public_key()),
        "ES256": (pem(ec_key), ec_key.public_key()),
        "HS256": (secret, secret),
    }
    private, public = keys[algorithm]
    clock = ManualClock(AT)
    with wire(Server()) as server:
        line = logged_in(
            server.url, tmp_path, private, clock=clock, type="jwt", key="SECRET", algorithm=algorithm,
            issuer="me", subject="bus", audience="you", key_id="k1", claims={"org": 7}, valid="2m",
        )  # fmt: skip
        line.request("GET", "/x")
        line.request("GET", "/x")
        clock.advance(119)
        line.request("GET", "/x")
        tokens = [head(each)["authorization"].removeprefix("Bearer ") for each in server.requests]
    assert tokens[0] == tokens[1] != tokens[2]
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(tokens[0], public, algorithms=[algorithm], audience="you", options=options)
    now = int(AT.timestamp())
    assert claims == {"iss": "me", "sub": "bus", "aud": "you", "iat": now, "exp": now + 120, "org": 7}
    assert jwt.get_unverified_header(tokens[0])["kid"] == "k1"


def test_an_assertion_is_exchanged_for_a_token(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with wire(Server()) as server:
        line = logged_in(
            server.url, tmp_path, pem(key), type="jwt", key="SECRET", algorithm="ES256", issuer="me",
            token_url=f"{server.url}/token", extra={"scope": "s"},
        )  # fmt: skip
        line.request("GET", "/x")
        asked, sent = server.requests
        assert form(asked)["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        assert form(asked)["scope"] == "s"
        options = {"verify_exp": False, "verify_iat": False}
        claims = jwt.decode(
            form(asked)["assertion"], key.public_key(), ["ES256"], audience=f"{server.url}/token", options=options
        )
        assert claims["iss"] == "me"
        assert head(sent)["authorization"] == "Bearer t1-token"


def test_a_key_of_another_kind_is_denied_without_showing_it(tmp_path: Path) -> None:
    line = logged_in("https://crm.example", tmp_path, CANARY, type="jwt", key="SECRET", issuer="me")
    with pytest.raises(Denied, match="no key for RS256") as caught:
        line.request("GET", "/x")
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_signature_covers_what_is_sent(tmp_path: Path) -> None:
    auth = {
        "type": "hmac", "key": "SECRET", "key_id": "me", "sign": "{method}|{path}|{query}|{digest}|{timestamp}|{body}",
        "headers": {"Authorization": "HMAC {key_id}:{signature}", "X-Time": "{timestamp}", "Digest": "{digest}"},
    }  # fmt: skip
    with wire(Server()) as server:
        line = logged_in(server.url, tmp_path, **auth)  # type: ignore[arg-type]  # as written
        line.request("POST", "/a b/北?x=1", params={"y": "ä"}, json={"n": "{signature}"})
        sent = server.requests[0]
    target = sent.split(" ")[1]
    body = sent.partition("\r\n\r\n")[2]
    path, _, query = target.partition("?")
    digest = hashlib.sha256(body.encode()).hexdigest()
    at = str(int(AT.timestamp()))
    text = f"POST|{path}|{query}|{digest}|{at}|{body}"
    made = hmac.new(CANARY.encode(), text.encode(), "sha256").hexdigest()
    assert head(sent)["authorization"] == f"HMAC me:{made}"
    assert (head(sent)["x-time"], head(sent)["digest"]) == (at, digest)


@pytest.mark.parametrize("url", ["/c?next=%2fa%2f&z='q'", "/c//d/../e?x=[1]", "/ü'x?n=ü é|x", "/c?b=1&a=2", "/c?a=%zz"])
def test_a_signature_covers_the_address_as_the_line_spells_it(tmp_path: Path, url: str) -> None:
    """Links to a next page come as others write them, with `%2f` or a bare bracket."""
    way = {"type": "hmac", "key": "SECRET", "sign": "{path}?{query}", "headers": {"X-Sign": "{signature}"}}
    with wire(Server()) as server:
        logged_in(server.url, tmp_path, **way).request("GET", url)  # type: ignore[arg-type]  # as written
    sent = server.requests[0].split(" ")[1]
    assert head(server.requests[0])["x-sign"] == hmac.new(CANARY.encode(), sent.encode(), "sha256").hexdigest()


@pytest.mark.parametrize(("timestamp", "wanted"), [("milliseconds", "1795334400000"), ("iso", "2026-11-22T08:00:00Z")])
def test_a_signature_in_base64_with_another_hash(tmp_path: Path, timestamp: str, wanted: str) -> None:
    with wire(Server()) as server:
        line = logged_in(
            server.url, tmp_path, type="hmac", key="SECRET", sign="{timestamp}{host}", timestamp=timestamp,
            headers={"S": "{signature}", "T": "{timestamp}"}, algorithm="sha512", encoding="base64",
        )  # fmt: skip
        line.request("GET", "/x")
        sent = head(server.requests[0])
    made = hmac.new(CANARY.encode(), f"{wanted}{sent['host']}".encode(), "sha512").digest()
    assert (sent["t"], sent["s"]) == (wanted, base64.b64encode(made).decode())


WRONG = [
    ({"type": "oath2"}, "oath2"),
    ({"type": "api_key", "key": "env:K"}, "either `header` or `query`"),
    ({"type": "api_key", "key": "env:K", "header": "A", "query": "b"}, "either `header` or `query`"),
    ({"type": "api_key", "key": "env:K", "header": "A B"}, "pattern"),
    ({"type": "basic", "user": "u", "password": "plain"}, "plain value"),
    ({"type": "hmac", "key": "env:K", "headers": {"A": "x"}}, "signature"),
    ({"type": "hmac", "key": "env:K", "headers": {"A": "{signature}"}, "sign": "{metod}"}, "metod"),
    ({"type": "hmac", "key": "env:K", "headers": {"A": "{signature}{body}"}}, "body"),
    ({"type": "hmac", "key": "env:K", "headers": {"A\r\nB": "{signature}"}}, "header"),
    ({"type": "jwt", "key": "env:K", "issuer": "i", "algorithm": "none"}, "algorithm"),
    ({"type": "bearer", "token": "env:K", "user": "u"}, "user"),
]


@pytest.mark.parametrize(("written", "says"), WRONG)
def test_a_wrong_declaration_is_refused(written: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        AUTH.validate_python(written)


def test_the_token_address_may_be_reached_and_no_other(tmp_path: Path) -> None:
    config = Shop.model_validate(
        {
            "url": "https://crm.example",
            "auth": {
                "type": "oauth2",
                "token_url": "https://id.example/t",
                "client_id": "i",
                "client_secret": "env:X",
            },
        }
    )
    assert addresses_of(config) == ["https://crm.example", "https://id.example/t"]
    http = open_http("crm", config, clock=ManualClock())
    assert http.allows("https://id.example/t")
    assert not http.allows("https://id2.example/t")


WAYS: list[dict[str, object]] = [
    {"type": "basic", "user": "bus", "password": "SECRET"},
    {"type": "bearer", "token": "SECRET"},
    {"type": "api_key", "key": "SECRET", "header": "X-Key"},
    {"type": "api_key", "key": "SECRET", "query": "key"},
    {"type": "oauth2", "token_url": "URL", "client_id": "i", "client_secret": "SECRET"},
    {"type": "oauth2", "token_url": "URL", "client_id": "i", "client_secret": "SECRET", "client_auth": "body"},
    {"type": "jwt", "key": "SECRET", "issuer": "i", "algorithm": "HS256"},
    {"type": "jwt", "key": "SECRET", "issuer": "i", "algorithm": "HS256", "token_url": "URL"},
    {"type": "hmac", "key": "SECRET", "headers": {"A": "{signature}"}},
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(str(each) for each in list(way.values())[:1]))
@pytest.mark.parametrize("answer", ["ok", "echo", "cut"])
def test_no_secret_is_shown(way: dict[str, object], answer: str, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    secret = CANARY + "-long-enough-for-a-signature"

    def answers(line: socket.socket, request: str) -> None:
        if answer == "cut":
            line.close()
        elif answer == "echo":
            line.sendall(reply(400, json.dumps({"error": request, "error_description": secret}).encode()))
        else:
            line.sendall(reply(200, b'{"access_token": "t0k3n-canary"}'))

    with wire(answers) as server, caplog.at_level(logging.DEBUG):
        given = {name: f"{server.url}/token" if value == "URL" else value for name, value in way.items()}
        line = logged_in(server.url, tmp_path, secret, **given)  # type: ignore[arg-type]  # as written
        seen = [repr(line), repr(line.credentials) if answer == "cut" else ""]
        try:
            seen.append(repr(line.request("POST", "/x", json={})))
            seen.append(repr(line.credentials("GET", "/x")))
        except LandbridgeError as error:
            seen.append("".join(traceback.format_exception(error)) + repr(vars(error)))
    config = line._auth
    seen += [repr(config), config.model_dump_json(), caplog.text]
    encoded = base64.b64encode(f"bus:{secret}".encode()).decode()
    for text in seen:
        assert secret not in text
        assert encoded not in text
        assert "t0k3n-canary" not in text


@connector("guarded", config=Shop)
class Guarded(Connector[Shop]):
    """Only its configuration is looked at."""


def _settings(tmp_path: Path, auth: str, **options: object) -> Settings:
    systems = f"shop:\n  connector: guarded\n  config:\n    url: https://shop.example\n    auth: {auth}\n"
    root = write_project(tmp_path, config__systems=systems)
    for path in [*(root / "config").rglob("*.yaml")]:
        if path.name not in ("systems.yaml", "production.yaml"):
            path.unlink()
    (root / "config" / "environments" / "production.yaml").write_text("{}", encoding="utf-8")
    return Settings.load(root, registry=Registry(Guarded), **options)  # type: ignore[arg-type]  # options of load


def test_a_secret_inside_a_part_of_the_configuration_stays_a_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", CANARY)
    monkeypatch.setenv("SHOP_USER", "bus")
    settings = _settings(tmp_path, "{type: basic, user: env:SHOP_USER, password: env:SHOP_PASSWORD}")
    auth: BaseModel = settings.system("shop").config.auth  # type: ignore[attr-defined]  # the model above
    assert (auth.user, auth.password.reveal()) == ("bus", CANARY)  # type: ignore[attr-defined]  # a Basic
    assert CANARY not in repr(settings.system("shop").config)


def test_a_secret_inside_a_part_that_is_not_set_is_told_at_its_place(tmp_path: Path) -> None:
    written = "{type: basic, user: bus, password: env:SHOP_NO_PASSWORD}"
    with pytest.raises(ConfigError) as caught:
        _settings(tmp_path, written)
    [problem] = caught.value.problems
    assert (problem.line, problem.column) == (5, 46)
    assert "auth.password" in problem.message
    assert "SHOP_NO_PASSWORD" in problem.message
    assert _settings(tmp_path, written, offline=True).system("shop")


def test_a_wrong_key_inside_auth_is_told_at_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        _settings(tmp_path, "{type: basic, usr: bus, password: env:P}", offline=True)
    told = [str(each) for each in caught.value.problems]
    assert any("systems.yaml:5:25" in each and "Did you mean 'user'?" in each for each in told), told
