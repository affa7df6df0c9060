"""when a route's driver rests, and how far it is from the van to a door"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Routes that stand know of no rest yet: they are told one when they are next timed anew."""
    # The default stays: SQLite takes one away only by making the table anew.
    op.add_column('route', sa.Column('rests', sa.JSON(), nullable=False, server_default='[]'))
    op.add_column('place', sa.Column('access_s', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('place', 'access_s')
    op.drop_column('route', 'rests')
