"""choices, and what a notice needs to survive a crash"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('choice',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('plugin', sa.String(length=60), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('settings', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('last_error', sa.String(length=4000), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('business_id', 'kind', 'plugin')
    )
    with op.batch_alter_table('choice', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_choice_business_id'), ['business_id'], unique=False)

    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.add_column(sa.Column('job_id', sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column('trigger', sa.String(length=40), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('attempts', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('claim', sa.String(length=36), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('leased_until', hub.db.columns.AwareDateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key('fk_notice_job_id_job', 'job', ['job_id'], ['id'])
        batch_op.create_index(batch_op.f('ix_notice_state'), ['state'], unique=False)

    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.alter_column('trigger', server_default=None)
        batch_op.alter_column('attempts', server_default=None)
        batch_op.alter_column('claim', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_notice_state'))
        batch_op.drop_constraint('fk_notice_job_id_job', type_='foreignkey')
        for column in ('leased_until', 'claim', 'attempts', 'trigger', 'job_id'):
            batch_op.drop_column(column)

    with op.batch_alter_table('choice', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_choice_business_id'))

    op.drop_table('choice')
