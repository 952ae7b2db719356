"""$batch: several requests in one multipart body; a changeset takes effect whole or not at all."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from sandbox.sap_s4._edm import Service
from sandbox.sap_s4._errors import ODataError, bad_request
from sandbox.sap_s4._gateway import Gateway
from sandbox.sap_s4._http import Request, Response
from sandbox.sap_s4._store import Store

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_LINE = re.compile(r"([A-Z]+) (\S+)(?: HTTP/1\.[01])?")
_REASONS = {200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 400: "Bad Request", 403: "Forbidden"}
_REASONS |= {404: "Not Found", 405: "Method Not Allowed", 412: "Precondition Failed", 428: "Precondition Required"}
_MOST = 1000

Options = Callable[[str], dict[str, str]]


class Batch:
    """Runs the parts of a batch through the gateway."""

    def __init__(self, gateway: Gateway, store: Store, options: Options) -> None:
        self._gateway, self._store, self._options = gateway, store, options

    def run(self, service: Service, request: Request) -> Response:
        """The whole batch; the answer is 202 whatever its parts say."""
        try:
            parts = _parts(request.headers.get("content-type", ""), request.body)
            if len(parts) > _MOST:
                raise bad_request(f"A batch may have {_MOST} parts")
            answers = [self._part(service, request, headers, content) for headers, content in parts]
        except ODataError as error:
            return self._gateway.refusal(error, request, service.name)
        boundary = f"ejjeeffe{secrets.token_hex(4)}"
        body = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), answer) for answer in answers)
        body += b"--%s--\r\n" % boundary.encode()
        return Response(202, body, f"multipart/mixed; boundary={boundary}", [("dataserviceversion", "2.0")])

    def _part(self, service: Service, outer: Request, headers: dict[str, str], content: bytes) -> bytes:
        media = headers.get("content-type", "")
        if media.startswith("multipart/mixed"):
            return self._changeset(service, outer, _parts(media, content))
        request, path = self._inner(service, outer, content, {})
        if request.method not in ("GET", "HEAD"):
            error = bad_request("Changing requests of a batch must be in a changeset")
            return _wrapped(self._gateway.refusal(error, request, service.name), headers)
        return _wrapped(self._gateway.answer(service, path, request), headers)

    def _changeset(self, service: Service, outer: Request, parts: list[tuple[dict[str, str], bytes]]) -> bytes:
        answers: list[bytes] = []
        made: dict[str, str] = {}
        try:
            with self._store.transaction():
                for headers, content in parts:
                    request, path = self._inner(service, outer, content, made)
                    name = headers.get("content-id") or request.headers.get("content-id", "")
                    try:
                        if request.method in ("GET", "HEAD"):
                            raise bad_request("A changeset must not contain reading requests")
                        response = self._gateway.write(service, path, request)
                    except ODataError as error:
                        raise _Failed(error, request, headers) from error
                    location = dict(response.headers).get("location")
                    if name and location:
                        made[name] = location.removeprefix(outer.base + service.path + "/")
                    answers.append(_wrapped(response, headers))
        except _Failed as failed:  # the whole changeset is undone and answers by one part
            response = self._gateway.refusal(failed.error, failed.request, service.name)
            return _wrapped(response, failed.headers)
        boundary = f"cs{secrets.token_hex(8)}"
        inner = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), answer) for answer in answers)
        inner += b"--%s--\r\n" % boundary.encode()
        head = f"Content-Type: multipart/mixed; boundary={boundary}\r\nContent-Length: {len(inner)}\r\n\r\n"
        return head.encode() + inner

    def _inner(self, service: Service, outer: Request, content: bytes, made: dict[str, str]) -> tuple[Request, str]:
        head, _, body = content.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
        first, *lines = head.decode("utf-8").split("\n")
        match = _LINE.fullmatch(first.strip())
        if match is None:
            raise bad_request(f"Malformed request line in batch: '{first[:80]}'")
        headers = _headers(lines)
        method, target = match.groups()
        address = urlsplit(target)
        path = unquote(address.path)
        path = path.removeprefix(service.path).lstrip("/") if path.startswith("/sap/") else path.lstrip("/")
        if path.startswith("$") and not path.startswith("$metadata"):
            name, _, rest = path[1:].partition("/")
            if name not in made:
                raise bad_request(f"Content-ID reference '${name}' is not known in this changeset")
            path = unquote(made[name]) + (f"/{rest}" if rest else "")
        if "accept" not in headers:
            headers["accept"] = outer.headers.get("accept", "")
        request = replace(
            outer,
            method=method,
            path=path,
            query=self._options(address.query),
            headers=headers,
            body=body.rstrip(b"\n"),
        )
        return request, path


class _Failed(Exception):
    def __init__(self, error: ODataError, request: Request, headers: dict[str, str]) -> None:
        super().__init__(str(error))
        self.error, self.request, self.headers = error, request, headers


def _parts(media: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    match = _BOUNDARY.search(media)
    if match is None or not media.startswith("multipart/mixed"):
        raise bad_request("A batch needs Content-Type multipart/mixed with a boundary")
    mark = b"--" + match.group(1).encode()
    pieces = (b"\n" + body.replace(b"\r\n", b"\n")).split(b"\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise bad_request("The batch has no closing boundary")
    parts = []
    for piece in pieces[1:-1]:
        head, _, content = piece.lstrip(b"\n").partition(b"\n\n")
        parts.append((_headers(head.decode("latin-1").split("\n")), content))
    return parts


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _wrapped(response: Response, headers: dict[str, str]) -> bytes:
    """A response as an application/http part."""
    lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Error')}"]
    if response.body:
        lines.append(f"Content-Type: {response.media_type}")
    lines.append(f"Content-Length: {len(response.body)}")
    lines += [f"{name}: {value}" for name, value in response.headers]
    inner = "\r\n".join(lines).encode() + b"\r\n\r\n" + response.body
    head = f"Content-Type: application/http\r\nContent-Length: {len(inner)}\r\ncontent-transfer-encoding: binary\r\n"
    if headers.get("content-id"):
        head += f"Content-ID: {headers['content-id']}\r\n"
    return head.encode() + b"\r\n" + inner
