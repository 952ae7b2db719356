"""Who owns which field, and what a change after release may still do: `config/ownership.yaml`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pydantic import ConfigDict, Field, PrivateAttr, RootModel, model_validator

from landbridge.settings._model import Model, Name

Event = Literal["cancelled", "deleted"]
ChangeAction = Literal["reject_lines", "close", "block", "delete", "ignore"]
Otherwise = Literal["conflict", "ignore"]


class FieldOwner(Model):
    """The system whose value of a field (or group of fields) stands."""

    owner: Name = Field(description="System that owns the field.", examples=["erp"])
    when: Literal["has_target_id", "always"] = Field(
        "always",
        description="From when on: always, or once the owner holds the record (until then the source fills it).",
        examples=["has_target_id"],
    )
    null: Literal["keep", "clear"] = Field(
        "keep",
        description="What a null from the owner does elsewhere: keep what stands, or clear it.",
        examples=["clear"],
    )


class Change(Model):
    """One rule for documents that are already in a target: a limit on a field, or what an event does per target.

    A limit has `field`, `at_least` or `at_most`, and `else`; an event has `when` and a key per system or connector.
    """

    __pydantic_extra__: dict[str, ChangeAction]  # system or connector → what it does
    model_config = ConfigDict(extra="allow")

    field: str | None = Field(
        None, description="Canonical path that the rule limits.", examples=["lines.quantities.ordered"]
    )
    at_least: str | None = Field(
        None,
        description="Canonical path whose value in the target is the least.",
        examples=["lines.quantities.shipped"],
    )
    at_most: str | None = Field(
        None, description="Canonical path whose value in the target is the most.", examples=["lines.quantities.ordered"]
    )
    otherwise: Otherwise = Field(
        "conflict",
        alias="else",
        description="What a change beyond the limit does: a conflict for a person, or ignore the change.",
        examples=["conflict"],
    )
    when: Event | None = Field(
        None, description="Event at the source: a line or document is cancelled, or deleted.", examples=["cancelled"]
    )

    @model_validator(mode="after")
    def _limit_or_event(self) -> Change:
        if (self.field is None) == (self.when is None):
            raise ValueError("a change rule has either `field` (a limit) or `when` (an event)")
        if self.field is not None and (self.at_least is None) == (self.at_most is None):
            raise ValueError("a limit has either `at_least` or `at_most`")
        if self.field is not None and self.targets:
            raise ValueError(f"a limit has no key '{next(iter(self.targets))}'")
        if self.when is not None and not self.targets:
            raise ValueError("an event says what it does per system or connector, such as `erp: reject_lines`")
        return self

    @property
    def targets(self) -> dict[str, ChangeAction]:
        """For an event: what it does, by system or connector name."""
        return dict(self.__pydantic_extra__ or {})

    def action(self, system: str, connector: str) -> ChangeAction | None:
        """For an event: what it does in this system; its own name goes before its connector's."""
        targets = self.__pydantic_extra__ or {}
        return targets.get(system) or targets.get(connector)


class EntityOwnership(Model):
    """Ownership and change rules of one entity."""

    fields: dict[str, FieldOwner] = Field(
        default_factory=dict,
        description="Owner per canonical path; a group such as `terms` stands for all below it, the longest path wins.",
        examples=[{"terms": {"owner": "erp", "when": "has_target_id"}}],
    )
    changes: tuple[Change, ...] = Field(
        (),
        description="What changes after release may do.",
        examples=[[{"field": "lines.quantities.ordered", "at_least": "lines.quantities.shipped", "else": "conflict"}]],
    )

    _told: frozenset[str] | None = PrivateAttr(None)

    @property
    def told(self) -> frozenset[str] | None:
        """The only top-level fields that the target is told, where the hub publishes it no more; None: all of them."""
        return self._told

    def telling(self, only: Collection[str]) -> EntityOwnership:
        """The rules where the target is told no other top-level field than these."""
        made = self.model_copy()
        made._told = frozenset(only)
        return made

    @property
    def limits(self) -> tuple[Change, ...]:
        """The rules that limit a field."""
        return tuple(change for change in self.changes if change.field is not None)

    def owner(self, path: str) -> FieldOwner | None:
        """The owner of a canonical path: the rule of the path itself or of its nearest group."""
        while path:
            if path in self.fields:
                return self.fields[path]
            path = path.rpartition(".")[0]
        return None

    def spoken_by(self, source: str, target: str) -> EntityOwnership:
        """The rules where `source` speaks for everybody, as the hub does: only what the target owns is not written."""
        fields = {
            path: rule if rule.owner == target else rule.model_copy(update={"owner": source})
            for path, rule in self.fields.items()
        }
        return self.model_copy(update={"fields": fields})

    def on(self, event: Event, system: str, connector: str) -> ChangeAction | None:
        """What an event does in a system; None where no rule says it."""
        found = (change.action(system, connector) for change in self.changes if change.when == event)
        return next((action for action in found if action), None)


class Ownership(RootModel[dict[Name, EntityOwnership]]):
    """All of config/ownership.yaml, by canonical entity."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    def entity(self, entity: str) -> EntityOwnership:
        """The rules of one entity; none where the file names it not."""
        return self.root.get(entity, _NOBODY)


_NOBODY = EntityOwnership()
