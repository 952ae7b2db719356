"""The Salesforce sandbox as one object: an org with its records, its clock, its faults and its REST API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from sandbox._base import Clock, Document, Faults, Hooks, Inspect, Reply, State, with_sandbox
from sandbox._base.state import quoted
from sandbox.salesforce._app import Api, label
from sandbox.salesforce._auth import Sessions
from sandbox.salesforce._bulk import Bulk
from sandbox.salesforce._errors import SalesforceError
from sandbox.salesforce._ids import make_id, read_id
from sandbox.salesforce._objects import SOBJECTS, find_sobject
from sandbox.salesforce._outbound import Outbound
from sandbox.salesforce._query import Queries
from sandbox.salesforce._records import Author, Records
from sandbox.salesforce._schema import SObject

ORG_ID = "00D5g00000LNDBR"
_POD = "5g"
_OWN_FAULTS = {
    "row_lock": "rows `rows` ([0]) of the request are refused with UNABLE_TO_LOCK_ROW",
    "bulk_failed": "the bulk work that this request starts ends as Failed with `message`, after `rows` (0) rows",
}
BULK_BYTES = 150 * 1024 * 1024


class SalesforceSandbox:
    """One org; `state_dir` None keeps it in memory. `.app` serves it, the methods are the org's own people at work."""

    def __init__(
        self,
        state_dir: Path | None = None,
        *,
        clock: Clock | None = None,
        org_id: str | None = None,
        daily_limit: int = 1_000_000,
        session_seconds: float = 7200,
        bulk_queue: float = 1.0,
        bulk_work: float = 1.0,
        bulk_bytes: int = BULK_BYTES,
        outbound_first: float = 15.0,
        outbound_ca: str | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.state = State(state_dir / "salesforce.db" if state_dir else None)
        self.org_id = self.state.setting("org_id") or read_id(org_id or ORG_ID) or ORG_ID
        self.faults = Faults(kinds=_OWN_FAULTS)
        self.store = Records(self.state, _POD)
        self.sessions = Sessions(self.state, self.clock, self.org_id, seconds=session_seconds)
        self.queries = Queries(self.state, _POD)
        self.user_id = make_id("005", _POD, 1)
        self._found()
        self.outbound = Outbound(self.state, self.clock, self.org_id, _POD, first=outbound_first, ca=outbound_ca)
        self.store.saved = self.outbound.saved
        self.standard_pricebook_id: str = self.state.setting("standard_pricebook")
        self.bulk = Bulk(
            self.store, self.queries, self.clock, _POD, queue=bulk_queue, work=bulk_work, most_bytes=bulk_bytes
        )
        self.api = Api(
            self.store,
            self.queries,
            self.bulk,
            self.sessions,
            self.clock,
            org_id=self.org_id,
            daily_limit=daily_limit,
        )
        hooks = Hooks(error=_error, stale_token=self.sessions.revoke, label=label)
        self.app = with_sandbox(
            self.api,
            faults=self.faults,
            clock=self.clock,
            hooks=hooks,
            inspect=Inspect(self.counts, lambda name, where, limit: self.records(name, where, limit=limit)),
        )

    def insert(self, sobject: str, fields: Mapping[str, Any]) -> str:
        """Create a record as the org's own people would; returns its id."""
        with self.state.transaction():
            return self.store.create(_known(sobject), dict(fields), self._author())

    def bulk_insert(self, sobject: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Load many records fast and in constant memory, without look-ups of references and duplicates; counts them."""
        return sum(1 for _ in self.load(sobject, rows))

    def load(self, sobject: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """The same, giving the ids as they come."""
        return self.store.load(_known(sobject), (dict(row) for row in rows), self._author())

    def update(self, sobject: str, record_id: str, fields: Mapping[str, Any]) -> None:
        """Change fields of a record; null clears one."""
        with self.state.transaction():
            self.store.update(_known(sobject), record_id, dict(fields), self._author())

    def send_outbound(
        self, sobject: str, url: str, *, fields: Iterable[str] = (), when: Mapping[str, Any] | None = None
    ) -> str:
        """Send an outbound message to `url` whenever a record is saved that meets `when`; returns the action's id."""
        return self.outbound.add(_known(sobject), url, tuple(fields), when or {})

    def delete(self, sobject: str, record_id: str) -> None:
        """Put a record into the recycle bin."""
        with self.state.transaction():
            self.store.delete(_known(sobject), record_id, self._author())

    def merge(self, sobject: str, master_id: str, loser_id: str) -> None:
        """Merge two records; the loser is deleted with MasterRecordId naming the master."""
        with self.state.transaction():
            self.store.merge(_known(sobject), master_id, loser_id, self._author())

    def get(self, sobject: str, record_id: str) -> Document | None:
        """One record in whatever state, with all its stored fields, or None."""
        return self.state.get(_known(sobject).name, read_id(record_id) or record_id)

    def records(
        self, sobject: str, where: Mapping[str, Any] | None = None, *, limit: int | None = None, deleted: bool = False
    ) -> list[Document]:
        """Records whose fields equal those of `where`, in the order of their ids."""
        kind = _known(sobject)
        tests, params = ([] if deleted else ["IsDeleted = 0"]), []
        for name, value in (where or {}).items():
            field = kind.find(name)
            if field is None:
                raise ValueError(f"salesforce sandbox: {kind.name} has no field {name}")
            plain = quoted(field.name) if field.indexed else f"json_extract(_doc, '$.{field.name}')"
            tests.append(f"{'_id' if field.name == 'Id' else plain} IS ?")
            params.append(value)
        return self.state.find(kind.name, " AND ".join(tests), params, order="_id", limit=limit)

    def count(self, sobject: str, *, deleted: bool = False) -> int:
        """How many records there are; those in the recycle bin only if asked."""
        return self.state.count(_known(sobject).name, "" if deleted else "IsDeleted = 0")

    def counts(self) -> dict[str, int]:
        """How many records each object has."""
        return {name: self.count(name) for name in SOBJECTS}

    def query(self, soql: str) -> list[Document]:
        """All records of a query."""
        base, today = "/services/data/v62.0", self.clock.now().date()
        page = self.queries.run(soql, base, today)
        records: list[Document] = page["records"]
        while not page["done"]:
            page = self.queries.more(page["nextRecordsUrl"].rsplit("/", 1)[1], base, today)
            records += page["records"]
        return records

    def register_client(
        self,
        consumer_key: str,
        secret: str | None = None,
        certificate_pem: str | bytes | None = None,
        username: str = "integration@landbridge.example",
    ) -> str:
        """Make a connected app known that runs as this user (made where absent); returns the user's id."""
        found = self.store.find("User", "Username", username, limit=1)
        user = found[0]["Id"] if found else self.insert("User", _user(username))
        self.sessions.register(consumer_key, secret, certificate_pem, user)
        return user

    def open_session(self) -> str:
        """A fresh access token without the token endpoint."""
        return self.sessions.open(self.user_id).token

    def close(self) -> None:
        """Close the state; it stays on disk."""
        self.outbound.close()
        self.clock.close()
        self.state.close()

    def _author(self) -> Author:
        return Author(self.user_id, self.clock.now(), trusted=True)

    def _found(self) -> None:
        """The first records of a new org."""
        if self.state.setting("standard_pricebook"):
            return
        with self.state.transaction():
            self.state.remember("org_id", self.org_id)
            org = {"Id": self.org_id, "Name": "Landbridge Sandbox", "DefaultCurrencyIsoCode": "USD", "IsSandbox": True}
            self.insert("Organization", {**org, "InstanceName": "SBX1", "OrganizationType": "Developer Edition"})
            self.insert("User", {"Id": self.user_id, **_user("admin@landbridge.example")})
            self.state.next_number("id:User")
            book = {"Name": "Standard Price Book", "IsActive": True, "IsStandard": True}
            self.state.remember("standard_pricebook", self.insert("Pricebook2", book))


def _user(username: str) -> Document:
    return {"Username": username, "LastName": username.partition("@")[0], "Email": username, "IsActive": True}


def _known(sobject: str) -> SObject:
    found = find_sobject(sobject)
    if found is None:
        raise ValueError(f"salesforce sandbox: no object {sobject}; known are {', '.join(SOBJECTS)}")
    return found


def _error(status: int, kind: str) -> Reply:
    codes = {429: "REQUEST_LIMIT_EXCEEDED", 503: "SERVER_UNAVAILABLE"}
    error = SalesforceError(codes.get(status, "UNKNOWN_EXCEPTION"), "An unexpected error occurred.", status=status)
    return Reply(status, orjson.dumps([error.top()]), media_type="application/json;charset=UTF-8")
