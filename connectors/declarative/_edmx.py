"""A service as its `$metadata` document describes it, of OData v2 and v4 alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from landbridge.connector import Field, Fields, FieldType
from landbridge.errors import Rejected
from landbridge.strict import did_you_mean, xml

_TYPES: dict[str, FieldType] = {
    "Edm.String": "string",
    "Edm.Guid": "string",
    "Edm.Binary": "string",  # base64
    "Edm.Boolean": "boolean",
    "Edm.Decimal": "decimal",
    "Edm.Double": "decimal",
    "Edm.Single": "decimal",
    "Edm.Int16": "integer",
    "Edm.Int32": "integer",
    "Edm.Int64": "integer",
    "Edm.Byte": "integer",
    "Edm.SByte": "integer",
    "Edm.Date": "date",
    "Edm.DateTime": "datetime",
    "Edm.DateTimeOffset": "datetime",
    "Edm.Time": "time",
    "Edm.TimeOfDay": "time",
}
_SAP = "{http://www.sap.com/Protocols/SAPData}"
_COMPUTED = ("Org.OData.Core.V1.Computed", "Core.Computed")
_IMMUTABLE = ("Org.OData.Core.V1.Immutable", "Core.Immutable")
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Property:
    """One property; `type` is the qualified name."""

    name: str
    type: str
    length: int | None = None
    nullable: bool = True
    creatable: bool = True
    updatable: bool = True
    label: str = ""
    many: bool = False


@dataclass(slots=True)
class EntityType:
    """An entity or complex type; what it inherits is laid into it."""

    name: str
    base: str | None = None
    keys: tuple[str, ...] = ()
    properties: dict[str, Property] = field(default_factory=dict)
    navigations: dict[str, Property] = field(default_factory=dict)


class Service:
    """The sets of one service by name."""

    def __init__(self, content: bytes, what: str) -> None:
        self._what = what
        self._types: dict[str, EntityType] = {}
        self._sets: dict[str, str] = {}
        self._ends: dict[tuple[str, str], str] = {}
        self._aliases: dict[str, str] = {}
        self._kinds: dict[str, FieldType] = dict(_TYPES)
        root = xml.parse(content)
        schemas = [each for each in root.iter() if _local(each) == "Schema"]
        for schema in schemas:
            if (alias := schema.get("Alias")) is not None:
                self._aliases[alias] = schema.get("Namespace", "")
        for schema in schemas:
            self._read(schema)
        self._annotate(schemas)

    @property
    def sets(self) -> Mapping[str, str]:
        """The entity sets with the names of their types."""
        return self._sets

    def type_of(self, name: str) -> EntityType:
        """The entity type of a set; Rejected with what is near if there is none."""
        if name not in self._sets:
            hint = did_you_mean(name, self._sets) or f"Known: {', '.join(sorted(self._sets)[:20]) or 'none'}."
            raise Rejected(f"{self._what}: the service has no set {name}.", hint=hint)
        return self.whole(self._sets[name])

    def whole(self, name: str) -> EntityType:
        """A type with what it inherits."""
        own = self._types.get(name)
        if own is None:
            raise Rejected(f"{self._what}: the type {name} is not described.", hint="Look at `$metadata`.")
        if own.base is None or own.base not in self._types or own.base == name:
            return own
        base = self.whole(own.base)
        return EntityType(
            name,
            None,
            own.keys or base.keys,
            {**base.properties, **own.properties},
            {**base.navigations, **own.navigations},
        )

    def set_of(self, type_name: str) -> str | None:
        """A set that holds records of a type."""
        return next((name for name, held in self._sets.items() if held == type_name), None)

    def describe(self, name: str, expand: tuple[str, ...]) -> Fields:
        """The fields of a set, with those of its complex and expanded properties by dotted path."""
        found = {each.name: each for each in self._fields(self.type_of(name), expand, "", 0)}
        return Fields(name, found)

    def _fields(self, kind: EntityType, expand: tuple[str, ...], prefix: str, depth: int) -> Iterator[Field]:
        for each in kind.properties.values():
            inner = self._types.get(each.type)
            known: FieldType = "array" if each.many else self._kinds.get(each.type) or ("mapping" if inner else "any")
            needed = not each.nullable and each.creatable
            yield Field(
                prefix + each.name,
                known,
                each.length,
                required=needed,
                creatable=each.creatable,
                updatable=each.updatable and each.name not in kind.keys,
                label=each.label,
            )
            if inner is not None and depth < _DEEPEST:
                yield from self._fields(self.whole(each.type), (), f"{prefix}{each.name}.", depth + 1)
        for path in expand:
            name, _, rest = path.partition("/")
            navigation = kind.navigations.get(name)
            if navigation is None or depth >= _DEEPEST:
                continue
            yield Field(prefix + name, "array" if navigation.many else "mapping")
            yield from self._fields(self.whole(navigation.type), (rest,) if rest else (), f"{prefix}{name}.", depth + 1)

    # --- reading the document

    def _read(self, schema: xml.Element) -> None:
        namespace = schema.get("Namespace", "")
        for each in schema:
            kind = _local(each)
            if kind == "Association":
                for end in each:
                    if _local(end) == "End":
                        told = self._full(end.get("Type", "")) + ("*" if end.get("Multiplicity") == "*" else "")
                        self._ends[f"{namespace}.{each.get('Name')}", end.get("Role", "")] = told
        for each in schema:
            kind = _local(each)
            if kind in ("EntityType", "ComplexType"):
                made = self._type(each, namespace)
                self._types[made.name] = made
            elif kind in ("TypeDefinition", "EnumType"):
                underlying = _TYPES.get(each.get("UnderlyingType", ""), "string")
                self._kinds[f"{namespace}.{each.get('Name')}"] = underlying
            elif kind == "EntityContainer":
                for held in each:
                    if _local(held) == "EntitySet":
                        self._sets[held.get("Name", "")] = self._full(held.get("EntityType", ""))

    def _type(self, element: xml.Element, namespace: str) -> EntityType:
        base = element.get("BaseType")
        made = EntityType(f"{namespace}.{element.get('Name')}", self._full(base) if base else None)
        for each in element:
            kind = _local(each)
            if kind == "Key":
                made.keys = tuple(part.get("Name", "") for part in each if _local(part) == "PropertyRef")
            elif kind == "Property":
                made.properties[each.get("Name", "")] = self._property(each)
            elif kind == "NavigationProperty":
                made.navigations[each.get("Name", "")] = self._navigation(each)
        return made

    def _property(self, element: xml.Element) -> Property:
        length, told = element.get("MaxLength", ""), element.get("Type", "")
        computed = any(_true(each, _COMPUTED) for each in element)
        fixed = any(_true(each, _IMMUTABLE) for each in element)
        many = told.startswith("Collection(")
        return Property(
            element.get("Name", ""),
            self._full(told.removeprefix("Collection(").removesuffix(")")),
            int(length) if length.isdigit() else None,
            nullable=element.get("Nullable", "true") == "true",
            creatable=element.get(f"{_SAP}creatable", "true") == "true" and not computed,
            updatable=element.get(f"{_SAP}updatable", "true") == "true" and not computed and not fixed,
            label=element.get(f"{_SAP}label", ""),
            many=many,
        )

    def _navigation(self, element: xml.Element) -> Property:
        told = element.get("Type")
        if told is None:  # v2: by an association
            told = self._ends.get((self._full(element.get("Relationship", "")), element.get("ToRole", "")), "")
            return Property(element.get("Name", ""), told.removesuffix("*"), many=told.endswith("*"))
        many = told.startswith("Collection(")
        return Property(
            element.get("Name", ""), self._full(told.removeprefix("Collection(").removesuffix(")")), many=many
        )

    def _annotate(self, schemas: list[xml.Element]) -> None:
        """Annotations that stand apart from what they are about."""
        for schema in schemas:
            for each in schema:
                if _local(each) != "Annotations":
                    continue
                owner, _, name = each.get("Target", "").partition("/")
                kind = self._types.get(self._full(owner))
                if kind is None or name not in kind.properties:
                    continue
                if any(_true(one, _COMPUTED) for one in each):
                    kind.properties[name] = replace(kind.properties[name], creatable=False, updatable=False)
                elif any(_true(one, _IMMUTABLE) for one in each):
                    kind.properties[name] = replace(kind.properties[name], updatable=False)

    def _full(self, name: str) -> str:
        space, dot, local = name.rpartition(".")
        return self._aliases.get(space, space) + dot + local


def _local(element: xml.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _true(element: xml.Element, terms: tuple[str, ...]) -> bool:
    return _local(element) == "Annotation" and element.get("Term") in terms and element.get("Bool", "true") == "true"
