"""A headless Chromium over its own debugging protocol: go somewhere, wait for text, read it, take a picture."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1500,1000",
    "--remote-debugging-port=0", "--remote-debugging-address=127.0.0.1",
)  # fmt: skip


def program() -> str | None:
    """Where Chromium is, if it is."""
    return next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )


class Page:
    """One tab."""

    def __init__(self, line: ClientConnection, session: str = "") -> None:
        self._line, self._numbers, self._session = line, itertools.count(1), session

    def call(self, method: str, **params: Any) -> Any:
        """One command of the protocol, and its result."""
        number = next(self._numbers)
        told: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            told["sessionId"] = self._session
        self._line.send(json.dumps(told))
        while True:
            answer = json.loads(self._line.recv(timeout=30))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def attach(self) -> None:
        """Open a tab; everything after this is said to it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def go(self, url: str) -> None:
        """Open an address."""
        self.call("Page.navigate", url=url)

    def text(self) -> str:
        """What a reader sees."""
        return str(self.evaluate("document.body ? document.body.innerText : ''") or "")

    def wait_for(self, *texts: str, within: float = 40.0) -> str:
        """Wait until the page shows all of these; fails with what it shows instead."""
        until = time.monotonic() + within
        while not all(text in (shown := self.text()) for text in texts):
            assert time.monotonic() < until, f"the page does not show {texts}: {shown[:2000]}"
            time.sleep(0.2)
        return shown

    def picture(self, file: Path) -> None:
        """Keep what it looks like."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A browser with a profile of its own in `folder`, gone behind the block."""
    found = program()
    assert found
    with (folder / "chromium.log").open("wb") as log:
        running = subprocess.Popen(
            [found, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"], stdout=log, stderr=log
        )
    try:
        port, path = _address(folder / "profile" / "DevToolsActivePort", running)
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None) as line:
            page = Page(line)
            page.attach()
            yield page
    finally:
        running.terminate()
        running.wait(20)


def _address(file: Path, running: subprocess.Popen[bytes]) -> tuple[str, str]:
    until = time.monotonic() + 30
    while not (file.is_file() and len(lines := file.read_text().split()) == 2):
        assert running.poll() is None and time.monotonic() < until, "Chromium does not start"
        time.sleep(0.05)
    return lines[0], lines[1]
