"""Models of the records that the hub holds: trained and kept, and adopted when a person says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.engine import Grouped, regroup
from landbridge.errors import ConfigError, Problem
from mdm.publish._models import untrained
from mdm.score import Model
from mdm.scoring import train
from mdm.store import models

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from landbridge.engine import Parts
    from landbridge.store import Store
    from mdm.publish._engine import EngineHub

UNTRAINED = "untrained"
"""The name of the cautious model that needs no records."""


def train_kept(store: Store, hub: EngineHub, entity: str) -> Model:
    """Train a model on the records that the hub holds, and keep it; nothing is grouped by it yet."""
    with store.reading() as connection:
        table = hub.table(connection, entity)
    model = train(hub.declarations[entity], table)  # takes a while, and nobody waits for it
    content = model.dumps().decode()
    with store.transaction("train") as connection:
        models.keep(connection, models.Kept(model.model_id, entity, content, None, store.clock.now()))
    return model


def kept_model(connection: Connection, hub: EngineHub, entity: str, named: str | None) -> Model:
    """A model by its id, or the newest; ConfigError where there is none of that name."""
    if named == UNTRAINED:
        return untrained(hub.declarations[entity])
    kept = models.newest(connection, entity) if named is None else models.find(connection, named)
    if kept is None or kept.entity != entity:
        what = f"there is no model {named} of {entity}." if named else f"no model of {entity} was trained."
        hint = f"Train one: landbridge mdm train {entity}. Or adopt the one for no records: --model {UNTRAINED}."
        raise ConfigError([Problem(f"config/mdm/{entity}.yaml", 0, 0, what, hint)])
    return Model.loads(kept.content.encode())


def adopt_model(connection: Connection, parts: Parts, hub: EngineHub, entity: str, model: Model) -> Grouped:
    """Group all of an entity by a model from now on, and let everything follow; in the caller's transaction."""
    grouped = hub.adopt(connection, entity, model)
    regroup(connection, parts, entity, grouped)
    return grouped
