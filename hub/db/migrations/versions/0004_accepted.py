"""a membership opens nothing until its person accepted it; a depot's time at doors may be left out"""

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
    with op.batch_alter_table('depot', schema=None) as batch_op:
        batch_op.alter_column('service_s', existing_type=sa.Integer(), nullable=True)
    # Nothing was ever planned by it, so what stands there was not missed by anybody.
    op.execute("UPDATE depot SET service_s = NULL")
    # Who could log in could log in to all of them.
    op.execute(
        "UPDATE membership SET accepted_at = "
        "(SELECT staff.created_at FROM staff WHERE staff.id = membership.staff_id)"
    )


def downgrade() -> None:
    op.execute("UPDATE depot SET service_s = 180 WHERE service_s IS NULL")
    with op.batch_alter_table('depot', schema=None) as batch_op:
        batch_op.alter_column('service_s', existing_type=sa.Integer(), nullable=False)
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.drop_column('accepted_at')
