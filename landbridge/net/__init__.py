"""Outgoing HTTP: the only place that opens sockets to other systems.

A connector gets one `Http` per system. It reaches the addresses of the system's configuration and nothing else,
follows no redirect, always has time-outs and a limit on replies, verifies TLS, shares one pool of connections and one
rate budget, and turns what goes wrong on the line into a `Failure` that says whether the effect may stand.
Every request passes the seam of durable steps.
"""

from landbridge.net._address import Url, addresses_of, origin
from landbridge.net._auth import ApiKey, Auth, Basic, Bearer, Hmac, Jwt, NoAuth, OAuth2
from landbridge.net._authenticator import Authenticator, Credentials, authenticator
from landbridge.net._budget import Budget, LocalBudget, Usage
from landbridge.net._http import Http
from landbridge.net._open import open_http
from landbridge.net._outcome import outcome_of, retry_after
from landbridge.net._reply import Reply
from landbridge.net._settings import Breaker, ClientCertificate, NetSettings, Rate
from landbridge.net._sftp import RemoteFile, Sftp, SftpAddress, SftpLogin
from landbridge.net._soap import soap_transport
from landbridge.net._trace import traced, traceparent
from landbridge.net._wsdl import SoapPort, Wsdl, absolute_wsdl, is_wsdl_path, nil, read_wsdl, typed
from landbridge.net._wsdl_types import SoapField, SoapType
from landbridge.net._wsse import MessageLifetime, MessageSignature, username_token

__all__ = [
    "ApiKey",
    "Auth",
    "Authenticator",
    "Basic",
    "Bearer",
    "Breaker",
    "Budget",
    "ClientCertificate",
    "Credentials",
    "Hmac",
    "Http",
    "Jwt",
    "LocalBudget",
    "MessageLifetime",
    "MessageSignature",
    "NetSettings",
    "NoAuth",
    "OAuth2",
    "Rate",
    "RemoteFile",
    "Reply",
    "Sftp",
    "SftpAddress",
    "SftpLogin",
    "SoapField",
    "SoapPort",
    "SoapType",
    "Url",
    "Usage",
    "Wsdl",
    "absolute_wsdl",
    "addresses_of",
    "authenticator",
    "is_wsdl_path",
    "nil",
    "open_http",
    "origin",
    "outcome_of",
    "read_wsdl",
    "retry_after",
    "soap_transport",
    "traced",
    "traceparent",
    "typed",
    "username_token",
]
