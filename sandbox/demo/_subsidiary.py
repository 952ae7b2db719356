"""The Tryton of a trading house that the company takes over: a real one, built and started while others set up."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

from sandbox.tryton import PARTIES, Client, Tryton, Unobtainable, listen

_WITHIN = 240.0
"""Seconds for which its people are waited for: the first time it is fetched and built, some twenty seconds of work."""


class Subsidiary:
    """Its address is known at once, and calls wait there until it runs; `missing` says why, where it cannot be had."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._listening, self._password = folder, listen(), secrets.token_urlsafe(24)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.missing = ""
        self._tryton: Tryton | None = None
        self._there, self._over = threading.Event(), threading.Event()
        self._user = "landbridge"
        # Tryton dies with the thread that started it, so this one stays until the end.
        self._thread = threading.Thread(target=self._run, name="subsidiary", daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """How an integration finds it."""
        return {
            "DEMO_SUBSIDIARY_URL": self.url,
            "DEMO_SUBSIDIARY_USER": self._user,
            "DEMO_SUBSIDIARY_PASSWORD": self._password,
        }

    def people(self) -> Client | None:
        """A session of its administrator, as soon as it runs; None, with the reason in `missing`, if it will not."""
        if not self._there.wait(_WITHIN):
            self.missing = f"its Tryton was not ready within {_WITHIN:.0f} s"
        return self._tryton.people if self._tryton is not None else None

    def close(self) -> None:
        """End it; one that is still being built ends with this process."""
        self._over.set()
        if self._there.is_set():
            self._thread.join()

    def _run(self) -> None:
        try:
            tryton = Tryton(self._folder, currency="EUR", recipe=PARTIES, listening=self._listening)
        except (Unobtainable, RuntimeError, OSError) as reason:
            self.missing = str(reason)
            self._listening.close()
            self._there.set()
            return
        with tryton:
            [user] = tryton.people.search("res.user", [["login", "=", self._user]])
            tryton.people.write("res.user", [user], {"password": self._password})
            self._tryton = tryton
            self._there.set()
            self._over.wait()
