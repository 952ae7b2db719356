"""Which addresses may be reached: those of the configuration, compared as (scheme, host, port)."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Mark:
    """Marks the fields of a configuration whose host may be reached."""


def origin(url: str) -> str:
    """`scheme://host:port` of an address, with the port always there; ValueError for anything doubtful."""
    if any(ch <= " " or ch == "\\" or ch == "\x7f" for ch in url):
        raise ValueError("holds a space, a control character or a backslash")
    parts = urlsplit(url)
    if parts.scheme not in PORTS:
        raise ValueError("must begin with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or password; those are secrets of their own")
    if not parts.hostname or parts.fragment:
        raise ValueError("has no host, or has a fragment")
    host = parts.hostname.lower()
    port = parts.port if parts.port is not None else PORTS[parts.scheme]
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _checked(url: str) -> str:
    origin(url)
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(_checked), _Mark()]
"""An address in a connector's configuration: what is marked so, and nothing else, can be reached."""


def addresses_of(config: BaseModel) -> list[str]:
    """The addresses in a configuration, in the order of its fields: the first is the base of relative paths.

    Those of its parts (`auth.token_url`) come after its own.
    """
    found, parts = [], []
    for name, field in type(config).model_fields.items():
        value: Any = getattr(config, name, None)
        if isinstance(value, BaseModel):
            parts.append(value)
        elif value and any(isinstance(mark, _Mark) for mark in _marks(field.metadata, field.annotation)):
            found.append(str(value))
    return found + [deep for part in parts for deep in addresses_of(part)]


def _marks(metadata: list[Any], annotation: Any) -> list[Any]:
    """Marks of `Url` as well as of `Url | None`."""
    found = list(metadata)
    for part in getattr(annotation, "__args__", ()):
        found.extend(getattr(part, "__metadata__", ()))
    return found


def is_loopback(host: str) -> bool:
    """True for this machine's own names and addresses, as they are written in the configuration."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, resolved once and checked: the connection goes to exactly these.

    A name in the configuration may point into a private network, but never to this machine (unless it is written as
    such) nor to link-local addresses, where clouds serve their credentials. Raises OSError.
    """
    found = dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    for text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        loopback = address.is_loopback and not is_loopback(host)
        if loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
            raise ForbiddenAddress(f"{host} leads to {text}, which is never an address of a business system")
    return list(found)


class ForbiddenAddress(OSError):
    """A configured name resolved to an address that no business system has."""
