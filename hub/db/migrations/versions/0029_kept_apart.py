"""which orders no vehicle takes on the same day"""

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of orders before this nobody said so."""
    op.create_table(
        'order_apart',
        sa.Column('id', sa.String(length=36), nullable=False),
        sa.Column('business_id', sa.String(length=36), nullable=False),
        sa.Column('order_id', sa.String(length=36), nullable=False),
        sa.Column('other_id', sa.String(length=36), nullable=True),
        sa.Column('name', sa.String(length=200), nullable=False),
        sa.Column('by_hand', sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(['business_id'], ['business.id']),
        sa.ForeignKeyConstraint(['order_id'], ['order.id']),
        sa.ForeignKeyConstraint(['other_id'], ['order.id']),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('order_id', 'name'),
    )
    for column in ('business_id', 'order_id', 'other_id'):
        op.create_index(op.f(f'ix_order_apart_{column}'), 'order_apart', [column], unique=False)


def downgrade() -> None:
    op.drop_table('order_apart')
