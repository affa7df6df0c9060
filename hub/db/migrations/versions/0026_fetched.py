"""when goods that were kept for their recipient were fetched"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0026'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('job', sa.Column('fetched_at', hub.db.columns.AwareDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column('job', 'fetched_at')
