"""what a business sets for the planning of its vehicles and drivers"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The defaults stay: SQLite takes one away only by making the table anew.
    for table in ('vehicle', 'driver'):
        op.add_column(table, sa.Column('planning', sa.JSON(), nullable=False, server_default='{}'))


def downgrade() -> None:
    for table in ('driver', 'vehicle'):
        op.drop_column(table, 'planning')
