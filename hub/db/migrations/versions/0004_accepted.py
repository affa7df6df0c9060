"""a membership opens nothing until its person accepted it"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.add_column(sa.Column('accepted_at', hub.db.columns.AwareDateTime(), nullable=True))
    # Who could log in could log in to all of them.
    op.execute(
        "UPDATE membership SET accepted_at = "
        "(SELECT staff.created_at FROM staff WHERE staff.id = membership.staff_id)"
    )


def downgrade() -> None:
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.drop_column('accepted_at')
