"""what notices need to keep their manners: quiet hours, limits, receipts, costs, who wants none"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0020'
down_revision = '0015'
branch_labels = None
depends_on = None

MOMENT = hub.db.columns.AwareDateTime
NAMES = {'uq': 'uq_%(table_name)s_%(column_0_name)s'}  # 0001 gave its constraints none
RULE = ['business_id', 'trigger', 'channel']


def upgrade() -> None:
    op.create_table('suppression',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('reaches', sa.String(length=10), nullable=False),
    sa.Column('address_hash', sa.String(length=64), nullable=False),
    sa.Column('shown', sa.String(length=80), nullable=False),
    sa.Column('why', sa.String(length=20), nullable=False),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.Column('at', MOMENT(), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('business_id', 'reaches', 'address_hash')
    )
    op.create_index(op.f('ix_suppression_business_id'), 'suppression', ['business_id'], unique=False)
    with op.batch_alter_table('choice') as batch_op:
        batch_op.add_column(sa.Column('hook', sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f('ix_choice_hook'), ['hook'], unique=True)
    with op.batch_alter_table('notice') as batch_op:
        batch_op.add_column(sa.Column('instead_of', sa.String(length=36), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('receipt', sa.String(length=20), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('receipt_at', MOMENT(), nullable=True))
        batch_op.add_column(sa.Column('parts', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('cost_micros', sa.BigInteger(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('currency', sa.String(length=3), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('stop_hash', sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f('ix_notice_stop_hash'), ['stop_hash'], unique=False)
    with op.batch_alter_table('notice_rule', naming_convention=NAMES) as batch_op:
        batch_op.add_column(sa.Column('in_quiet', sa.String(length=10), nullable=False, server_default='send'))
        batch_op.add_column(sa.Column('fallback', sa.String(length=60), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('minutes', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('stops', sa.Integer(), nullable=False, server_default='0'))
        batch_op.drop_constraint(_unnamed(RULE), type_='unique')
        batch_op.create_unique_constraint('uq_notice_rule_role', [*RULE, 'role'])


def downgrade() -> None:
    with op.batch_alter_table('notice_rule') as batch_op:
        batch_op.drop_constraint('uq_notice_rule_role', type_='unique')
        batch_op.create_unique_constraint('notice_rule_business_id_trigger_channel_key', RULE)
        for name in ('stops', 'minutes', 'fallback', 'in_quiet'):
            batch_op.drop_column(name)
    with op.batch_alter_table('notice') as batch_op:
        batch_op.drop_index(batch_op.f('ix_notice_stop_hash'))
        for name in ('stop_hash', 'currency', 'cost_micros', 'parts', 'receipt_at', 'receipt', 'instead_of'):
            batch_op.drop_column(name)
    with op.batch_alter_table('choice') as batch_op:
        batch_op.drop_index(batch_op.f('ix_choice_hook'))
        batch_op.drop_column('hook')
    op.drop_index(op.f('ix_suppression_business_id'), table_name='suppression')
    op.drop_table('suppression')


def _unnamed(columns: list[str]) -> str:
    """What the database calls a constraint that was made without a name."""
    if op.get_bind().dialect.name == 'postgresql':
        return '_'.join(['notice_rule', *columns, 'key'])
    return NAMES['uq'] % {'table_name': 'notice_rule', 'column_0_name': columns[0]}
