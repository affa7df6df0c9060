"""several brands of a business, each with its words, senders and own domain"""

import sqlalchemy as sa
from alembic import op

from hub.db.columns import AwareDateTime

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

# What SQLite calls the constraint that is given up, which has no name there.
NAMES = {'uq': 'uq_%(table_name)s_%(column_0_name)s'}
ADDED = ('slug', 'is_usual', 'texts_in', 'reply_to', 'sms_sender', 'header_colour', 'font')


def upgrade() -> None:
    """Whoever has one brand keeps it as the usual one."""
    # The defaults stay: SQLite takes one away only by making the table anew.
    for column in (
        sa.Column('slug', sa.String(length=40), nullable=False, server_default='main'),
        sa.Column('is_usual', sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column('texts_in', sa.JSON(), nullable=False, server_default='{}'),
        sa.Column('reply_to', sa.String(length=254), nullable=False, server_default=''),
        sa.Column('sms_sender', sa.String(length=11), nullable=False, server_default=''),
        sa.Column('header_colour', sa.String(length=7), nullable=False, server_default=''),
        sa.Column('font', sa.String(length=20), nullable=False, server_default='system'),
    ):
        op.add_column('brand', column)
    op.create_index('ix_brand_slug', 'brand', ['business_id', 'slug'], unique=True)
    op.add_column('connection', sa.Column('brand', sa.String(length=40), nullable=False, server_default=''))
    op.create_table('brand_domain',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('brand_id', sa.String(length=36), nullable=False),
    sa.Column('host', sa.String(length=253), nullable=False),
    sa.Column('token', sa.String(length=60), nullable=False),
    sa.Column('proven_host', sa.String(length=253), nullable=True),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('said', sa.String(length=4000), nullable=False),
    sa.Column('proven_at', AwareDateTime(), nullable=True),
    sa.Column('checked_at', AwareDateTime(), nullable=True),
    sa.Column('failing_since', AwareDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['brand_id'], ['brand.id'], ),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('brand_id'),
    sa.UniqueConstraint('proven_host')
    )
    op.create_index(op.f('ix_brand_domain_business_id'), 'brand_domain', ['business_id'], unique=False)
    op.create_index(op.f('ix_brand_domain_host'), 'brand_domain', ['host'], unique=False)
    with op.batch_alter_table('notice_wording', naming_convention=NAMES) as table:
        table.add_column(sa.Column('brand', sa.String(length=40), nullable=False, server_default=''))
        table.drop_constraint(_wording_key(), type_='unique')
        table.create_unique_constraint('uq_notice_wording_brand', ['rule_id', 'brand', 'language'])


def downgrade() -> None:
    """Only the usual brand is left of several."""
    op.execute("DELETE FROM notice_wording WHERE brand <> ''")
    with op.batch_alter_table('notice_wording') as table:
        table.drop_constraint('uq_notice_wording_brand', type_='unique')
        table.drop_column('brand')
        table.create_unique_constraint('uq_notice_wording_rule_id', ['rule_id', 'language'])
    op.drop_table('brand_domain')
    op.drop_column('connection', 'brand')
    op.drop_index('ix_brand_slug', table_name='brand')
    op.execute('DELETE FROM brand WHERE NOT is_usual')
    for name in ADDED:
        op.drop_column('brand', name)


def _wording_key() -> str:
    """PostgreSQL has named it itself."""
    found = sa.inspect(op.get_bind()).get_unique_constraints('notice_wording')
    return next((one['name'] for one in found if one['name']), 'uq_notice_wording_rule_id')
