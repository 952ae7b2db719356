"""Hostile bytes: mutated configuration and payloads. Only the documented error may leave, within a second.

A run has a seed and is replayed by it. Each function returns its counts: `mutants`, `refused`, `wrong` (another
exception than ours, or a value that the bytes do not say) and `slow` (more than a second). `make faults` sums them up;
a part of the same runs stands in tests/property.
"""

from __future__ import annotations

import csv as stdlib_csv
import io
import json as stdlib_json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from landbridge.canonical import Canonical
from landbridge.connector import Registry
from landbridge.errors import ConfigError, Invalid
from landbridge.quality import read_rules
from landbridge.settings import Ownership
from landbridge.settings._files import parsed_flow
from landbridge.settings._systems import read_systems
from landbridge.strict import Node, csv, json, xml, yaml
from landbridge.translator import Tables, Translator

ROOT = Path(__file__).resolve().parents[2]
SLOW = 1.0
"""Seconds of processor time that one text may cost at most."""

NUMBERS = ["0.1", "-0", "1e400", "1E+3", "NaN", "-Infinity", "00", "9" * 40, "1" + "0" * 5000, "0.30000000000000004"]
TEXTS = ["\\u0000", "\\ud800", "\\ud83d\\ude00", "é", "e\u0301", "\u202e", "\ufeff", "😀", "\x00", "\x1b[2J", "\u2028"]
PIECES: dict[str, list[str]] = {
    "yaml": [
        *["&a ", "*a", "!!python/object:os.system ", "!t ", "<<: ", "---\n", "...\n", "%YAML 1.1\n", "\t", "\r", "- "],
        *[
            "? ",
            ": ",
            ">",
            "|\n",
            "#",
            "{a: ",
            "[",
            "]",
            "}",
            "'",
            '"',
            "@",
            "`",
            "NO",
            "on",
            "0o17",
            "12:30",
            "~",
            "01",
        ],
        *["null", "true", "env:NOPE", "extends: x\n", "a: 1\n", "2026-11-22", ".inf", "1_000", "\\", *TEXTS, *NUMBERS],
    ],
    "json": ["{", "}", "[", "]", '"', ",", ":", "\\", "/**/", "null", "true", '"a":1,', '{"a":', *TEXTS, *NUMBERS],
    "csv": [
        ",",
        ";",
        "\t",
        '"',
        '""',
        '"x"y',
        "\r",
        "\n",
        "\r\n",
        "=cmd|' /C calc'!A0",
        "x" * 140_000,
        *TEXTS,
        *NUMBERS,
    ],
    "xml": [
        *["<!DOCTYPE a>", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "<!ENTITY", "&x;", "&#0;", "&amp;"],
        *["<?xml version='1.0' encoding='utf-7'?>", "<![CDATA[", "]]>", "<!--", "-->", "<?", "?>", "</a>", "<a>", "<"],
        *["xmlns:x='http://www.w3.org/2001/XInclude'", "<xi:include href='file:///etc/passwd'/>", *TEXTS, *NUMBERS],
    ],
}
VALUES = [
    b"9" * 40,
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"''",
    b"-1",
    b"1.5",
    b"99999999999w",
    b"env:NOPE",
    b'"x y"',
    b"NO",
    b"a.b[0]",
]
_WORD = re.compile(rb"[\w.\-]+")
BYTES = [b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\x80"]


@dataclass
class Counts:
    """What became of the mutants of one kind."""

    mutants: int = 0
    refused: int = 0
    wrong: int = 0
    slow: int = 0
    slowest: float = 0.0
    examples: list[str] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        """Take the counts of another part in."""
        self.mutants += other.mutants
        self.refused += other.refused
        self.wrong += other.wrong
        self.slow += other.slow
        self.slowest = max(self.slowest, other.slowest)
        self.examples = (self.examples + other.examples)[:20]


def mutate(source: bytes, kind: str, chance: random.Random) -> bytes:
    """The source with one to eight wounds: bytes, tokens, whole lines, repetitions, a cut."""
    content = bytearray(source)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(content) + 1)
        way = chance.randrange(13)
        if way == 0:
            content[at : at + 1] = bytes([chance.randrange(256)])
        elif way <= 2:
            content[at:at] = chance.choice(PIECES[kind]).encode("utf-8", "surrogatepass")
        elif way == 3:
            content[at:at] = chance.choice(BYTES)
        elif way == 4:
            del content[at : at + chance.randrange(1, 12)]
        elif way == 5:
            start = chance.randrange(len(content) + 1)
            content[at:at] = content[start : start + chance.randrange(1, 60)]
        elif way == 6:
            lines = bytes(content).split(b"\n")
            lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
            content = bytearray(b"\n".join(lines))
        elif way == 7:
            content[at:at] = chance.choice(PIECES[kind])[:20].encode("utf-8", "surrogatepass") * chance.choice((2, 300))
        elif way == 8 and chance.random() < 0.5:
            del content[at:]
        elif way > 8 and (words := list(_WORD.finditer(content))):  # the grammar stays whole, so that models see it
            word, other = chance.choice(words), chance.choice(words).group()
            new = chance.choice((other, chance.choice(NUMBERS).encode(), chance.choice(VALUES)))
            content[word.start() : word.end()] = new
    return bytes(content)


Reader = Callable[[bytes], Any]
Truth = Callable[[bytes, Any], bool]
"""Whether a value that was read is what the bytes say, by a reader that is not ours."""


def hunt(
    kind: str, sources: Mapping[str, bytes], readers: Mapping[str, Reader], error: type[Exception], truth: Truth,
    *, number: int, seed: int, until: float | None = None,
) -> Counts:  # fmt: skip
    """Read `number` mutants of the sources, fewer if `until` (monotonic) comes first."""
    chance = random.Random(f"{seed} {kind}")
    names = sorted(sources)
    found = Counts()
    for _ in range(number):
        if until is not None and time.monotonic() > until:
            break
        name = chance.choice(names)
        content = mutate(sources[name], kind, chance)
        started = time.process_time()
        try:
            value = readers[name](content)
            right = True
        except error as refused:
            found.refused += 1
            right, value = _placed(refused), _REFUSED
        except Exception as wrong:  # noqa: BLE001 - which exceptions get out is what is counted
            right, value = False, _REFUSED
            found.examples.append(f"{name}: {type(wrong).__name__}: {content[:200]!r}")
        spent = time.process_time() - started
        if right and value is not _REFUSED and not _true(truth, content, value):
            right = False
            found.examples.append(f"{name}: another value than {content[:200]!r} says")
        found.mutants += 1
        found.wrong += not right
        found.slow += spent > SLOW
        found.slowest = max(found.slowest, spent)
    found.examples = found.examples[:20]
    return found


_REFUSED = object()


def _true(truth: Truth, content: bytes, value: Any) -> bool:
    try:
        return truth(content, value)
    except (ConfigError, Invalid):  # what was taken cannot be written, or what was written cannot be read
        return False


def _placed(error: Exception) -> bool:
    """A refusal says what and where, and what to do."""
    if isinstance(error, ConfigError):
        return bool(error.problems) and all(one.file and one.message for one in error.problems)
    return isinstance(error, Invalid) and bool(error.findings) and all(one.message for one in error.findings)


# -- YAML --------------------------------------------------------------------------------------------------------------


def yaml_sources() -> dict[str, bytes]:
    """The shipped files of every kind of configuration, by path."""
    folders = [ROOT / "config", ROOT / "mappings"]
    return {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*.yaml"))
        if path.stat().st_size < 8_000
    }


def yaml_readers(names: Iterator[str] | list[str]) -> dict[str, Reader]:
    """Each file with the whole way it is read: bytes, YAML, its model, for a mapping its compiler."""
    canonical = Canonical.load(ROOT / "schemas" / "canonical")
    tables = Tables(ROOT / "config")
    translator = Translator(ROOT / "mappings", tables, canonical)
    registry = Registry()

    def reader(name: str) -> Reader:
        stem = Path(name).stem

        def node(content: bytes) -> Node:
            return yaml.load(content, file=name)

        def flow(content: bytes) -> Any:
            return parsed_flow(node(content), stem)

        def rules(content: bytes) -> Any:
            return read_rules(node(content), stem, canonical)

        def mapping(content: bytes) -> Any:
            return translator.build(node(content), stem)

        def systems(content: bytes) -> Any:
            found = node(content)
            if found.is_mapping:
                _, problems = read_systems(found, None, registry, only=None, offline=True, root=ROOT)
                if problems:
                    raise ConfigError(problems)
            return found

        def ownership(content: bytes) -> Any:
            return yaml.validate(node(content), Ownership)

        if name.startswith("config/flows/"):
            return flow
        if name.startswith("config/quality/"):
            return rules
        if name.startswith("mappings/"):
            return mapping
        return {"config/systems.yaml": systems, "config/ownership.yaml": ownership}.get(name, node)

    return {name: reader(name) for name in names}


def yaml_mutants(number: int, seed: int, until: float | None = None) -> Counts:
    """Mutated configuration files of every kind."""
    sources = yaml_sources()
    readers = yaml_readers(list(sources))
    # no second opinion: a reader that is not ours takes the surprises of YAML that ours refuses
    return hunt("yaml", sources, readers, ConfigError, lambda *_: True, number=number, seed=seed, until=until)


# -- payloads ----------------------------------------------------------------------------------------------------------

JSON: dict[str, bytes] = {
    "a page of orders": """{"totalSize": 2, "done": false, "nextRecordsUrl": "/services/data/v61.0/query/01g-2000",
 "records": [{"Id": "801000000000000002", "n": -12.50, "big": 12345678901234567890, "e": 1.5e-7, "ok": true, "no": null,
 "t": "M\\u00fcnchen \\ud83d\\ude00 柏林", "lines": [{"a": 1, "b": [0.1, 19.99999999999999999]}, {}]}]}""".encode(),
    "odata": b'{"d":{"results":[{"SalesOrder":"1","TotalNetAmount":"100.00","d":"/Date(1762300800000)/","x":[]}]}}',
    "an event": b'{"specversion":"1.0","id":"a-1","type":"sap.order.changed.v1","source":"/x","data":{"key":"4711"}}',
    "numbers": b"[0, -1, 1.0, 0.1, 1e5, 1E-7, 123456789012345678901234567890, 0.30000000000000004, -0.0, 2.50]",
}
CSV: dict[str, bytes] = {
    "customers": 'id,name,city,credit\r\n1,"Müller, Söhne",Köln,12.5\r\n2,"say ""x""",柏林,-1\r\n\r\n3,,,\r\n'.encode(),
    "lines in a field": b'id,text\r\n1,"first\r\nsecond"\r\n2,"=1+1"\r\n3,"a\nb"\r\n',
}
XML: dict[str, bytes] = {
    "soap": """<?xml version="1.0" encoding="utf-8"?>\n<!-- c --><s:Envelope xmlns:s="urn:s" a="1"><s:Body>x &amp;
 &#252; 柏林<![CDATA[<raw>]]></s:Body><c/></s:Envelope>""".encode(),
    "order": b"<order id='1'><line no='10'><qty>1.50</qty><text>a&lt;b</text></line><line no='20'/></order>",
}


def exact(value: Any) -> Any:
    """A value with every float as the Decimal that its shortest text says."""
    if isinstance(value, dict):
        return {key: exact(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [exact(inner) for inner in value]
    return Decimal(repr(value)) if isinstance(value, float) else value


def json_says(content: bytes, value: Any) -> bool:
    """Whether the standard library reads the same, every number exact, and whether it is written back the same."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(found)) != len(found):
            raise ValueError("a key twice")
        return dict(found)

    try:
        expected = stdlib_json.loads(content.decode("utf-8-sig"), parse_float=Decimal, object_pairs_hook=pairs)
    except ValueError:
        return False
    return bool(exact(value) == expected and exact(json.loads(json.dumps(value))) == expected)


def csv_read(content: bytes) -> list[list[str]]:
    """Every row, screened as the connector does."""
    dialect = csv.Dialect()
    csv.Screen("m.csv", dialect.encoding).feed(content)
    return [row for _, row in csv.numbered(io.BytesIO(content), dialect, "m.csv")]


def csv_says(content: bytes, value: Any) -> bool:
    """Whether the standard library reads the same, and whether what is written is read the same again."""
    expected = list(stdlib_csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    full = [["a heading"], *(row for row in value if row)]  # else a cell's own U+FEFF would be the file's mark
    return bool(value == expected and csv_read(csv.written(full, csv.Dialect())) == full)


def xml_says(content: bytes, value: Any) -> bool:
    """Whether no entity was taken and the standard library sees the same elements."""
    try:
        # expat knows UTF-8 by its full name alone; "utf8" is the same encoding, and we read it
        expected = ElementTree.fromstring(re.sub(rb"(?i)(encoding=[\"'])utf8(?=[\"'])", rb"\1utf-8", content, count=1))
    except (ElementTree.ParseError, ValueError, LookupError):
        return False
    ours, theirs = (
        [(one.tag, one.text, one.tail, dict(one.attrib)) for one in root.iter()] for root in (value, expected)
    )
    return ours == theirs


PAYLOADS: dict[str, tuple[dict[str, bytes], Reader, Truth]] = {
    "json": (JSON, json.loads, json_says),
    "csv": (CSV, csv_read, csv_says),
    "xml": (XML, xml.parse, xml_says),
}


def payload_mutants(kind: str, number: int, seed: int, until: float | None = None) -> Counts:
    """Mutated payloads: `json`, `csv` or `xml`."""
    sources, read, truth = PAYLOADS[kind]
    readers = dict.fromkeys(sources, read)
    return hunt(kind, sources, readers, Invalid, truth, number=number, seed=seed, until=until)


FULL = {"yaml": 100_000, "json": 1_000_000, "csv": 100_000, "xml": 100_000}
"""How many mutants the whole run reads of each kind."""


def hostile_input(seed: int, budget: float | None = None, numbers: Mapping[str, int] | None = None) -> dict[str, Any]:
    """The whole run, each kind with its share of `budget` (seconds); the counts, as `make faults` prints them.

    `bad_input_wrong` counts what was answered by another exception than ours or by another value: each would be a 5xx.
    """
    numbers = numbers or FULL
    told: dict[str, Any] = {"seed": seed}
    wrong = slow = 0
    left = budget
    for place, (kind, number) in enumerate(numbers.items()):
        began = time.monotonic()
        until = None if left is None else began + left / (len(numbers) - place)
        found = yaml_mutants(number, seed, until) if kind == "yaml" else payload_mutants(kind, number, seed, until)
        told[f"{kind}_mutants"], told[f"{kind}_refused"] = found.mutants, found.refused
        told[f"{kind}_slowest_ms"] = round(found.slowest * 1000)
        wrong, slow = wrong + found.wrong, slow + found.slow
        told.setdefault("examples", []).extend(found.examples)
        left = None if left is None else left - (time.monotonic() - began)
    return {**told, "bad_input_wrong": wrong, "bad_input_slow": slow, "bad_input_5xx": wrong + slow}
