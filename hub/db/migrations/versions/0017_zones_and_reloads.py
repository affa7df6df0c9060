"""zones, jobs outside them that a driver may do, and stops where the next load is loaded"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('zone',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('area', sa.JSON(), nullable=False),
    sa.Column('postcodes', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('business_id', 'name')
    )
    op.create_index(op.f('ix_zone_business_id'), 'zone', ['business_id'], unique=False)
    # The defaults stay: SQLite takes one away only by making the table anew.
    op.add_column('depot', sa.Column('reload_s', sa.Integer(), nullable=True))
    op.add_column('shift', sa.Column('besides', sa.JSON(), nullable=False, server_default='[]'))
    op.add_column(
        'take_over', sa.Column('is_reload', sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    # A stop where something is loaded, and nothing else, has no other row to say what it is.
    op.execute("DELETE FROM take_over WHERE is_reload")
    op.drop_column('take_over', 'is_reload')
    op.drop_column('shift', 'besides')
    op.drop_column('depot', 'reload_s')
    op.drop_index(op.f('ix_zone_business_id'), table_name='zone')
    op.drop_table('zone')
