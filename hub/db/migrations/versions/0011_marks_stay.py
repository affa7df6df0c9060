"""marks of what left a store outlive it; tokens of before, which nobody read, are gone"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('leaving') as batch_op:
        batch_op.add_column(sa.Column('gone_at', hub.db.columns.AwareDateTime(), nullable=True))
    op.execute("DELETE FROM secret WHERE name = 'tokens_before'")


def downgrade() -> None:
    with op.batch_alter_table('leaving') as batch_op:
        batch_op.drop_column('gone_at')
