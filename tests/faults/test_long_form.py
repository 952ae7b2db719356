"""The long form is cut by its budget, goes on where it was, tells wrongs with their seed, and writes its table."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import chunks
import figures_page
import lanes
import long_form
import pytest
from chunks import Part


class Here:
    """Two lanes in this process; what was begun last is done first, as lanes do not keep an order."""

    def __init__(self, number: int = 2) -> None:
        self.free, self.busy = 2, []

    def begin(self, asked: lanes.Asked) -> None:
        self.free -= 1
        self.busy.append(asked)

    def wait(self) -> lanes.Measured:
        self.free += 1
        asked = self.busy.pop()
        [part] = [one for one in chunks.parts() if one.name == asked.part]
        return lanes.measured(part, None, asked)

    def close(self) -> None:
        return


def _dies_at_one(line) -> None:
    """A lane that ends at chunk 1, and measures all others."""
    while (asked := line.recv()).chunk != 1:
        line.send(lanes.Measured(asked, {"kills": 1}, 0.0))


@pytest.fixture
def parts(monkeypatch, tmp_path):
    """Two parts without processes; what they were called with."""
    called: list[tuple[str, int, int]] = []

    def run(name):
        def one(place, chunk, seed):
            called.append((name, chunk, seed))
            if (name, chunk) == ("lines", 1):
                raise AssertionError("C: {'lost': ['O-1 v1']}")
            return {"kills": 5, "lost": 0, "longest_resume_s": chunk, "planted": 1, "planted_caught": 1}

        return Part(name, 2, one)

    monkeypatch.setattr(chunks, "parts", lambda: [run("kills"), run("lines")])
    monkeypatch.setattr(long_form, "ROOT", tmp_path)
    return called


def test_it_goes_on_where_it_was_and_adds_up(parts):
    kept = long_form.Kept(7)
    assert not long_form.measure(Here(), kept, 0.0, "")
    assert parts == []
    assert long_form.measure(Here(), kept, 60.0, "kills")
    again = long_form.Kept(7)
    assert {part: sorted(done) for part, done in again.done.items()} == {"kills": [0, 1]}
    assert long_form.measure(Here(), again, 60.0, "")
    assert sorted(parts) == [("kills", 0, 7000), ("kills", 1, 7001), ("lines", 0, 7000), ("lines", 1, 7001)]
    assert again.figures["kills"] == 15 and again.figures["longest_resume_s"] == 1
    assert again.figures["longest_load"] >= 0
    assert again.figures["failed"] == 1 and "seed 7001" in again.figures["wrongs"][0]


def test_a_lane_that_ends_by_itself_is_told_and_the_others_go_on(parts):
    three = lanes.Lanes(3, _dies_at_one)
    try:
        kept = long_form.Kept(7)
        assert long_form.measure(three, kept, 60.0, "")
    finally:
        three.close()
    assert kept.figures["kills"] == 2 and kept.figures["failed"] == 2


def test_the_table_says_n_and_bound_and_hides_no_wrong(tmp_path):
    page = tmp_path / "promises.md"
    page.write_text(f"before\n{figures_page.BEGIN}\nold\n{figures_page.END}\nafter\n")
    at = datetime(2026, 11, 22, tzinfo=UTC)
    figures_page.write(page, {"kills": 800, "replies": 10, "bad_replies": 3}, 7, ["abc"], at)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "800 kills | 0 lost, 0 duplicated | < 0.0037 each" in text and "seed 7 at commit abc" in text
    figures_page.write(page, {"kills": 800, "lost": 1}, 7, ["abc"], at)
    assert "800 kills | 1 lost, 0 duplicated | – |" in page.read_text()


@pytest.mark.parametrize(("figures", "code"), [({"kills": 1}, 0), ({"lost": 1}, 1), ({"planted": 2}, 1)])
def test_the_last_line_is_one_json_object(parts, monkeypatch, capsys, figures, code):
    monkeypatch.setattr(long_form, "Lanes", Here)
    monkeypatch.setattr(chunks, "parts", lambda: [Part("one", 1, lambda place, chunk, seed: figures)])
    monkeypatch.setenv("ONLY", "one")
    monkeypatch.setenv("SEED", "7")
    assert long_form.main() == code
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last.keys() >= set(long_form.FIRST) and last["seed"] == 7 and last["whole"]


def test_what_is_promised_is_what_the_whole_run_does():
    """The numbers of the figures, from the parts themselves."""
    number = {part.name: part.chunks for part in chunks.parts()}
    assert number["lines spoiled"] == 8 * 3 * 3
    assert len({chunks.line_of(chunk) for chunk in range(number["lines spoiled"])}) == 72
    assert number["workers killed"] * chunks.KILLED[0] >= 10_000 and number["workers killed"] * chunks.KILLED[1] >= 800
    assert number["databases crashed"] * chunks.CRASHED[1] >= 200
    assert number["workers paused"] * chunks.PAUSED[1] >= 500
    assert number["receivers killed"] * chunks.RECEIVED[1] >= 200
