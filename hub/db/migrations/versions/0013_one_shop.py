"""which shop or books a connection is to, and from when one that is off heard nothing"""

import sqlalchemy as sa
from alembic import op

from hub.db.columns import AwareDateTime

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default stays: SQLite takes one away only by making the table anew, and orders hang on it.
    op.add_column('connection', sa.Column('identity', sa.String(length=300), nullable=False, server_default=''))
    op.add_column('connection', sa.Column('off_since', AwareDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column('connection', 'off_since')
    op.drop_column('connection', 'identity')
