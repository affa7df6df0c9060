"""what people at the source call a record that was set aside"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('reject', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('number', sa.String(length=200), nullable=False, server_default='')
        )
    with op.batch_alter_table('reject', schema=None) as batch_op:
        batch_op.alter_column('number', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('reject', schema=None) as batch_op:
        batch_op.drop_column('number')
