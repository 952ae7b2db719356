"""Reading: nothing is skipped, whatever happens between two pages."""

from __future__ import annotations

import pytest

from landbridge.contract._bench import Bench
from landbridge.contract._kit import Inbox, contract
from landbridge.errors import Denied, Failure


@contract
def pages_lose_nothing_and_end(bench: Bench) -> None:
    """Every record is told, oldest first, and a second reading tells nothing new."""
    keys: set[str] = set()
    for _ in range(4):
        keys |= set(bench.create(bench.page_size // 2 + 3))
        bench.tick()
    connector, inbox = bench.connector(), Inbox()
    inbox.take(connector, bench.source)
    assert keys <= inbox.known()
    assert all(row.body for row in inbox.rows)
    stamps = [row.stamp for row in inbox.rows if row.key in keys]
    assert stamps == sorted(stamps, key=str), "oldest first"
    assert inbox.take(connector, bench.source) == [], "nothing new, nothing told"


@contract
def resumes_after_any_page(bench: Bench) -> None:
    """Reading goes on after any page with the cursor alone."""
    keys: set[str] = set()
    for _ in range(5):
        keys |= set(bench.create(bench.page_size // 2 + 3))
        bench.tick()
    inbox = Inbox()
    for _ in range(40):
        inbox.take(bench.connector(), bench.source, pages=1)  # a new process each time: only the cursor is left
        if keys <= inbox.known():
            break
    assert keys <= inbox.known(), "reading one page at a time does not come to the end"


@contract
def more_rows_in_one_instant_than_a_page(bench: Bench) -> None:
    """More records with one stamp than fit a page are all told."""
    keys = set(bench.create(2 * bench.page_size + 5))
    inbox = Inbox()
    for _ in range(12):
        inbox.take(bench.connector(), bench.source, pages=1)
    missing = keys - inbox.known()
    assert not missing, f"{len(missing)} of {len(keys)} rows of one instant were skipped"


@contract
def late_commit_is_found(bench: Bench) -> None:
    """A record that becomes visible late, with an old stamp, is told."""
    connector, inbox = bench.connector(), Inbox()
    overlap = connector.entity(bench.source).overlap.total_seconds()
    bench.create(3)
    bench.tick(overlap / 2)
    bench.create(2)
    inbox.take(connector, bench.source)
    late = bench.late(overlap / 4)
    bench.tick()
    inbox.take(connector, bench.source)
    assert late in inbox.known(), "a row that was committed late with an old stamp was skipped"


@contract
def two_changes_in_one_second(bench: Bench) -> None:
    """The second of two changes with one stamp is told."""
    connector, inbox = bench.connector(), Inbox()
    [key] = bench.create(1)
    bench.tick()
    bench.change(key, "first")
    inbox.take(connector, bench.source)
    bench.change(key, "second")  # the same second: the same stamp
    inbox.take(connector, bench.source)
    last = [row for row in inbox.rows if row.key == key][-1]
    assert last.body is not None
    assert last.body[bench.text_field] == "second"


@contract
def changed_while_reading(bench: Bench) -> None:
    """What is changed or made between two pages is told."""
    keys = bench.create(2 * bench.page_size + 5)
    connector, inbox = bench.connector(), Inbox()
    bench.tick()
    pages = connector.read(bench.source, None)
    first = next(pages)
    inbox.cursor = first.cursor
    moved = [keys[0], keys[-1]]
    for key in moved:
        bench.change(key, "moved")
    new = bench.create(1)
    for page in pages:
        inbox.cursor = page.cursor
        inbox.rows += page.rows
    inbox.rows += first.rows
    bench.tick()
    inbox.take(connector, bench.source)
    assert set(keys) | set(new) <= inbox.known()
    for key in moved:
        texts = [row.body[bench.text_field] for row in inbox.rows if row.key == key and row.body]
        assert "moved" in texts, "a change made while reading was skipped"


@contract
def deleted_rows_are_told(bench: Bench) -> None:
    """A deletion is told, by the feed where the product can and by `fetch` in any case."""
    connector, inbox = bench.connector(), Inbox()
    key, other = bench.create(2)
    inbox.take(connector, bench.source)
    bench.tick()
    if bench.remove(key):
        bench.tick()
        told = inbox.take(connector, bench.source)
        assert [(row.key, row.action, row.body) for row in told if row.key == key] == [(key, "delete", None)]
    rows = {row.key: row for row in connector.fetch(bench.source, [key, other, key])}
    assert rows[key].action == "delete"
    assert rows[other].body is not None


@contract
def fetch_and_read_tell_the_same(bench: Bench) -> None:
    """`fetch` gives the body and stamp that `read` gave."""
    connector, inbox = bench.connector(), Inbox()
    keys = bench.create(3)
    inbox.take(connector, bench.source)
    read = {row.key: row for row in inbox.rows}
    for row in connector.fetch(bench.source, keys):
        assert (row.body, row.stamp, row.action) == (read[row.key].body, read[row.key].stamp, "upsert")


@contract
def keys_are_ascending_and_hash_the_content(bench: Bench) -> None:
    """`keys` is ascending, cuts at low and high, and its hash moves with the content."""
    connector = bench.connector()
    made = bench.create(bench.page_size + 2)
    before = {each.key: each.hash for each in connector.keys(bench.source)}
    assert set(made) <= set(before)
    assert list(before) == sorted(before)
    bench.tick()
    bench.change(made[0], "other")
    after = {each.key: each.hash for each in connector.keys(bench.source)}
    assert [key for key in made if before[key] != after[key]] == [made[0]]
    middle = sorted(before)[len(before) // 2]
    low = {each.key for each in connector.keys(bench.source, high=middle)}
    high = {each.key for each in connector.keys(bench.source, low=middle)}
    assert low | high == set(before)
    assert not low & high


@contract
def a_limit_is_kept_and_reading_goes_on(bench: Bench) -> None:
    """`limit` ends the reading early, and the cursor goes on from there."""
    keys = set(bench.create(bench.page_size + 5))
    connector, inbox = bench.connector(), Inbox()
    for page in connector.read(bench.source, None, limit=7):
        inbox.rows += page.rows
        inbox.cursor = page.cursor
    assert 0 < len(inbox.rows) <= max(7, bench.page_size)
    inbox.take(connector, bench.source)
    assert keys <= inbox.known()


@contract
def a_cursor_that_cannot_be_read_says_so(bench: Bench) -> None:
    """A cursor that is none is a Failure with a hint."""
    with pytest.raises(Failure) as caught:
        list(bench.connector().read(bench.source, '{"this is": "no cursor"}'))
    assert caught.value.hint


@contract
def a_cursor_from_the_future_is_refused(bench: Bench) -> None:
    """A cursor later than now is Denied: somebody's clock or store is wrong."""
    bench.create(1)
    connector, inbox = bench.connector(), Inbox()
    inbox.take(connector, bench.source)
    assert inbox.cursor is not None
    text = inbox.cursor.replace(str(bench.clock.now().year), "2399")
    assert text != inbox.cursor, "the cursor holds no date of this year"
    with pytest.raises(Denied, match="future"):
        list(connector.read(bench.source, text))
