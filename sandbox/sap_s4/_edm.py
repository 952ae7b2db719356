"""The data model of a service, read from the compact field lists of `_fields_*`.

Notation: an unindented line opens an entity set (`no=CUD` lists what it forbids), `key:` names its keys, a line
`TYPE FLAGS: names` declares properties, `> name Set multiplicity` a navigation. Types: S35 String, D0 DateTime,
O7 DateTimeOffset, T0 Time, N16.3 Decimal, B Boolean, G Guid, I2 Int16, I4 Int32, F Double, Y Byte. Flags: `ro` neither
creatable nor updatable, `-c -u -f -s` not creatable, updatable, filterable, sortable, `req` not nullable,
`etag` ConcurrencyMode=Fixed, `unit=Name`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

EDM = {
    "S": "Edm.String",
    "D": "Edm.DateTime",
    "O": "Edm.DateTimeOffset",
    "T": "Edm.Time",
    "N": "Edm.Decimal",
    "B": "Edm.Boolean",
    "G": "Edm.Guid",
    "I2": "Edm.Int16",
    "I4": "Edm.Int32",
    "F": "Edm.Double",
    "Y": "Edm.Byte",
}
_ETAGS = {"A_BusinessPartner": "ETag"}  # its metadata is silent; the system asks for If-Match all the same
_MONEY = frozenset({"TransactionCurrency", "Currency", "PurchaseOrderCurrency"})


@dataclass(frozen=True, slots=True)
class Property:
    """One property with what the vendor's metadata says about it."""

    name: str
    kind: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    creatable: bool = True
    updatable: bool = True
    filterable: bool = True
    sortable: bool = True
    nullable: bool = True
    etag: bool = False
    unit: str | None = None

    @property
    def edm(self) -> str:
        """The Edm type name."""
        return EDM[self.kind]

    @property
    def money(self) -> bool:
        """Whether it is an amount, which is written with two places at least."""
        return self.unit in _MONEY

    @property
    def default(self) -> str | bool | int | None:
        """What an unset value reads as: ABAP's initial value."""
        if self.kind == "N":
            return "0.00" if self.money else "0"
        if self.kind == "S":
            return ""
        if self.kind == "B":
            return False
        return 0 if self.kind in ("I2", "I4", "Y") else None


@dataclass(frozen=True, slots=True)
class Navigation:
    """A navigation property and the (own, theirs) properties that join it."""

    name: str
    target: str
    multiplicity: str
    join: tuple[tuple[str, str], ...] = ()

    @property
    def many(self) -> bool:
        """Whether it leads to a collection."""
        return self.multiplicity == "*"


@dataclass(frozen=True)
class EntitySet:
    """An entity set with its type; `root` and `root_key` say which document of the store holds its entities."""

    name: str
    keys: tuple[str, ...]
    properties: Mapping[str, Property]
    navigations: Mapping[str, Navigation]
    creatable: bool = True
    updatable: bool = True
    deletable: bool = True
    root: str = ""
    root_key: str | None = None
    defaults: Mapping[str, str | bool | int | None] = field(default_factory=dict)
    timed: tuple[tuple[str, str], ...] = ()
    etag: str | None = None

    @property
    def type_name(self) -> str:
        """The name of its entity type."""
        return f"{self.name}Type"

    @property
    def is_root(self) -> bool:
        """Whether its entities are documents of the store themselves."""
        return self.root == self.name


@dataclass(frozen=True)
class Function:
    """A function import by POST; parameters are (name, kind, length)."""

    name: str
    parameters: tuple[tuple[str, str, int | None], ...]
    returns: str


@dataclass(frozen=True)
class Service:
    """One OData service: name, version and what its metadata declares."""

    name: str
    version: str
    sets: Mapping[str, EntitySet]
    functions: Mapping[str, Function] = field(default_factory=dict)
    complexes: Mapping[str, tuple[Property, ...]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The address below the host."""
        suffix = f";v={self.version}" if self.version != "0001" else ""
        return f"/sap/opu/odata/sap/{self.name}{suffix}"


def read_sets(
    text: str, root: str, root_keys: tuple[str, ...], joins: Mapping[str, tuple[tuple[str, str], ...]] | None = None
) -> dict[str, EntitySet]:
    """The entity sets of a field list; they live in documents of `root`, found by the first `root_keys` they have."""
    drafts: dict[str, _Draft] = {}
    draft = _Draft("", "")
    for line in text.strip("\n").splitlines():
        if not line.strip():
            continue
        if not line.startswith(" "):
            name, _, rest = line.partition(" ")
            draft = drafts[name] = _Draft(name, rest.removeprefix("no="))
        elif line.strip().startswith(">"):
            _, nav, target, multiplicity = line.split()
            draft.navigations.append(Navigation(nav, target, multiplicity))
        elif line.strip().startswith("key:"):
            draft.keys += line.split(":")[1].split()
        else:
            draft.properties += _properties(line)
    return {name: _finish(one, drafts, root, root_keys, joins or {}) for name, one in drafts.items()}


@dataclass
class _Draft:
    name: str
    forbids: str
    keys: list[str] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    navigations: list[Navigation] = field(default_factory=list)


def _properties(line: str) -> Iterator[Property]:
    spec, _, names = line.partition(":")
    kind, *flags = spec.split()
    for name in names.split():
        yield read_property(name, kind, flags)


def read_property(name: str, spec: str, flags: list[str]) -> Property:
    """One property from its type and flags."""
    kind = spec if spec in ("I2", "I4") else spec[0]
    size = "" if spec in ("I2", "I4") else spec[1:]
    length = int(size) if kind == "S" and size else None
    precision = int(size.split(".")[0]) if kind in "NDOT" and size else None
    scale = int(size.split(".")[1]) if kind == "N" else None
    unit = next((flag[5:] for flag in flags if flag.startswith("unit=")), None)
    return Property(
        name,
        kind,
        length,
        precision,
        scale,
        creatable="ro" not in flags and "-c" not in flags,
        updatable="ro" not in flags and "-u" not in flags,
        filterable="-f" not in flags,
        sortable="-s" not in flags,
        nullable="req" not in flags,
        etag="etag" in flags,
        unit=unit,
    )


def _finish(
    draft: _Draft,
    drafts: Mapping[str, _Draft],
    root: str,
    root_keys: tuple[str, ...],
    joins: Mapping[str, tuple[tuple[str, str], ...]],
) -> EntitySet:
    own = {one.name: one for one in draft.properties}
    navigations = {}
    for nav in draft.navigations:
        shared = draft.keys if drafts[nav.target].name == root else drafts[nav.target].keys
        theirs = {one.name for one in drafts[nav.target].properties}
        pairs = joins.get(nav.name) or tuple((key, key) for key in shared if key in own and key in theirs)
        navigations[nav.name] = replace(nav, join=pairs)
    return EntitySet(
        draft.name,
        tuple(draft.keys),
        own,
        navigations,
        creatable="C" not in draft.forbids,
        updatable="U" not in draft.forbids,
        deletable="D" not in draft.forbids,
        root=root,
        root_key=next((key for key in root_keys if key in draft.keys), None),
        defaults={one.name: one.default for one in draft.properties},
        etag=_ETAGS.get(draft.name) or next((one.name for one in draft.properties if one.etag), None),
        timed=tuple((one.name, one.kind) for one in draft.properties if one.kind in "DO"),
    )
