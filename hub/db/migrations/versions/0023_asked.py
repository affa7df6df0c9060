"""enquiries, ratings, browsers that listen, and a link of its own for each contact of an order"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

FACTS = ('position', 'route', 'driver', 'stops', 'recipient', 'address', 'items', 'photo', 'payment')
FAR = {'position', 'route', 'driver'}
ALWAYS, NEVER = {'since': 'always', 'at': 0}, {'since': 'never', 'at': 0}
MOMENT = hub.db.columns.AwareDateTime


def upgrade() -> None:
    op.create_table('enquiry',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('order_id', sa.String(length=36), nullable=False),
    sa.Column('job_id', sa.String(length=36), nullable=True),
    sa.Column('at', MOMENT(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('channel', sa.String(length=20), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.Column('once', sa.String(length=60), nullable=True),
    sa.Column('shows', sa.String(length=20), nullable=False),
    sa.Column('p10', MOMENT(), nullable=True),
    sa.Column('p50', MOMENT(), nullable=True),
    sa.Column('p90', MOMENT(), nullable=True),
    sa.Column('opens', MOMENT(), nullable=True),
    sa.Column('closes', MOMENT(), nullable=True),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['order_id'], ['order.id'], ),
    sa.ForeignKeyConstraint(['job_id'], ['job.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('order_id', 'once')
    )
    for column in ('at', 'business_id', 'order_id'):
        op.create_index(op.f(f'ix_enquiry_{column}'), 'enquiry', [column], unique=False)
    op.create_table('rating',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('order_id', sa.String(length=36), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('job_id', sa.String(length=36), nullable=False),
    sa.Column('driver_id', sa.String(length=36), nullable=True),
    sa.Column('route_id', sa.String(length=36), nullable=True),
    sa.Column('stars', sa.Integer(), nullable=False),
    sa.Column('comment', sa.String(length=1000), nullable=False),
    sa.Column('at', MOMENT(), nullable=False),
    sa.Column('changed_at', MOMENT(), nullable=False),
    sa.Column('handled_at', MOMENT(), nullable=True),
    sa.Column('handled_by', sa.String(length=80), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['order_id'], ['order.id'], ),
    sa.ForeignKeyConstraint(['job_id'], ['job.id'], ),
    sa.ForeignKeyConstraint(['driver_id'], ['driver.id'], ),
    sa.ForeignKeyConstraint(['route_id'], ['route.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('order_id', 'role')
    )
    for column in ('at', 'business_id', 'order_id'):
        op.create_index(op.f(f'ix_rating_{column}'), 'rating', [column], unique=False)
    op.create_table('push',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('order_id', sa.String(length=36), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('endpoint_hash', sa.String(length=64), nullable=False),
    sa.Column('subscription', sa.JSON(), nullable=False),
    sa.Column('at', MOMENT(), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['order_id'], ['order.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('order_id', 'role', 'endpoint_hash')
    )
    for column in ('business_id', 'order_id'):
        op.create_index(op.f(f'ix_push_{column}'), 'push', [column], unique=False)
    _links(['order_id', 'role'], was=['order_id'], role=True)
    _rules()


def downgrade() -> None:
    op.execute("DELETE FROM link WHERE role <> 'recipient'")
    _links(['order_id'], was=['order_id', 'role'], role=False)
    for table, columns in (
        ('push', ('business_id', 'order_id')),
        ('rating', ('at', 'business_id', 'order_id')),
        ('enquiry', ('at', 'business_id', 'order_id')),
    ):
        for column in columns:
            op.drop_index(op.f(f'ix_{table}_{column}'), table_name=table)
        op.drop_table(table)


def _rules() -> None:
    """What is to pay was always shown; what a page hid, the pages of others hide too."""
    for id, settings in _settings():
        rules = settings.get('visibility')
        if not rules or 'page' not in rules:
            continue
        page = {**rules['page'], 'payment': rules['page'].get('payment', {'since': 'always', 'at': 0})}
        hidden = {fact for fact in FACTS if page.get(fact, NEVER)['since'] == 'never'}
        others = {}
        for reader, never in ('gift', {'items', 'payment'}), ('site', {'items', 'payment'}):
            others[reader] = {**page, **dict.fromkeys(never, NEVER)}
        for reader, never in ('buyer', FAR | {'address'}), ('shipper', FAR | {'payment'}):
            others[reader] = dict.fromkeys(FACTS, ALWAYS) | dict.fromkeys(never | hidden | {'photo'}, NEVER)
        _keep(id, {**settings, 'visibility': {**others, **rules, 'page': page}})


def _settings() -> list[tuple[str, dict[str, Any]]]:
    rows = op.get_bind().execute(sa.text('SELECT id, settings FROM business')).all()
    return [(id, json.loads(kept) if isinstance(kept, str) else kept) for id, kept in rows]


def _keep(id: str, settings: dict[str, Any]) -> None:
    business = sa.table('business', sa.column('id', sa.String), sa.column('settings', sa.JSON))
    op.get_bind().execute(sa.update(business).where(business.c.id == id).values(settings=settings))


def _links(columns: list[str], was: list[str], *, role: bool) -> None:
    """Links that were there are the recipient's, and their tokens still open them.

    SQLite changes what is unique only by making the table anew. Nothing refers to a link.
    """
    if op.get_bind().dialect.name == 'postgresql':
        op.drop_constraint('_'.join(['link', *was, 'key']), 'link', type_='unique')
        if role:
            op.add_column('link', sa.Column('role', sa.String(length=20), nullable=False, server_default='recipient'))
        else:
            op.drop_column('link', 'role')
        op.create_unique_constraint('_'.join(['link', *columns, 'key']), 'link', columns)
        return
    op.drop_index('ix_link_business_id', table_name='link')
    op.rename_table('link', 'old_link')
    given = [sa.Column('role', sa.String(length=20), nullable=False, server_default='recipient')] if role else []
    op.create_table('link',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('order_id', sa.String(length=36), nullable=False),
    *given,
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['order_id'], ['order.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint(*columns),
    sa.UniqueConstraint('token_hash')
    )
    names = 'id, business_id, order_id, epoch, token_hash'
    op.execute(f'INSERT INTO link ({names}) SELECT {names} FROM old_link')
    op.drop_table('old_link')
    op.create_index('ix_link_business_id', 'link', ['business_id'], unique=False)
