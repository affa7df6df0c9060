"""rules, switched off, for what businesses may tell since then: out, near, arrived, how was it"""

import uuid

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

NEW = {
    'out': (
        'Your {visit} from {brand} is out for delivery',
        'Hello {name},\n\nour driver has set out with your {visit} {order}.\nExpected {expected}.\n\n'
        'You can see on its page how far we are.',
        4 * 3600, 0,
    ),
    'near': (
        'Your {visit} from {brand} comes soon',
        'Hello {name},\n\nour driver will soon be with you with your {visit} {order}.\nExpected {expected}.',
        15 * 60, 15,
    ),
    'arrived': (
        'Our driver is there',
        'Hello {name},\n\nour driver is at your door with your {visit} {order}.',
        5 * 60, 0,
    ),
    'review': (
        'How was your {visit} from {brand}?',
        'Hello {name},\n\nyour {visit} {order} is {done}. How did we do?\nAnswer this mail; somebody reads it.',
        48 * 3600, 60,
    ),
}
RULE = sa.table(
    'notice_rule',
    *(sa.column(name, sa.String) for name in ('id', 'business_id', 'trigger', 'channel', 'role', 'subject', 'body')),
    sa.column('active', sa.Boolean), sa.column('within_s', sa.Integer), sa.column('minutes', sa.Integer),
)


def upgrade() -> None:
    bind = op.get_bind()
    known = {(row.business_id, row.channel, row.trigger) for row in bind.execute(sa.select(RULE))}
    rows = [
        dict(id=str(uuid.uuid4()), business_id=business_id, trigger=trigger, channel=channel, role='recipient',
             subject=subject, body=body, active=False, within_s=within_s, minutes=minutes)
        for business_id, channel in sorted({one[:2] for one in known})
        for trigger, (subject, body, within_s, minutes) in NEW.items()
        if (business_id, channel, trigger) not in known
    ]
    if rows:
        op.bulk_insert(RULE, rows)


def downgrade() -> None:
    triggers = list(NEW)
    told = sa.table('notice', sa.column('trigger', sa.String))
    op.execute(sa.delete(told).where(told.c.trigger.in_(triggers)))
    op.execute(sa.delete(RULE).where(RULE.c.trigger.in_(triggers)))
