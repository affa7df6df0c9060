"""bytes that are being taken out of a proof store"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('leaving',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('store', sa.String(length=60), nullable=False),
    sa.Column('store_ref', sa.String(length=300), nullable=False),
    sa.Column('since', hub.db.columns.AwareDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('business_id', 'store', 'store_ref')
    )
    with op.batch_alter_table('leaving', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_leaving_business_id'), ['business_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('leaving', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_leaving_business_id'))

    op.drop_table('leaving')
