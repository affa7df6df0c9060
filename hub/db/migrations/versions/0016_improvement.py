"""searches for a better rest of a day"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

MOMENT = hub.db.columns.AwareDateTime


def upgrade() -> None:
    op.create_table('improvement',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('asked_by', sa.String(length=60), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('cpu_s', sa.Float(), nullable=False),
    sa.Column('versions', sa.JSON(), nullable=False),
    sa.Column('found', sa.JSON(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('stop_asked', sa.Boolean(), nullable=False),
    sa.Column('ended', sa.String(length=20), nullable=False),
    sa.Column('error', sa.String(length=4000), nullable=False),
    sa.Column('leased_until', MOMENT(), nullable=True),
    sa.Column('created_at', MOMENT(), nullable=False),
    sa.Column('done_at', MOMENT(), nullable=True),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_improvement_business_id'), 'improvement', ['business_id'], unique=False)
    op.create_index(op.f('ix_improvement_day'), 'improvement', ['day'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_improvement_day'), table_name='improvement')
    op.drop_index(op.f('ix_improvement_business_id'), table_name='improvement')
    op.drop_table('improvement')
