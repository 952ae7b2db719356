"""What a hostile system sends over the line, and what hostile data must not put onto it."""

from __future__ import annotations

import gzip
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import pytest
from wire_stub import reply, says, wire

from landbridge.errors import Failure, Invalid, OutcomeUnknown, Unavailable
from landbridge.net import Http, NetSettings
from landbridge.strict import xml

ZEROS = b"0" * 20_000_000
BOMBS = {
    "gzip": ("gzip", gzip.compress(ZEROS)),
    "deflate": ("deflate", zlib.compress(ZEROS)),
    "bare deflate": ("deflate", zlib.compress(ZEROS)[2:-4]),
    "gzip in gzip": ("gzip, gzip", gzip.compress(gzip.compress(ZEROS))),
    "many members": ("gzip", gzip.compress(b"0" * 200_000) * 100),
    "x-gzip": ("x-gzip", gzip.compress(ZEROS)),
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize(("method", "kind"), [("GET", Unavailable), ("POST", OutcomeUnknown)])
def test_a_packed_bomb_in_a_reply_stops_at_the_limit(bomb: str, method: str, kind: type[Failure]) -> None:
    encoding, content = BOMBS[bomb]
    with (
        wire(says(reply(body=content, Content_Encoding=encoding))) as server,
        pytest.raises(kind, match="max_reply"),
    ):
        Http("crm", server.url, NetSettings(max_reply=1 << 20)).request(method, "/x")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip, gzip, gzip, gzip, gzip", "gzip;q"])
def test_what_is_not_packed_as_it_says_is_a_failure(encoding: str) -> None:
    with wire(says(reply(body=b"not packed at all", Content_Encoding=encoding))) as server:
        line = Http("crm", server.url, NetSettings(read=5))
        try:
            assert line.request("GET", "/x").content == b"not packed at all"
        except Unavailable as error:
            assert error.hint


BREAKS = [
    "\r\nX-Admin: 1",
    "\nX-Admin: 1",
    "\rX-Admin: 1",
    "\r\n\r\nGET /admin HTTP/1.1\r\n\r\n",
    "\x00",
    "\u010d\u010aX-Admin: 1",
]


@pytest.mark.parametrize("text", BREAKS)
def test_data_never_adds_a_line_to_a_request(text: str) -> None:
    """As a header it is refused; as path, query, form or JSON it is encoded."""
    with wire(says(reply())) as server:
        line = Http("crm", server.url)
        for headers in ({"X-Ref": f"a{text}"}, {f"X{text}": "a"}):
            with pytest.raises(Failure) as caught:
                line.request("GET", "/x", headers=headers)
            assert not caught.value.sent
        assert server.requests == []
        line.request("GET", f"/orders/a{text}")
        line.request("GET", "/orders", params={"q": f"a{text}", f"k{text}": "b"})
        line.request("POST", "/orders", form={"q": f"a{text}"})
        line.request("POST", "/orders", json={"q": f"a{text}"})
        assert len(server.requests) == 4
        for request in server.requests:
            head = request.partition("\r\n\r\n")[0]
            assert "X-Admin" not in head.replace("%0D", "").split("\r\n", 1)[1]
            assert request.count(" HTTP/1.1\r\n") == 1


def test_attacks_in_xml_open_no_file_and_no_socket_in_a_process_of_their_own(tmp_path: Path) -> None:
    """The interpreter itself tells every `open` and every connection, from its start."""
    secret = tmp_path / "secret"
    secret.write_text("c4n4ry")
    program = textwrap.dedent(
        """
        import sys, time
        from landbridge.errors import Invalid
        from landbridge.strict import xml
        sys.path.insert(0, sys.argv[1])
        from test_strict_xml import ATTACKS
        attacks = [data.replace(b"/etc/passwd", sys.argv[2].encode()) for data in ATTACKS.values()]
        try:
            xml.parse(b"<a>")
        except Invalid:
            pass
        seen = []
        watched = ("open", "os", "socket", "urllib")
        sys.addaudithook(lambda event, args: seen.append(event) if event.partition(".")[0] in watched else None)
        slowest = 0.0
        for data in attacks:
            began = time.process_time()
            try:
                xml.parse(data)
            except Invalid:
                slowest = max(slowest, time.process_time() - began)
            else:
                raise SystemExit(f"taken: {data[:80]!r}")
        found = list(seen)
        open(sys.argv[2]).close()
        assert "open" in seen, "the hook hears nothing"
        assert not found, found
        assert slowest < 0.1, slowest
        print(len(attacks))
        """
    )
    here = str(Path(__file__).resolve().parent)
    done = subprocess.run(
        [sys.executable, "-c", program, here, str(secret)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 14


@pytest.mark.parametrize("depth", [201, 100_000])
def test_depth_is_refused_before_it_costs(depth: int) -> None:
    with pytest.raises(Invalid):
        xml.parse(b"<a>" * depth + b"</a>" * depth)
