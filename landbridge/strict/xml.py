"""XML from foreign systems: no DOCTYPE, no entities, no includes, a known encoding, and limits.

The text is decoded here, by an encoding from a short list that the byte order mark and the declaration agree on; what
stands before the root element is read before any parser sees it, so that no trick of encoding hides a DOCTYPE.
The parser (expat) then gets UTF-8 only, and still refuses what it should never meet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from landbridge.errors import Finding, Invalid

__all__ = ["Element", "Limits", "parse"]

_UTF8_MARK, _UTF16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii", "iso-8859-1": "latin-1"}
_DECLARATION = re.compile(
    r"<\?xml\s+version\s*=\s*(?:'1\.0'|\"1\.0\")(?:\s+encoding\s*=\s*(?:'([\w.:-]+)'|\"([\w.:-]+)\"))?"
    r"(?:\s+standalone\s*=\s*(?:'(?:yes|no)'|\"(?:yes|no)\"))?\s*\?>",
    re.ASCII,
)
_XINCLUDE = "http://www.w3.org/2001/XInclude"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may hold."""

    max_bytes: int = 32 * 1024 * 1024
    max_depth: int = 200
    max_elements: int = 1_000_000
    max_attributes: int = 256


def parse(data: bytes, limits: Limits = Limits()) -> Element:
    """The root element, names as `{namespace}local`; raises Invalid, and opens no file and no connection."""
    if len(data) > limits.max_bytes:
        raise _invalid(f"the text has {len(data):,} bytes, more than {limits.max_bytes:,}", "Read smaller pages.")
    text = _decoded(data)
    _check_prolog(text)
    return _Guard(limits).parse(text.encode("utf-8"))


def _decoded(data: bytes) -> str:
    """The text after its declaration."""
    if data[:2] in _UTF16_MARKS:
        encoding, content = "utf-16", data
    else:
        encoding, content = "utf-8", data.removeprefix(_UTF8_MARK)
    declared = _declared(content, encoding)
    if declared is not None and encoding == "utf-8":
        if data.startswith(_UTF8_MARK) and declared != "utf-8":
            raise _invalid(
                f"the byte order mark says UTF-8, the declaration {declared}", "The sender must agree with itself."
            )
        encoding = declared
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _invalid(f"byte {error.start} is not {encoding}", "The sender declares a wrong encoding.") from None
    match = _DECLARATION.match(text)
    return text[match.end() :] if match else text


def _declared(content: bytes, encoding: str) -> str | None:
    """The encoding that the declaration names, None if there is none."""
    head = content[:400].decode("utf-16" if encoding == "utf-16" else "latin-1", "ignore")
    if not head.startswith("<?xml") or head[5:6] not in (" ", "\t", "\r", "\n"):
        return None
    match = _DECLARATION.match(head)
    if match is None:
        raise _invalid("the XML declaration cannot be read", "It must be version 1.0 with a plain encoding name.")
    name = (match.group(1) or match.group(2) or "").lower()
    if not name:
        return None
    if encoding == "utf-16":
        if name not in ("utf-16", "utf-16le", "utf-16be"):
            raise _invalid(
                f"the byte order mark says UTF-16, the declaration {name}", "The sender must agree with itself."
            )
        return None
    if name not in _ENCODINGS:
        raise _invalid(f"encoding {name[:40]} is not read", "UTF-8, UTF-16 with a mark, US-ASCII and ISO-8859-1 are.")
    return _ENCODINGS[name]


def _check_prolog(text: str) -> None:
    """Refuses everything but comments, instructions and white space before the root element."""
    at, size = 0, len(text)
    while True:
        while at < size and text[at] in " \t\r\n":
            at += 1
        if text.startswith("<!--", at):
            at = _after(text, "-->", at + 4)
        elif text.startswith("<?", at):
            at = _after(text, "?>", at + 2)
        else:
            break
    if text.startswith("<!", at):
        raise _invalid("a DOCTYPE stands before the root element, and none is read", "Send the document without it.")
    if not text.startswith("<", at):
        what = "the text is empty" if at >= size else "the text does not start with an element"
        raise _invalid(f"not XML: {what}", "Look at the status and the headers of the reply.")


def _after(text: str, end: str, at: int) -> int:
    found = text.find(end, at)
    if found < 0:
        raise _invalid("not XML: a comment or instruction does not end", "The text was cut.")
    return found + len(end)


class _Guard:
    """An expat parser that builds elements and stops at a limit."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.depth = 0
        self.count = 0
        self.builder = TreeBuilder()
        self.names: dict[str, str] = {}

    def parse(self, content: bytes) -> Element:
        parser = expat.ParserCreate("utf-8", "}")
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self.builder.data
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            reason = expat.errors.messages.get(error.code, "cannot be read")
            where = f"line {error.lineno} column {error.offset + 1}"
            raise _invalid(f"not XML: {reason}: {where}", "The text was cut, or is not XML.") from None
        return self.builder.close()

    def _start(self, name: str, attributes: list[str]) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > self.limits.max_depth:
            raise _invalid(f"nested more than {self.limits.max_depth} deep", "No business document is that deep.")
        if self.count > self.limits.max_elements:
            raise _invalid(f"more than {self.limits.max_elements:,} elements", "Read smaller pages.")
        if len(attributes) > 2 * self.limits.max_attributes:
            raise _invalid(f"an element has more than {self.limits.max_attributes} attributes", "The sender is broken.")
        if name.startswith(_XINCLUDE):
            raise _invalid("XInclude stands in the document, and nothing is included", "Send the document whole.")
        named = {self._name(attributes[i]): attributes[i + 1] for i in range(0, len(attributes), 2)}
        self.builder.start(self._name(name), named)

    def _end(self, name: str) -> None:
        self.depth -= 1
        self.builder.end(self._name(name))

    def _name(self, name: str) -> str:
        known = self.names.get(name)
        if known is None:
            known = self.names[name] = "{" + name if "}" in name else name
        return known

    def _refuse(self, *_: Any) -> int:
        raise _invalid(
            "a DOCTYPE or an entity stands in the document, and none is read", "Send the document without it."
        )


def _invalid(message: str, hint: str) -> Invalid:
    return Invalid([Finding("", "xml", message, hint)])
