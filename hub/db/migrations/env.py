"""Alembic's entry: runs inside the transaction that ``hub.db.migrate`` opened."""

from alembic import context
from sqlmodel import SQLModel

import hub.db.tables  # noqa: F401  (fills the metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
