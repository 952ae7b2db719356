"""Personal values out of sight: what logs, errors and pages may show of a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landbridge.canonical._fields import FieldInfo

MASK = "***"

MaskTree = dict[str, Any]  # name -> True (show), False (mask), or the tree of a record or of a list's elements


def mask_tree(fields: Mapping[str, FieldInfo]) -> MaskTree:
    """Which leaves of an entity may be shown."""
    tree: MaskTree = {}
    for path, info in fields.items():
        steps = path.replace("[]", "").split(".")
        here = tree
        for step in steps[:-1]:
            here = here.setdefault(step, {})
        if (info.type == "record" and not info.open) or info.type == "list":
            here.setdefault(steps[-1], {})
        else:
            here[steps[-1]] = not info.personal
    return tree


def masked(value: Any, tree: MaskTree | bool) -> Any:
    """A copy of the value that shows only what the tree allows; keys and nulls stay."""
    if isinstance(value, dict):
        inner = tree if isinstance(tree, dict) else {}
        return {key: masked(one, inner.get(key, False)) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(one, tree) for one in value]
    return value if value is None or tree is True else MASK
