"""Long texts line by line: what no parser should meet is found first, and a byte that does not decode is placed."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from landbridge.errors import Finding, Invalid

LONGEST_LINE = 16 * 1024 * 1024
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def codec_of(encoding: str) -> str:
    """The codec that reads an encoding: UTF-8 with or without its mark; ValueError for one that is not known."""
    name = codecs.lookup(encoding).name
    return "utf-8-sig" if name == "utf-8" else name


class Screen:
    """Looks over the bytes of a text as they come: NUL characters, endless lines, the mark of another encoding."""

    def __init__(self, file: str, encoding: str) -> None:
        self._file = file
        self._codec = codec_of(encoding)
        self._wide = self._codec.startswith(("utf-16", "utf-32"))
        self._lines = 0
        self._open = 0
        self._first = True

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes; raises Invalid with the line."""
        if self._first and chunk:
            self._first = False
            self._check_mark(chunk)
        if not self._wide and b"\0" in chunk:
            line = self._lines + chunk.count(b"\n", 0, chunk.index(b"\0")) + 1
            hint = "The sender is broken, or the file is UTF-16: then say `encoding: utf-16`."
            raise invalid(f"{self._file}:{line}", "a NUL character stands in the text", hint)
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self._open = self._open + len(chunk) if end < 0 else len(chunk) - end - 1
        if self._open > LONGEST_LINE:
            hint = "This is no text of lines; look at what the sender writes."
            raise invalid(f"{self._file}:{self._lines + 1}", f"no line ends within {LONGEST_LINE:,} bytes", hint)
        self._lines += chunk.count(b"\n")

    def _check_mark(self, chunk: bytes) -> None:
        for mark, encoding in _MARKS.items():
            if chunk.startswith(mark) and not self._codec.startswith(encoding):
                raise invalid(
                    f"{self._file}:1", f"the file begins as {encoding.upper()}, not {self._codec}",
                    f"Say `encoding: {encoding}`.",
                )  # fmt: skip
        if chunk.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise invalid(f"{self._file}:1", "this is a spreadsheet, not text", "Say `format: excel`, or send text.")


def undecodable(source: BinaryIO, file: str, encoding: str) -> Invalid:
    """Which line holds the byte that is not of the encoding, and which encoding would fit."""
    codec = codec_of(encoding)
    source.seek(0)
    for number, line in enumerate(source, 1):
        try:
            line.decode(codec)
        except UnicodeDecodeError as error:
            column = len(line[: error.start].decode(codec, "replace")) + 1
            byte = line[error.start]
            message = f"character {column} is the byte 0x{byte:02x}, which is not {encoding}"
            return invalid(f"{file}:{number}", message, f"Say `encoding: {fitting(line)}` if the sender means it so.")
    return invalid(file, f"the text is not {encoding}", "Ask the sender for its encoding.")


def fitting(line: bytes) -> str:
    """The encoding that bytes beyond ASCII most likely are in."""
    for known, said in (("utf-8", "utf-8"), ("gb2312", "gb18030")):
        try:
            line.decode(known)
        except UnicodeDecodeError:
            continue
        return said
    return "cp1252" if any(0x80 <= byte <= 0x9F for byte in line) else "latin-1"


def invalid(path: str, message: str, hint: str) -> Invalid:
    """One finding of a file; `path` is file:line[:column]."""
    return Invalid([Finding(path, "file", message, hint)])
