"""rules that nobody rewrote say that a driver has set out, which is true of visits too"""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None

SUBJECTS = {
    'Your {visit} from {brand} is out for delivery': 'Your {visit} from {brand}: our driver has set out',
}
BODIES = {
    'Hello {name},\n\nour driver has set out with your {visit} {order}.\nExpected {expected}.\n\n'
    'You can see on its page how far we are.':
    'Hello {name},\n\nour driver has set out for your {visit} {order}.\nExpected {expected}.\n\n'
    'You can see on its page how far we are.',
    'Hello {name},\n\nour driver will soon be with you with your {visit} {order}.\nExpected {expected}.':
    'Hello {name},\n\nour driver will soon be with you for your {visit} {order}.\nExpected {expected}.',
    'Hello {name},\n\nyou are next: our driver is on the way with your {visit} {order}.\n'
    'Expected {expected}.':
    'Hello {name},\n\nyou are next: our driver is on the way for your {visit} {order}.\n'
    'Expected {expected}.',
    'Hello {name},\n\nour driver is at your door with your {visit} {order}.':
    'Hello {name},\n\nour driver is at your door for your {visit} {order}.',
    '{brand}: your {visit} is out for delivery.\nExpected {expected}.\n{link}':
    '{brand}: our driver has set out for your {visit}.\nExpected {expected}.\n{link}',
}
RULE = sa.table('notice_rule', sa.column('subject', sa.String), sa.column('body', sa.String))


def upgrade() -> None:
    _replace(SUBJECTS, BODIES)


def downgrade() -> None:
    _replace({new: old for old, new in SUBJECTS.items()}, {new: old for old, new in BODIES.items()})


def _replace(subjects: dict[str, str], bodies: dict[str, str]) -> None:
    for column, texts in ((RULE.c.subject, subjects), (RULE.c.body, bodies)):
        for old, new in texts.items():
            op.execute(sa.update(RULE).where(column == old).values({column.name: new}))
