"""What systems said of their fields, what of it stopped a route, and which routes are paused one by one."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, DateTime, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from landbridge.store.tables import metadata

description = Table(
    "description",  # the fields of a (system, entity) under which its routes run
    metadata,
    Column("system", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("organisation", Text, nullable=False),  # who answered: another one is a first contact
    Column("native", Text, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
)

drift = Table(
    "drift",  # a change of a system's fields that stops routes, as long as it stands
    metadata,
    Column("system", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("message", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("lines", ARRAY(Text), nullable=False),
    Column("routes", ARRAY(Text), nullable=False),
    Column("form", Text, nullable=False),  # what the lines said then: when they say something else, it is answered
    Column("reading", Boolean, nullable=False),
    Column("renamed", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),  # when it was last seen not to be so
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("accepted", ARRAY(Text), nullable=False),  # the routes that a person lets run although it stands
)

route_pause = Table(
    "route_pause",  # why a single route is paused; it runs when no row is left
    metadata,
    Column("route", Text, primary_key=True),
    Column("cause", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    CheckConstraint("cause in ('person', 'drift', 'system')", name="cause"),
)
