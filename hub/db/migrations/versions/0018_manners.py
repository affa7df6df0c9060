"""what notices need to keep their manners: quiet hours, limits, receipts, costs, who wants none"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

MOMENT = hub.db.columns.AwareDateTime
RULE = ['business_id', 'trigger', 'channel']
NAMES = {'fk': 'fk_%(table_name)s_%(column_0_name)s'}  # 0001 gave its constraints none


def upgrade() -> None:
    # Defaults stay: SQLite takes one away only by making the table anew, and notices hang on rules.
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
    op.add_column('choice', sa.Column('hook', sa.String(length=64), nullable=True))
    op.create_index(op.f('ix_choice_hook'), 'choice', ['hook'], unique=True)
    op.add_column('notice', sa.Column('instead_of', sa.String(length=36), nullable=False, server_default=''))
    op.add_column('notice', sa.Column('receipt', sa.String(length=20), nullable=False, server_default=''))
    op.add_column('notice', sa.Column('receipt_at', MOMENT(), nullable=True))
    op.add_column('notice', sa.Column('answer', sa.String(length=1600), nullable=False, server_default=''))
    op.add_column('notice', sa.Column('parts', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('notice', sa.Column('cost_micros', sa.BigInteger(), nullable=False, server_default='0'))
    op.add_column('notice', sa.Column('currency', sa.String(length=3), nullable=False, server_default=''))
    op.add_column('notice', sa.Column('stop_hash', sa.String(length=64), nullable=True))
    op.create_index(op.f('ix_notice_stop_hash'), 'notice', ['stop_hash'], unique=False)
    op.add_column('notice_rule', sa.Column('in_quiet', sa.String(length=10), nullable=False, server_default='send'))
    op.add_column('notice_rule', sa.Column('fallback', sa.String(length=60), nullable=False, server_default=''))
    op.add_column('notice_rule', sa.Column('minutes', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('notice_rule', sa.Column('stops', sa.Integer(), nullable=False, server_default='0'))
    _unique_by([*RULE, 'role'], was=RULE)
    op.create_table('notice_wording',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('rule_id', sa.String(length=36), nullable=False),
    sa.Column('language', sa.String(length=12), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('body', sa.String(length=4000), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['rule_id'], ['notice_rule.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('rule_id', 'language')
    )
    op.create_index(op.f('ix_notice_wording_business_id'), 'notice_wording', ['business_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_notice_wording_business_id'), table_name='notice_wording')
    op.drop_table('notice_wording')
    _unique_by(RULE, was=[*RULE, 'role'])
    for name in ('stops', 'minutes', 'fallback', 'in_quiet'):
        op.drop_column('notice_rule', name)
    op.drop_index(op.f('ix_notice_stop_hash'), table_name='notice')
    for name in ('stop_hash', 'currency', 'cost_micros', 'parts', 'answer', 'receipt_at', 'receipt', 'instead_of'):
        op.drop_column('notice', name)
    op.drop_index(op.f('ix_choice_hook'), table_name='choice')
    op.drop_column('choice', 'hook')
    op.drop_index(op.f('ix_suppression_business_id'), table_name='suppression')
    op.drop_table('suppression')


def _unique_by(columns: list[str], was: list[str]) -> None:
    """Let ``columns`` be what makes a rule one of its kind.

    SQLite changes that only by making the table anew. It may not drop what notices refer to, so
    the old table steps aside first, and the notices are made to refer to the new one.
    """
    if op.get_bind().dialect.name == 'postgresql':
        op.drop_constraint('_'.join(['notice_rule', *was, 'key']), 'notice_rule', type_='unique')
        op.create_unique_constraint('_'.join(['notice_rule', *columns, 'key']), 'notice_rule', columns)
        return
    op.drop_index('ix_notice_rule_business_id', table_name='notice_rule')
    op.rename_table('notice_rule', 'old_rule')
    op.create_table('notice_rule',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('trigger', sa.String(length=40), nullable=False),
    sa.Column('channel', sa.String(length=60), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('body', sa.String(length=4000), nullable=False),
    sa.Column('within_s', sa.Integer(), nullable=False),
    sa.Column('in_quiet', sa.String(length=10), nullable=False, server_default='send'),
    sa.Column('fallback', sa.String(length=60), nullable=False, server_default=''),
    sa.Column('minutes', sa.Integer(), nullable=False, server_default='0'),
    sa.Column('stops', sa.Integer(), nullable=False, server_default='0'),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint(*columns)
    )
    names = 'id, business_id, "trigger", channel, role, active, subject, body, within_s, in_quiet, fallback, minutes, stops'
    op.execute(f'INSERT INTO notice_rule ({names}) SELECT {names} FROM old_rule')
    with op.batch_alter_table('notice', naming_convention=NAMES, recreate='always') as batch_op:
        batch_op.drop_constraint('fk_notice_rule_id', type_='foreignkey')
        batch_op.create_foreign_key('fk_notice_rule_id_rule', 'notice_rule', ['rule_id'], ['id'])
    op.drop_table('old_rule')
    op.create_index('ix_notice_rule_business_id', 'notice_rule', ['business_id'], unique=False)
