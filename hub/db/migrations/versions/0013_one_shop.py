"""which shop or books a connection is to, so that none is connected twice"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default stays: SQLite takes one away only by making the table anew, and orders hang on it.
    op.add_column('connection', sa.Column('identity', sa.String(length=300), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('connection', 'identity')
