"""The documents of a WSDL: from one folder or one system, and never with a DTD, an entity or a stranger's import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from landbridge.errors import Denied, Invalid, Unavailable
from landbridge.net._http import Http
from landbridge.net._reply import Reply
from landbridge.net._wsdl_facets import Facets

MAX_DOCUMENTS = 500
Request = Callable[..., Reply]
_SAVE = "Save the WSDL with what it imports into a folder of the project, and name it by its path."
_XML_NAMESPACE = frozenset({"http://www.w3.org/2001/xml.xsd", "https://www.w3.org/2001/xml.xsd"})
_XML_XSD = b"""<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/XML/1998/namespace">
<attribute name="lang" type="string"/><attribute name="space" type="string"/><attribute name="base" type="anyURI"/>
<attribute name="id" type="ID"/><attributeGroup name="specialAttrs"><attribute ref="xml:base"/>
<attribute ref="xml:lang"/><attribute ref="xml:space"/><attribute ref="xml:id"/></attributeGroup></schema>"""


def refused(what: str, hint: str) -> Denied:
    """A WSDL that is not read; the flow pauses until a person puts another one there."""
    return Denied(what, hint=hint, status="wsdl", sent=False)


class Documents:
    """Every document of one WSDL as it is asked for: checked by the strict reader before any other parser sees it."""

    def __init__(self, location: str, http: Http | None, request: Request | None) -> None:
        self._http = http
        self._request = request or (http.request if http is not None else None)
        self._remote = urlsplit(location).scheme in ("http", "https")
        self._folder = None if self._remote else Path(location).resolve().parent
        self._count = 0
        self.facets = Facets()
        self.files: dict[Path, tuple[int, int]] = {}
        """The local files with size and time, by which a change is seen."""

    def load(self, url: Any) -> bytes:
        """One document; Denied where it may not be read, Invalid where it is no safe XML."""
        from landbridge.strict import xml  # loaded when first used: few systems have a WSDL

        location = str(url)
        limits = xml.Limits(max_bytes=64 * 1024 * 1024, max_elements=2_000_000, max_attributes=64)
        if location in _XML_NAMESPACE:
            return _XML_XSD  # the one schema that everybody imports by its public address
        self._count += 1
        if self._count > MAX_DOCUMENTS:
            raise refused(f"the WSDL imports more than {MAX_DOCUMENTS} documents.", _SAVE)
        content = self._fetched(location) if urlsplit(location).scheme in ("http", "https") else self._read(location)
        try:
            self.facets.collect(xml.parse(content, limits))
        except Invalid as error:
            raise refused(f"{location}: {error.message}.", error.hint) from None
        return content

    def _fetched(self, url: str) -> bytes:
        if not self._remote or self._http is None or self._request is None:
            raise refused(f"the WSDL imports {url}, and a WSDL in a folder imports only from there.", _SAVE)
        if not self._http.allows(url):
            raise refused(f"the WSDL imports {url}, which is not an address of this system.", _SAVE)
        reply = self._request("GET", url)
        if not reply.ok:
            if reply.status == 429 or reply.status >= 500:
                raise Unavailable(f"{url} answered {reply.status} instead of a WSDL.", hint="Tried again by itself.")
            raise refused(f"{url} answered {reply.status} instead of a WSDL.", "Look at `wsdl` and at `auth`.")
        return reply.content

    def _read(self, location: str) -> bytes:
        parts = urlsplit(location)
        path = Path(unquote(parts.path) if parts.scheme == "file" else location)
        if self._folder is None:
            raise refused(f"the WSDL imports the file {location} of this machine.", _SAVE)
        if not path.resolve().is_relative_to(self._folder):
            raise refused(f"the WSDL imports {location}, which lies outside its own folder.", _SAVE)
        try:
            found = path.stat()
            self.files[path] = (found.st_size, found.st_mtime_ns)
            return path.read_bytes()
        except OSError as error:
            reason = (error.strerror or "it cannot be read").lower()
            raise refused(f"{path}: {reason}.", "Look at `wsdl`; a path begins at the project's folder.") from None
