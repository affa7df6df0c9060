"""amendments that wait for somebody; proof that came after a delivery was in the books"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

MOMENT = hub.db.columns.AwareDateTime
INDEXED = ('business_id', 'order_id', 'route_id', 'state')


def upgrade() -> None:
    op.create_table('amendment',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('order_id', sa.String(length=36), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('asked', sa.JSON(), nullable=False),
    sa.Column('changes', sa.JSON(), nullable=False),
    sa.Column('why', sa.String(length=4000), nullable=False),
    sa.Column('proposed_at', MOMENT(), nullable=False),
    sa.Column('proposed_by', sa.String(length=80), nullable=False),
    sa.Column('weighed_at', MOMENT(), nullable=True),
    sa.Column('decided_at', MOMENT(), nullable=True),
    sa.Column('decided_by', sa.String(length=80), nullable=False),
    sa.Column('route_id', sa.String(length=36), nullable=True),
    sa.Column('told_version', sa.Integer(), nullable=False),
    sa.Column('seen_at', MOMENT(), nullable=True),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['order_id'], ['order.id'], ),
    sa.ForeignKeyConstraint(['route_id'], ['route.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('order_id', 'n')
    )
    with op.batch_alter_table('amendment', schema=None) as batch_op:
        for column in INDEXED:
            batch_op.create_index(batch_op.f(f'ix_amendment_{column}'), [column], unique=False)

    with op.batch_alter_table('order', schema=None) as batch_op:
        batch_op.add_column(sa.Column('said', sa.JSON(), nullable=True))

    with op.batch_alter_table('record', schema=None) as batch_op:
        batch_op.add_column(sa.Column('proved', sa.String(length=20), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('late_at', MOMENT(), nullable=True))
    # Nobody knows what was in those: they are not filed again.
    op.execute("UPDATE record SET proved = 'whole' WHERE state = 'recorded'")
    with op.batch_alter_table('record') as batch_op:
        batch_op.alter_column('proved', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('record') as batch_op:
        batch_op.drop_column('late_at')
        batch_op.drop_column('proved')
    with op.batch_alter_table('order') as batch_op:
        batch_op.drop_column('said')
    op.drop_table('amendment')
