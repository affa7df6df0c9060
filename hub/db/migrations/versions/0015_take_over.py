"""stops where one van's load is taken over by another"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

MOMENT = hub.db.columns.AwareDateTime


def upgrade() -> None:
    op.create_table('take_over',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('stop_id', sa.String(length=36), nullable=False),
    sa.Column('from_route_id', sa.String(length=36), nullable=False),
    sa.Column('van', sa.String(length=200), nullable=False),
    sa.Column('driver', sa.String(length=200), nullable=False),
    sa.Column('place', sa.String(length=500), nullable=False),
    sa.Column('job_ids', sa.JSON(), nullable=False),
    sa.Column('service_s', sa.Integer(), nullable=False),
    sa.Column('ready_at', MOMENT(), nullable=True),
    sa.Column('done_at', MOMENT(), nullable=True),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['from_route_id'], ['route.id'], ),
    sa.ForeignKeyConstraint(['stop_id'], ['stop.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('stop_id')
    )
    op.create_index(op.f('ix_take_over_business_id'), 'take_over', ['business_id'], unique=False)
    op.create_index(op.f('ix_take_over_from_route_id'), 'take_over', ['from_route_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_take_over_from_route_id'), table_name='take_over')
    op.drop_index(op.f('ix_take_over_business_id'), table_name='take_over')
    op.drop_table('take_over')
