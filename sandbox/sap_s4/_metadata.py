"""The metadata and service documents, written from the same model that the services obey."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

import orjson

from sandbox.sap_s4._edm import EDM, EntitySet, Navigation, Property, Service

_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"'
    ' xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
    ' xmlns:sap="http://www.sap.com/Protocols/SAPData"><edmx:DataServices m:DataServiceVersion="2.0">'
)


def metadata(service: Service) -> bytes:
    """The EDMX document."""
    space = service.name
    parts = [_HEAD, f'<Schema Namespace="{space}" xml:lang="en" sap:schema-version="1"']
    parts.append(' xmlns="http://schemas.microsoft.com/ado/2008/09/edm">')
    links = [(one, nav) for one in service.sets.values() for nav in one.navigations.values()]
    for one in service.sets.values():
        parts.append(_entity_type(space, one))
    for name, properties in service.complexes.items():
        parts.append(f'<ComplexType Name="{name}">{"".join(map(_property, properties))}</ComplexType>')
    for one, nav in links:
        parts.append(_association(space, one, service.sets[nav.target], nav))
    parts.append(f'<EntityContainer Name="{space}_Entities" m:IsDefaultEntityContainer="true"')
    parts.append(' sap:supported-formats="atom json xlsx">')
    for one in service.sets.values():
        flags = "".join(
            f' sap:{word}="false"'
            for word, allowed in (
                ("creatable", one.creatable),
                ("updatable", one.updatable),
                ("deletable", one.deletable),
            )
            if not allowed
        )
        kind = f"{space}.{one.type_name}"
        parts.append(f'<EntitySet Name="{one.name}" EntityType="{kind}"{flags} sap:content-version="1"/>')
    for one, nav in links:
        name = _link(one, nav)
        parts.append(f'<AssociationSet Name="{name}_set" Association="{space}.{name}">')
        parts.append(f'<End EntitySet="{one.name}" Role="From_{name}"/>')
        parts.append(f'<End EntitySet="{nav.target}" Role="To_{name}"/></AssociationSet>')
    for function in service.functions.values():
        parts.append(f'<FunctionImport Name="{function.name}" ReturnType="Collection({space}.{function.returns})"')
        parts.append(' m:HttpMethod="POST">')
        for name, kind, length in function.parameters:
            limit = f' MaxLength="{length}"' if length else ""
            parts.append(f'<Parameter Name="{name}" Type="{EDM[kind]}" Mode="In"{limit}/>')
        parts.append("</FunctionImport>")
    parts.append("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>")
    return "".join(parts).encode()


def service_document(service: Service, base: str, *, json: bool) -> bytes:
    """The list of entity sets."""
    if json:
        return orjson.dumps({"d": {"EntitySets": list(service.sets)}})
    parts = [f'<?xml version="1.0" encoding="utf-8"?><app:service xml:base={quoteattr(base + "/")}']
    parts.append(' xmlns:app="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom">')
    parts.append("<app:workspace><atom:title>Data</atom:title>")
    for name in service.sets:
        parts.append(f'<app:collection href="{name}"><atom:title>{name}</atom:title></app:collection>')
    parts.append("</app:workspace></app:service>")
    return "".join(parts).encode()


def _entity_type(space: str, one: EntitySet) -> str:
    keys = "".join(f'<PropertyRef Name="{key}"/>' for key in one.keys)
    properties = "".join(map(_property, one.properties.values()))
    navigations = "".join(
        f'<NavigationProperty Name="{nav.name}" Relationship="{space}.{_link(one, nav)}"'
        f' FromRole="From_{_link(one, nav)}" ToRole="To_{_link(one, nav)}"/>'
        for nav in one.navigations.values()
    )
    body = f"<Key>{keys}</Key>{properties}{navigations}"
    return f'<EntityType Name="{one.type_name}" sap:content-version="1">{body}</EntityType>'


def _property(one: Property) -> str:
    attributes = [f'Name="{one.name}"', f'Type="{one.edm}"']
    if not one.nullable:
        attributes.append('Nullable="false"')
    for word, value in (("MaxLength", one.length), ("Precision", one.precision), ("Scale", one.scale)):
        if value is not None:
            attributes.append(f'{word}="{value}"')
    if one.etag:
        attributes.append('ConcurrencyMode="Fixed"')
    if one.kind == "D":
        attributes.append('sap:display-format="Date"')
    if one.unit:
        attributes.append(f'sap:unit="{one.unit}"')
    flags = (
        ("creatable", one.creatable),
        ("updatable", one.updatable),
        ("sortable", one.sortable),
        ("filterable", one.filterable),
    )
    attributes += [f'sap:{word}="false"' for word, allowed in flags if not allowed]
    return f"<Property {' '.join(attributes)}/>"


def _link(one: EntitySet, nav: Navigation) -> str:
    return f"assoc_{one.name}_{nav.name}"


def _association(space: str, one: EntitySet, target: EntitySet, nav: Navigation) -> str:
    name = _link(one, nav)
    return (
        f'<Association Name="{name}" sap:content-version="1">'
        f'<End Type="{space}.{one.type_name}" Multiplicity="1" Role="From_{name}"/>'
        f'<End Type="{space}.{target.type_name}" Multiplicity="{nav.multiplicity}" Role="To_{name}"/></Association>'
    )
