"""Whether the models in use fit what is declared: the entry point `landbridge.checks`, beside the files' own."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.errors import ConfigError, Problem
from landbridge.strict import yaml
from mdm.declare import FOLDER, read_project

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from landbridge.canonical import Canonical
    from mdm.declaration import Declaration


def check_in_use(
    root: Path, canonical: Canonical, systems: Collection[str] | None
) -> tuple[list[Problem], list[Problem]]:
    """A warning per entity whose records are grouped by a model that does not fit its file; nothing without a store."""
    declarations, problems, _ = read_project(root, canonical, systems)
    if problems or not declarations or not _may_stand(root):
        return [], []
    from landbridge.installation import standing_store  # and what follows, only for who declares something

    with standing_store(root) as store:
        if store is None:
            return [], []
        from mdm.store import models

        with store.reading() as connection:
            if not models.there(connection):
                return [], []
            found = {name: misfit(connection, one) for name, one in sorted(declarations.items())}
    return [], [_warning(root, name, why) for name, why in found.items() if why]


def _may_stand(root: Path) -> bool:
    """Whether there may be a store at all; whoever has none shall not wait for what it would take to ask it."""
    state = Path(os.environ.get("LANDBRIDGE_STATE") or root / ".landbridge")
    file = root / "config" / "landbridge.yaml"
    return (state / "postgres").is_dir() or (file.is_file() and "url" in file.read_text(encoding="utf-8"))


def misfit(connection: Connection, declaration: Declaration) -> str:
    """Why the model that an entity's records are grouped by does not fit its declaration; "" where it does."""
    from mdm.publish import model_of
    from mdm.scoring import scorer
    from mdm.store import models

    used = models.of(connection, declaration.entity)
    if used is None:
        return ""
    try:
        model = scorer(declaration, model_of(connection, declaration))
    except ConfigError as error:
        return error.problems[0].message
    return (
        "" if model.model_id == used else "the model was made for other columns or comparisons than are declared now."
    )


def _warning(root: Path, entity: str, why: str) -> Problem:
    node = yaml.load_file(root / FOLDER / f"{entity}.yaml", root=root)
    place, _ = node.find(("comparisons",))
    what = f"the hub will take no {entity} until it is grouped anew: {why}"
    return place.problem(what, f"landbridge mdm train {entity}, then landbridge mdm adopt-model {entity}.", key=True)
