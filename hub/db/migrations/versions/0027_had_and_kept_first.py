"""the breaks that drivers said they had, and which stops of a draft stay first"""

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of breaks in shifts before this nobody knows; no stop was kept first."""
    # The default stays: SQLite takes one away only by making the table anew.
    op.add_column(
        'shift', sa.Column('kept_first', sa.JSON(), nullable=False, server_default='[]')
    )
    op.add_column('shift', sa.Column('had', sa.JSON(), nullable=False, server_default='[]'))


def downgrade() -> None:
    op.drop_column('shift', 'had')
    op.drop_column('shift', 'kept_first')
