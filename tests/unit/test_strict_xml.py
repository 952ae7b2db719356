"""XML that attacks is refused at once, opening nothing; XML that does business is read."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from xml.parsers import expat

import pytest

from landbridge.errors import Invalid
from landbridge.strict import xml

_opened: list[str] = []
_watching = False


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and event in ("open", "os.open", "socket.connect", "socket.getaddrinfo", "urllib.Request", "import"):
        _opened.append(f"{event} {arguments[:1]}")


sys.addaudithook(_watch)


@pytest.fixture
def nothing_is_opened() -> Iterator[None]:
    global _watching
    _opened.clear()
    _watching = True
    yield
    _watching = False
    assert _opened == []


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
ATTACKS: dict[str, bytes] = {
    "billion laughs": f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "ha">{LAUGHS}]><l>&l9;</l>'.encode(),
    "quadratic blowup": f'<!DOCTYPE a [<!ENTITY x "{"A" * 50_000}">]><a>{"&x;" * 20_000}</a>'.encode(),
    "external file": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "external http": b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><a>&x;</a>',
    "parameter entity": b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]><a/>',
    "external dtd": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
    "doctype behind comments": b"\n<!-- <a> --><?x <a?>  <!-- -->\n<!DOCTYPE a><a/>",
    "doctype in utf-16": '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    "utf-16 without a mark": "<!DOCTYPE a><a/>".encode("utf-16-le"),
    "doctype in utf-7": b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE a+AD4APA-a/+AD4-',
    "utf-16 that claims utf-8": '<?xml version="1.0" encoding="utf-8"?><a/>'.encode("utf-16"),
    "utf-8 that claims utf-16": b'<?xml version="1.0" encoding="utf-16"?><a/>',
    "mark that contradicts": b'\xef\xbb\xbf<?xml version="1.0" encoding="iso-8859-1"?><a/>',
    "utf-32": '<?xml version="1.0"?><!DOCTYPE a><a/>'.encode("utf-32"),
    "ebcdic": '<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"),
    "xinclude": b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></a>',
    "deep nesting": b"<a>" * 100_000,
    "deep and closed": b"<a>" * 201 + b"</a>" * 201,
    "many attributes": b"<a " + b" ".join(b'a%d="1"' % i for i in range(100_000)) + b"/>",
    "huge name": b"<" + b"a" * 2_000_000,
    "entity without doctype": b"<a>&x;</a>",
    "doctype inside": b"<a><!DOCTYPE b><b/></a>",
    "second root": b"<a/><b/>",
    "nul": b"<a>\x00</a>",
    "bytes that are not utf-8": b"<a>M\xfcnchen</a>",
    "version 1.1": b'<?xml version="1.1"?><a/>',
    "comment without end": b"<!-- " + b"- " * 100_000,
    "html page": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "json": b'{"a": 1}',
    "empty": b"",
    "cut": b"<a><b>",
}


WITH_DOCTYPE = [name for name, data in ATTACKS.items() if b"<!DOCTYPE" in data and name != "doctype inside"]


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.usefixtures("nothing_is_opened")
def test_an_attack_is_refused_quickly_and_opens_nothing(name: str) -> None:
    started = time.process_time()
    with pytest.raises(Invalid) as caught:
        xml.parse(ATTACKS[name])
    assert time.process_time() - started < 0.1
    assert caught.value.findings[0].hint
    if "doctype" in name and "7" not in name:
        assert "DOCTYPE" in str(caught.value) or "not XML" in str(caught.value)


@pytest.mark.parametrize("name", WITH_DOCTYPE)
def test_a_doctype_is_refused_before_any_parser_sees_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def create(*_: object) -> None:
        raise AssertionError("the parser was asked")

    monkeypatch.setattr(expat, "ParserCreate", create)
    with pytest.raises(Invalid):
        xml.parse(ATTACKS[name])


def test_the_parser_itself_refuses_a_doctype_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "_check_prolog", lambda text: None)
    for name in ("billion laughs", "external file", "parameter entity", "external dtd", "doctype behind comments"):
        with pytest.raises(Invalid, match="DOCTYPE"):
            xml.parse(ATTACKS[name])


@pytest.mark.parametrize(
    "data",
    [
        '<a x="1">München</a>'.encode(),
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!-- <!DOCTYPE --><a x="1">München</a>'.encode(),
        '\ufeff<?xml version="1.0" encoding="utf-8"?><a x="1">München</a>'.encode(),
        '<?xml version="1.0" encoding="utf-16"?><a x="1">München</a>'.encode("utf-16"),
        '<?xml version="1.0" encoding="ISO-8859-1"?><a x="1">München</a>'.encode("latin-1"),
        "<?xml version='1.0' encoding='us-ascii'?><a x='1'>M&#252;nchen</a>".encode("ascii"),
    ],
)
def test_a_known_encoding_is_read(data: bytes) -> None:
    root = xml.parse(data)
    assert (root.tag, root.text, root.attrib) == ("a", "München", {"x": "1"})


def test_namespaces_texts_and_tails_are_as_elementtree_has_them() -> None:
    root = xml.parse(b'<s:E xmlns:s="urn:s"><s:B xml:lang="de">a<i/>b<![CDATA[<!DOCTYPE x>]]></s:B></s:E>')
    body = root[0]
    assert (root.tag, body.tag) == ("{urn:s}E", "{urn:s}B")
    assert body.attrib == {"{http://www.w3.org/XML/1998/namespace}lang": "de"}
    assert (body.text, body[0].tail) == ("a", "b<!DOCTYPE x>")


def test_limits_can_be_narrowed() -> None:
    with pytest.raises(Invalid, match="more than 2 elements"):
        xml.parse(b"<a><b/><c/></a>", xml.Limits(max_elements=2))
    with pytest.raises(Invalid, match="more than 5"):
        xml.parse(b"<a><b/></a>", xml.Limits(max_bytes=5))
