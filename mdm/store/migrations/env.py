"""Alembic's entry: runs the hub's migrations on the connection that `mdm.store.migrate` hands over."""

from alembic import context

from mdm.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    compare_type=True,
    version_table="mdm_version",
    include_name=lambda name, kind, parents: kind != "table" or (name or "").startswith("hub_"),
)
with context.begin_transaction():
    context.run_migrations()
