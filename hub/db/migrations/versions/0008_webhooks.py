"""where a business's own programs listen, and what was sent to them"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

MOMENT = hub.db.columns.AwareDateTime


def upgrade() -> None:
    op.create_table('endpoint',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('url', sa.String(length=2000), nullable=False),
    sa.Column('description', sa.String(length=200), nullable=False),
    sa.Column('types', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('problem', sa.String(length=4000), nullable=False),
    sa.Column('failing_since', MOMENT(), nullable=True),
    sa.Column('paused_until', MOMENT(), nullable=True),
    sa.Column('delivered_at', MOMENT(), nullable=True),
    sa.Column('secret_changed_at', MOMENT(), nullable=True),
    sa.Column('created_at', MOMENT(), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('endpoint', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_endpoint_business_id'), ['business_id'], unique=False)

    op.create_table('webhook',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('endpoint_id', sa.String(length=36), nullable=False),
    sa.Column('event_id', sa.String(length=36), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('subject_id', sa.String(length=36), nullable=False),
    sa.Column('type', sa.String(length=60), nullable=False),
    sa.Column('body', sa.String(length=20000), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', MOMENT(), nullable=False),
    sa.Column('claim', sa.String(length=36), nullable=False),
    sa.Column('leased_until', MOMENT(), nullable=True),
    sa.Column('problem', sa.String(length=4000), nullable=False),
    sa.Column('occurred_at', MOMENT(), nullable=False),
    sa.Column('settled_at', MOMENT(), nullable=True),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['endpoint_id'], ['endpoint.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('endpoint_id', 'event_id', 'type')
    )
    with op.batch_alter_table('webhook', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_webhook_business_id'), ['business_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_webhook_endpoint_id'), ['endpoint_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_webhook_occurred_at'), ['occurred_at'], unique=False)
        batch_op.create_index('ix_webhook_state_due_at', ['state', 'due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_webhook_subject_id'), ['subject_id'], unique=False)

    op.create_table('attempt_log',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('webhook_id', sa.String(length=36), nullable=False),
    sa.Column('at', MOMENT(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('lasted_ms', sa.Integer(), nullable=False),
    sa.Column('answer', sa.String(length=4000), nullable=False),
    sa.Column('problem', sa.String(length=4000), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['webhook_id'], ['webhook.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('attempt_log', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attempt_log_business_id'), ['business_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attempt_log_webhook_id'), ['webhook_id'], unique=False)


def downgrade() -> None:
    for table in ('attempt_log', 'webhook', 'endpoint'):
        op.drop_table(table)
