"""positions and what they mean, estimates that remember what was told and how far they were off"""

import sqlalchemy as sa
from alembic import op

import hub.db.columns

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

SERIAL = hub.db.columns.BigSerial
MOMENT = hub.db.columns.AwareDateTime


def upgrade() -> None:
    with op.batch_alter_table('device') as batch:
        batch.add_column(sa.Column('kind', sa.String(length=20), nullable=False, server_default='phone'))
    with op.batch_alter_table('device') as batch:
        batch.alter_column('kind', server_default=None)
    op.drop_table('fix_chunk')  # nothing has ever been written to it
    op.create_table('fix_chunk',
    sa.Column('id', SERIAL, nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('device_id', sa.String(length=36), nullable=False),
    sa.Column('seq0', sa.BigInteger(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('t0', sa.BigInteger(), nullable=False),
    sa.Column('t1', sa.BigInteger(), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.Column('received_ms', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('device_id', 'seq0')
    )
    op.create_index('ix_fix_chunk_business_id_t1', 'fix_chunk', ['business_id', 't1'])
    op.create_table('last_fix',
    sa.Column('device_id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('driver_id', sa.String(length=36), nullable=False),
    sa.Column('through', sa.BigInteger(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('t', sa.BigInteger(), nullable=False),
    sa.Column('lat', sa.Float(), nullable=True),
    sa.Column('lon', sa.Float(), nullable=True),
    sa.Column('acc', sa.Float(), nullable=True),
    sa.Column('spd', sa.Float(), nullable=True),
    sa.Column('hdg', sa.Float(), nullable=True),
    sa.Column('bat', sa.Float(), nullable=True),
    sa.Column('received_ms', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('device_id')
    )
    op.create_index('ix_last_fix_business_id', 'last_fix', ['business_id'])
    op.create_table('meaning',
    sa.Column('id', SERIAL, nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('device_id', sa.String(length=36), nullable=False),
    sa.Column('driver_id', sa.String(length=36), nullable=False),
    sa.Column('route_id', sa.String(length=36), nullable=False),
    sa.Column('stop_id', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('at_ms', sa.BigInteger(), nullable=False),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('fix_seq', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('device_id', 'stop_id', 'kind', 'fix_seq')
    )
    op.create_index('ix_meaning_business_id_at_ms', 'meaning', ['business_id', 'at_ms'])
    op.create_table('meaning_cursor',
    sa.Column('id', sa.String(length=20), nullable=False),
    sa.Column('last_id', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('eta_error',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('depot_id', sa.String(length=36), nullable=False),
    sa.Column('ahead_s', sa.Integer(), nullable=False),
    sa.Column('error_s', sa.Integer(), nullable=False),
    sa.Column('at', MOMENT(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['depot_id'], ['depot.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    for column in ('at', 'business_id', 'depot_id'):
        op.create_index(f'ix_eta_error_{column}', 'eta_error', [column])
    with op.batch_alter_table('estimate', schema=None) as batch_op:
        batch_op.add_column(sa.Column('told_p50', MOMENT(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('route_id', sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column('samples', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.create_foreign_key('fk_estimate_route_id_route', 'route', ['route_id'], ['id'])
        batch_op.create_index(batch_op.f('ix_estimate_updated_at'), ['updated_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_estimate_route_id'), ['route_id'], unique=False)
    with op.batch_alter_table('estimate', schema=None) as batch_op:
        batch_op.alter_column('samples', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('estimate', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_estimate_route_id'))
        batch_op.drop_index(batch_op.f('ix_estimate_updated_at'))
        batch_op.drop_constraint('fk_estimate_route_id_route', type_='foreignkey')
        batch_op.drop_column('samples')
        batch_op.drop_column('route_id')
        batch_op.drop_column('told_p50')
    for table in ('eta_error', 'meaning_cursor', 'meaning', 'last_fix', 'fix_chunk'):
        op.drop_table(table)
    op.create_table('fix_chunk',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('business_id', sa.String(length=36), nullable=False),
    sa.Column('device_id', sa.String(length=36), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('fixes', sa.JSON(), nullable=False),
    sa.Column('received_at', MOMENT(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['business_id'], ['business.id'], ),
    sa.ForeignKeyConstraint(['device_id'], ['device.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('device_id', 'seq')
    )
    for column in ('business_id', 'device_id', 'received_at'):
        op.create_index(f'ix_fix_chunk_{column}', 'fix_chunk', [column])
