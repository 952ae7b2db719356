"""A WSDL is read from one folder or one system, and from nowhere else; what it says is data of ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from wire_stub import reply, says, wire

from landbridge.errors import Denied, Rejected
from landbridge.net import Http, read_wsdl

HOUSE = Path("sandbox/soap")


@pytest.fixture
def folder(root: Path, tmp_path: Path) -> Path:
    """A WSDL with its schema, to be spoiled."""
    made = tmp_path / "wsdl"
    made.mkdir()
    for name in ("trade.wsdl", "trade.xsd"):
        (made / name).write_bytes((root / HOUSE / name).read_bytes())
    return made


def spoil(file: Path, change: Callable[[str], str]) -> None:
    text = file.read_text(encoding="utf-8")
    changed = change(text)
    assert changed != text
    file.write_text(changed, encoding="utf-8")


def test_operations_types_lengths_and_codes(folder: Path) -> None:
    ports = read_wsdl(str(folder / "trade.wsdl")).ports
    assert [(port.name, port.version) for port in ports] == [("Trade11", "1.1"), ("Trade12", "1.2")]
    party = ports[0].takes("SaveParty").fields["party"].type
    assert (party.fields["name"].type.length, party.fields["name"].required) == (80, True)
    assert (party.fields["note"].type.length, party.fields["note"].nillable) == (4000, True)
    assert party.fields["externalRef"].type.length == 64
    assert party.fields["creditLimit"].type.kind == "decimal"
    assert party.fields["foundedOn"].type.kind == "date"
    assert not party.fields["email"].required, "one side of a choice"
    assert party.fields["address"].repeated
    address = party.fields["address"].type
    assert address.fields["country"].type.codes == ("CN", "DE", "GB", "US")
    assert (address.fields["kind"].attribute, address.fields["kind"].required) == (True, True)
    order = ports[0].takes("SaveOrder").fields["order"].type
    assert order.fields["status"].type.codes == ("open", "closed", "cancelled"), "a type without a name"
    assert ports[0].takes("FindParties").fields["page"].type.kind == "integer"


def test_it_is_parsed_once_until_a_file_changes(folder: Path) -> None:
    path = str(folder / "trade.wsdl")
    first = read_wsdl(path)
    assert read_wsdl(path) is first
    spoil(folder / "trade.xsd", lambda text: text.replace('value="80"', 'value="8000"'))
    again = read_wsdl(path)
    assert again is not first
    assert again.ports[0].takes("SaveParty").fields["party"].type.fields["name"].type.length == 8000


DTD = '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">'
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
FILE = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("doctype", [DTD, BOMB, FILE])
@pytest.mark.parametrize("name", ["trade.wsdl", "trade.xsd"])
def test_a_dtd_or_an_entity_is_refused(folder: Path, name: str, doctype: str) -> None:
    spoil(folder / name, lambda text: text.replace("?>", f"?>{doctype}", 1))
    with pytest.raises(Denied, match="DOCTYPE") as caught:
        read_wsdl(str(folder / "trade.wsdl"))
    assert caught.value.hint
    assert caught.value.sent is False


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:9/trade.xsd", "../secret.xsd", "/etc/passwd", "file:///etc/passwd", "ftp://x/trade.xsd"],
)
def test_an_import_from_elsewhere_is_refused(folder: Path, location: str) -> None:
    (folder.parent / "secret.xsd").write_bytes((folder / "trade.xsd").read_bytes())
    spoil(
        folder / "trade.wsdl", lambda text: text.replace('schemaLocation="trade.xsd"', f'schemaLocation="{location}"')
    )
    with pytest.raises(Denied) as caught:
        read_wsdl(str(folder / "trade.wsdl"))
    assert caught.value.hint


def test_a_link_that_leads_out_of_the_folder_is_refused(folder: Path) -> None:
    outside = folder.parent / "outside.xsd"
    outside.write_bytes((folder / "trade.xsd").read_bytes())
    (folder / "trade.xsd").unlink()
    (folder / "trade.xsd").symlink_to(outside)
    with pytest.raises(Denied, match="outside its own folder"):
        read_wsdl(str(folder / "trade.wsdl"))


def test_an_include_below_the_folder_is_read(folder: Path) -> None:
    (folder / "types").mkdir()
    (folder / "trade.xsd").rename(folder / "types" / "trade.xsd")
    spoil(folder / "trade.wsdl", lambda text: text.replace('"trade.xsd"', '"types/trade.xsd"'))
    assert "SaveParty" in read_wsdl(str(folder / "trade.wsdl")).ports[0].operations


def test_a_schema_that_is_not_there_or_is_broken_says_which(folder: Path) -> None:
    (folder / "trade.xsd").unlink()
    with pytest.raises(Denied, match=r"trade\.xsd: no such file"):
        read_wsdl(str(folder / "trade.wsdl"))
    (folder / "trade.xsd").write_text("<a>", encoding="utf-8")
    with pytest.raises(Denied, match=r"trade\.xsd: .*not XML"):
        read_wsdl(str(folder / "trade.wsdl"))
    (folder / "trade.xsd").write_text('<schema xmlns="http://www.w3.org/2001/XMLSchema"/>', encoding="utf-8")
    with pytest.raises(Denied, match="cannot be understood"):
        read_wsdl(str(folder / "trade.wsdl"))
    (folder / "other.wsdl").write_text('<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>', encoding="utf-8")
    with pytest.raises(Denied, match="no SOAP port"):
        read_wsdl(str(folder / "other.wsdl"))


def test_a_wsdl_of_the_system_imports_from_the_system_only(folder: Path) -> None:
    wsdl, xsd = (folder / "trade.wsdl").read_bytes(), (folder / "trade.xsd").read_bytes()
    with wire(says(reply(body=wsdl), reply(body=xsd))) as server:
        assert read_wsdl(f"{server.url}/trade.wsdl", Http("house", server.url)).ports
    for stranger in ("https://evil.example/x.xsd", "http://169.254.169.254/x", "file:///etc/passwd", "/etc/passwd"):
        bad = wsdl.replace(b'schemaLocation="trade.xsd"', f'schemaLocation="{stranger}"'.encode())
        with wire(says(reply(body=bad), reply(status=404))) as server:
            with pytest.raises(Denied):
                read_wsdl(f"{server.url}/trade.wsdl", Http("house", server.url))
            assert len(server.requests) <= 2
            assert all(re.match(r"GET /\S* HTTP", request) for request in server.requests)


def test_a_wsdl_of_a_stranger_is_not_asked_for() -> None:
    with pytest.raises(Denied, match="not an address of this system"):
        read_wsdl("https://evil.example/trade?wsdl", Http("house", "https://trade.example"))


@pytest.mark.parametrize("action", ["urn:x&#10;X-Evil: 1", "urn:x&quot; evil", "urn:a b"])
def test_a_soap_action_cannot_smuggle_a_header(folder: Path, action: str) -> None:
    old = 'soapAction="urn:landbridge:sandbox:trade/WhoAmI"'
    spoil(folder / "trade.wsdl", lambda text: text.replace(old, f'soapAction="{action}"'))
    for port in read_wsdl(str(folder / "trade.wsdl")).ports:
        with pytest.raises(Denied, match="SOAPAction"):
            port.request("WhoAmI", {})


def test_characters_that_xml_has_not_are_refused_unsent(folder: Path) -> None:
    port = read_wsdl(str(folder / "trade.wsdl")).ports[0]
    with pytest.raises(Rejected) as caught:
        port.request("FindPartyByReference", {"externalRef": "a\x00b"})
    assert caught.value.sent is False


VENDORS = {
    "salesforce/partner_v58.wsdl": ("upsert", "result"),
    "salesforce/outbound_message_notification_example.wsdl": ("notifications", "Ack"),
    "netsuite/netsuite.wsdl": ("searchMoreWithId", "searchResult"),
    "workday/Human_Resources.wsdl": ("Get_Workers", "Response_Data"),
    "workday/Integrations.wsdl": ("Launch_Integration", ""),
}


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendors_own_wsdl_is_read_and_described(root: Path, name: str) -> None:
    """The files stay where they are; this is skipped on a machine that has not got them."""
    path = root.parent / "shared" / "specs" / name
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine")
    [port] = read_wsdl(str(path)).ports
    operation, answer = VENDORS[name]
    assert operation in port.operations
    if answer:
        assert answer in port.gives(operation).fields or answer == "Ack"
    assert all(port.takes(each) is not None and port.gives(each) is not None for each in port.operations)
