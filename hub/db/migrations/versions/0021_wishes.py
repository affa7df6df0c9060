"""what recipients say on the page behind the link"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('wish',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('order_id', sa.String(length=36), nullable=False),
    sa.Column('job_id', sa.String(length=36), nullable=True),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('said', sa.String(length=300), nullable=False),
    sa.Column('at', hub.db.columns.AwareDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['job_id'], ['job.id'], ),
    sa.ForeignKeyConstraint(['order_id'], ['order.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('order_id', 'key')
    )
    op.create_index(op.f('ix_wish_business_id'), 'wish', ['business_id'], unique=False)
    op.create_index(op.f('ix_wish_order_id'), 'wish', ['order_id'], unique=False)


def downgrade() -> None:
    op.drop_table('wish')
