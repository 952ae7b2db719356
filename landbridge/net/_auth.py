"""The ways to log in that a configuration can name: `auth: {type: oauth2, token_url: ..., ...}`."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from landbridge.net._address import Url
from landbridge.net._settings import Seconds
from landbridge.secrets import Secret

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "HS256", "HS512"]
_HEADER = r"^[A-Za-z0-9!#$&'*+.^_`|~-]+$"
_PLACE = re.compile(r"\{([^{}]*)\}")
SIGNED = frozenset({"method", "path", "query", "host", "body", "digest", "timestamp", "key_id"})
"""What the text that is signed may hold; a header's template knows `signature` as well, and not `body`."""


class _Way(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NoAuth(_Way):
    """The system asks for nothing."""

    type: Literal["none"] = "none"


class Basic(_Way):
    """User and password with every request (RFC 7617)."""

    type: Literal["basic"]
    user: str = Field(min_length=1, description="The integration user.", examples=["bus"])
    password: Secret = Field(description="Its password.", examples=["env:CRM_PASSWORD"])


class Bearer(_Way):
    """One token that was made by hand and is sent with every request."""

    type: Literal["bearer"]
    token: Secret = Field(description="The token.", examples=["env:CRM_TOKEN"])


class ApiKey(_Way):
    """A key in a header, or in the query where the product knows nothing better."""

    type: Literal["api_key"]
    key: Secret = Field(description="The key.", examples=["env:CRM_KEY"])
    header: str | None = Field(default=None, pattern=_HEADER, description="Header for it.", examples=["X-Api-Key"])
    query: str | None = Field(default=None, min_length=1, description="Parameter for it.", examples=["api_key"])
    prefix: str = Field(default="", description="What stands before the key in the header.", examples=["Token "])

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.header is None) == (self.query is None):
            raise ValueError("give either `header` or `query`, where the key is sent")
        return self


class OAuth2(_Way):
    """A token by client credentials (RFC 6749, 4.4), asked for anew before it expires or once it is refused."""

    type: Literal["oauth2"]
    token_url: Url = Field(description="Where tokens are asked for.", examples=["https://login.acme.example/token"])
    client_id: str = Field(min_length=1, description="The client's id.", examples=["landbridge"])
    client_secret: Secret = Field(description="The client's secret.", examples=["env:CRM_CLIENT_SECRET"])
    scope: str | None = Field(default=None, description="Scopes, with blanks between.", examples=["orders.read"])
    audience: str | None = Field(default=None, description="Form field `audience`.", examples=["https://api.example"])
    client_auth: Literal["header", "body"] = Field(
        default="header", description="Id and secret as Basic header or as form fields.", examples=["body"]
    )
    extra: dict[str, str] = Field(default_factory=dict, description="More form fields.", examples=[{"resource": "x"}])
    lifetime: Seconds = Field(
        default=3600.0, gt=0, description="How long a token lives whose reply does not say it.", examples=["30m"]
    )


class Jwt(_Way):
    """A signed assertion: the bearer token itself, or exchanged for one at `token_url` (RFC 7523)."""

    type: Literal["jwt"]
    key: Secret = Field(description="PEM private key, or the shared secret of HS256.", examples=["file:/run/key.pem"])
    algorithm: Algorithm = Field(default="RS256", description="How it is signed.", examples=["ES256"])
    issuer: str = Field(min_length=1, description="The claim `iss`.", examples=["landbridge"])
    subject: str | None = Field(default=None, description="The claim `sub`.", examples=["bus@acme.example"])
    audience: str | None = Field(
        default=None, description="The claim `aud`; `token_url` by default.", examples=["https://login.acme.example"]
    )
    key_id: str | None = Field(default=None, description="The header `kid`.", examples=["2026-01"])
    claims: dict[str, str | int | bool] = Field(
        default_factory=dict, description="More claims.", examples=[{"scope": "orders"}]
    )
    valid: Seconds = Field(default=180.0, ge=10, description="How long an assertion is valid.", examples=["3m"])
    token_url: Url | None = Field(
        default=None, description="Where it is exchanged for a token.", examples=["https://login.acme.example/token"]
    )
    grant: str = Field(default=JWT_GRANT, description="The form field `grant_type`.", examples=[JWT_GRANT])
    extra: dict[str, str] = Field(default_factory=dict, description="More form fields.", examples=[{"scope": "x"}])
    lifetime: Seconds = Field(
        default=3600.0, gt=0, description="How long a token lives whose reply does not say it.", examples=["30m"]
    )


class Hmac(_Way):
    """A signature over each request, made from templates such as `{method}\\n{path}\\n{digest}\\n{timestamp}`."""

    type: Literal["hmac"]
    key: Secret = Field(description="The shared secret.", examples=["env:CRM_SIGNING_KEY"])
    key_id: str = Field(default="", description="What `{key_id}` stands for.", examples=["landbridge"])
    sign: str = Field(
        default="{method}\n{path}\n{digest}\n{timestamp}",
        description="The text that is signed; `{query}`, `{host}`, `{body}` and `{key_id}` are known too.",
        examples=["{timestamp}{method}{path}{body}"],
    )
    headers: dict[str, str] = Field(
        min_length=1,
        description="Headers to send, each a template; one of them holds `{signature}`.",
        examples=[{"Authorization": "HMAC {key_id}:{signature}", "X-Timestamp": "{timestamp}"}],
    )
    algorithm: Literal["sha256", "sha512", "sha1"] = Field(
        default="sha256", description="Hash of the signature and of the body's digest.", examples=["sha512"]
    )
    encoding: Literal["hex", "base64"] = Field(
        default="hex", description="How signature and digest are written.", examples=["base64"]
    )
    timestamp: Literal["seconds", "milliseconds", "iso"] = Field(
        default="seconds", description="How `{timestamp}` is written.", examples=["iso"]
    )

    @model_validator(mode="after")
    def _known_places(self) -> Self:
        _places("sign", self.sign, SIGNED)
        for name, template in self.headers.items():
            if not re.fullmatch(_HEADER, name):
                raise ValueError(f"'{name}' cannot name a header")
            _places(f"headers.{name}", template, (SIGNED - {"body"}) | {"signature"})
        if not any("{signature}" in template for template in self.headers.values()):
            raise ValueError("no header holds {signature}")
        return self


Way = NoAuth | Basic | Bearer | ApiKey | OAuth2 | Jwt | Hmac
Auth = Annotated[Way, Field(discriminator="type")]
"""How a system is logged in to; `type` says which way, everything else belongs to that way."""


def fill(template: str, values: dict[str, str]) -> str:
    """The template with every `{name}` replaced by its value; a value is never read as a template."""
    return _PLACE.sub(lambda found: values[found[1]], template)


def _places(where: str, template: str, known: frozenset[str]) -> None:
    for name in _PLACE.findall(template):
        if name not in known:
            raise ValueError(f"{where} holds {{{name}}}; known are {', '.join(sorted(known))}")
