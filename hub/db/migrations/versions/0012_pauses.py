"""the pause a connection asked for; how often its webhooks could not be seen to"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

# Not in batches: those put a new table in the place of the old one, which many others name.


def upgrade() -> None:
    op.add_column('connection', sa.Column('not_before', hub.db.columns.AwareDateTime(), nullable=True))
    op.add_column('connection', sa.Column('unsubscribed', sa.Integer(), nullable=False, server_default='0'))


def downgrade() -> None:
    op.drop_column('connection', 'unsubscribed')
    op.drop_column('connection', 'not_before')
