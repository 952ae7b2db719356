"""Which canonical entities and paths there are, read from the schemas, for `when`, `split_by` and ownership."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from landbridge.strict import did_you_mean


class Canonical:
    """The schemas of `schemas/canonical`; each file is read when it is first asked for."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._files = {path.stem: path for folder in folders for path in sorted(folder.glob("*.json"))}
        self._read: dict[Path, Any] = {}

    @property
    def entities(self) -> list[str]:
        """The entities, sorted; files of shared definitions are none."""
        return sorted(name for name, path in self._files.items() if not name.startswith("_") and self._is_entity(path))

    def __contains__(self, entity: str) -> bool:
        path = self._files.get(entity)
        return path is not None and not entity.startswith("_") and self._is_entity(path)

    def unknown(self, entity: str, path: str) -> str | None:
        """None if the entity has the dotted path; else a hint. Lists are walked through: `lines.line_key`."""
        file = self._files.get(entity)
        if file is None:
            return None  # an unknown entity is a problem of its own
        places = [(file, self._document(file))]
        walked: list[str] = []
        for step in path.split("."):
            known: set[str] = set()
            inner: list[tuple[Path, Any]] = []
            for at, schema in self._flat(places):
                properties = schema.get("properties", {})
                known |= properties.keys()
                if step in properties:
                    inner.append((at, properties[step]))
                elif _open(schema):
                    return None
            if not inner:
                where = f"'{'.'.join(walked)}'" if walked else f"'{entity}'"
                return did_you_mean(step, known) or f"{where} has: {', '.join(sorted(known)) or 'no fields'}."
            places, walked = inner, [*walked, step]
        return None

    def _flat(self, places: Iterable[tuple[Path, Any]]) -> Iterator[tuple[Path, dict[str, Any]]]:
        """The schemas that hold properties: references followed, list elements and alternatives entered."""
        for at, schema in places:
            if not isinstance(schema, dict):
                continue
            if "$ref" in schema:
                yield from self._flat([self._target(at, schema["$ref"])])
            if "items" in schema:
                yield from self._flat([(at, schema["items"])])
            for word in ("allOf", "anyOf", "oneOf"):
                yield from self._flat((at, part) for part in schema.get(word, ()))
            yield at, schema

    def _target(self, at: Path, reference: str) -> tuple[Path, Any]:
        name, _, pointer = reference.partition("#")
        file = at if not name else next((f for f in self._files.values() if f.name == name.rsplit("/", 1)[-1]), at)
        found = self._document(file)
        for step in pointer.strip("/").split("/") if pointer.strip("/") else ():
            found = found.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, dict) else {}
        return file, found

    def _document(self, path: Path) -> Any:
        if path not in self._read:
            self._read[path] = json.loads(path.read_bytes())
        return self._read[path]

    def _is_entity(self, path: Path) -> bool:
        document = self._document(path)
        return isinstance(document, dict) and any(key in document for key in ("properties", "allOf", "$ref"))


def _open(schema: dict[str, Any]) -> bool:
    """Whether any key may stand below: `extensions`, texts by language."""
    return isinstance(schema.get("additionalProperties"), dict) or bool(schema.get("patternProperties"))
