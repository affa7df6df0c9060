"""connections with leases, webhooks and approvals; what became of each delivery in the books"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

MOMENT = hub.db.columns.AwareDateTime
ADDED = ('leased_by', 'looked_at', 'swept_at', 'sweep_cursor', 'orders_placed', 'hook', 'subscribed_at', 'to_do')


def upgrade() -> None:
    op.create_table('approval',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('connection_id', sa.String(length=36), nullable=False),
    sa.Column('state_hash', sa.String(length=64), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=False),
    sa.Column('expires_at', MOMENT(), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['connection_id'], ['connection.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('state_hash')
    )
    with op.batch_alter_table('approval', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_approval_business_id'), ['business_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_approval_connection_id'), ['connection_id'], unique=False)

    op.create_table('token_lease',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('connection_id', sa.String(length=36), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('holder', sa.String(length=36), nullable=False),
    sa.Column('until', MOMENT(), nullable=True),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['connection_id'], ['connection.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('connection_id')
    )
    with op.batch_alter_table('token_lease', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_token_lease_business_id'), ['business_id'], unique=False)

    op.create_table('record',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('connection_id', sa.String(length=36), nullable=False),
    sa.Column('job_id', sa.String(length=36), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('target', sa.String(length=200), nullable=False),
    sa.Column('label', sa.String(length=200), nullable=False),
    sa.Column('filed', sa.String(length=4000), nullable=False),
    sa.Column('candidates', sa.JSON(), nullable=False),
    sa.Column('problem', sa.String(length=4000), nullable=False),
    sa.Column('at', MOMENT(), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['connection_id'], ['connection.id'], ),
    sa.ForeignKeyConstraint(['job_id'], ['job.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('connection_id', 'job_id')
    )
    with op.batch_alter_table('record', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_record_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_record_business_id'), ['business_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_record_connection_id'), ['connection_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_record_job_id'), ['job_id'], unique=False)

    with op.batch_alter_table('connection', schema=None) as batch_op:
        batch_op.add_column(sa.Column('leased_by', sa.String(length=36), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('looked_at', MOMENT(), nullable=True))
        batch_op.add_column(sa.Column('swept_at', MOMENT(), nullable=True))
        batch_op.add_column(sa.Column('sweep_cursor', sa.String(length=4000), nullable=True))
        batch_op.add_column(sa.Column('orders_placed', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('hook', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('subscribed_at', MOMENT(), nullable=True))
        batch_op.add_column(sa.Column('to_do', sa.String(length=4000), nullable=False, server_default=''))
        batch_op.create_index(batch_op.f('ix_connection_hook'), ['hook'], unique=True)
    with op.batch_alter_table('connection') as batch_op:
        for column in ('leased_by', 'orders_placed', 'to_do'):
            batch_op.alter_column(column, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('connection') as batch_op:
        batch_op.drop_index('ix_connection_hook')
        for column in ADDED:
            batch_op.drop_column(column)
    for table in ('record', 'token_lease', 'approval'):
        op.drop_table(table)
