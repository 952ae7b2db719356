"""The characters of a configuration file, before any grammar is applied to them."""

from __future__ import annotations

import re
from itertools import islice

from yaml import YAMLError

from landbridge.errors import ConfigError, Problem

# Tabs, control characters, other line breaks than LF and CR LF, byte order marks, non-characters, and the characters
# that reorder text so that a person and a parser read different files (CVE-2021-42574).
_FORBIDDEN = re.compile(
    "[\\x00-\\x09\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\\ud800-\\udfff]"
    "|\\r(?!\\n)"
)
_NAMES = {"\t": "a tab", "\r": "a lone carriage return", "\ufeff": "a byte order mark"}
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def decoded(content: str | bytes, file: str, max_bytes: int) -> str:
    """The text of a file in UTF-8; raises ConfigError at the first characters that have no place in it."""
    if len(content) > max_bytes:
        text = f"larger than {max_bytes:,} bytes."
        raise ConfigError([Problem(file, 0, 0, text, "Split the file.")])
    if isinstance(content, bytes):
        content = _from_bytes(content, file)
    content = content.removeprefix("\ufeff")
    found = _FORBIDDEN.search(content)
    if found is None:
        return content
    raise ConfigError([_character(content, match, file) for match in islice(_FORBIDDEN.finditer(content), 20)])


def _from_bytes(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        what = _MARKS.get(content[:2])
        message = f"the file is {what}, not UTF-8." if what else f"byte 0x{content[error.start]:02x} is not UTF-8."
        raise ConfigError([Problem(file, line, column, message, "Save the file as UTF-8.")]) from error


def _character(text: str, match: re.Match[str], file: str) -> Problem:
    start, character = match.start(), match.group()[0]
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    name = _NAMES.get(character, f"the character U+{ord(character):04X}")
    hint = "Indent with spaces." if character == "\t" else "Remove it, or write it as an escape in double quotes."
    return Problem(file, line, column, f"{name} is not allowed here.", hint)


_HINTS = {
    "mapping values are not allowed": "Quote a text with ': ' in it, or check the indentation.",
    "cannot start any token": "Quote a text that starts with a sign such as @, ` or %.",
    "could not find expected ':'": "Check for a missing ': ' or a wrong indentation.",
    "did not find expected key": "Check the indentation and the quotes of the lines before.",
    "did not find expected '-'": "Check the indentation of the list.",
    "did not find expected ',' or": "Close the bracket, or quote a text with brackets or commas in it.",
    "unexpected end of stream": "Close the quote.",
    "unknown escape character": "In double quotes a backslash is written \\\\; or use single quotes.",
}


def syntax_problem(error: YAMLError, file: str) -> Problem:
    """The parser's own complaint, with its place and what to do."""
    message = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "is not YAML")
    context = getattr(error, "context", None)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    hint = next((hint for part, hint in _HINTS.items() if part in message), "Check quotes, brackets and indentation.")
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    return Problem(file, line, column, f"not YAML: {message}{f' ({context})' if context else ''}.", hint)
