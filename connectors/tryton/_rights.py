"""Which rights the integration user lacks, by model."""

from __future__ import annotations

from connectors.tryton._config import REFERENCES, TrytonConfig
from connectors.tryton._session import Session
from connectors.tryton._sources import SOURCES

_LOG = "ir.model.log"


def missing_rights(session: Session, config: TrytonConfig) -> list[str]:
    """What `check` names: read on all that is read, create and write on all that is written, of what is used."""
    needed: dict[str, set[str]] = {}
    used = {entity: SOURCES[entity] for entity in config.entities or SOURCES}
    for entity, source in used.items():
        modes = {"read", "create", "write"} if entity in REFERENCES else {"read"}
        needed.setdefault(source.model, set()).update(modes)
        for watch in source.watched:
            needed.setdefault(watch.model, set()).add("read")
    if "product" in used:
        needed["product.template"] |= {"create", "write"}
    if config.deletions:
        needed[_LOG] = {"read"}
    installed = {
        str(each[_NAME])
        for each in session.call("ir.model", "search_read", [[_NAME, "in", list(needed)]], 0, None, None, [_NAME])
    }
    access = session.call("ir.model.access", "get_access", sorted(installed))
    found = [
        f"{mode} {model}" for model in sorted(installed) for mode in sorted(needed[model]) if not access[model][mode]
    ]
    return found + [f"read {model}, whose module is not installed" for model in sorted(set(needed) - installed)]


_NAME = "name"
