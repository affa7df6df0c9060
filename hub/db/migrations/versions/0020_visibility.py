"""who sees what, as rules of each fact and reader"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

FLAT = ('share', 'share_stops', 'share_minutes', 'show_items', 'show_photo', 'show_driver_name')


def upgrade() -> None:
    """What was set stays as it was set; all else is as it was for everybody."""
    for id, settings in _settings():
        if not any(name in settings for name in FLAT):
            continue
        old = {name: settings.pop(name) for name in FLAT if name in settings}
        position = {
            'stops': _rule('stops', old.get('share_stops', 3)),
            'minutes': _rule('minutes', old.get('share_minutes', 20)),
            'next': _rule('stops', 0),
            'never': _rule('never'),
        }[old.get('share', 'stops')]
        items, name = old.get('show_items', True), old.get('show_driver_name', True)
        always = _rule('always')
        page = {
            'position': position,
            'route': _rule('stops', 0),
            'driver': _rule('always' if name else 'never'),
            'stops': always,
            'recipient': always,
            'address': always,
            'items': _rule('always' if items else 'never'),
            'photo': _rule('always' if old.get('show_photo', False) else 'never'),
        }
        _keep(id, {**settings, 'visibility': {'page': page}})


def downgrade() -> None:
    for id, settings in _settings():
        page = settings.pop('visibility', {}).get('page')
        if page is None:
            continue
        position = page.get('position', _rule('never'))
        share = position['since']
        if share == 'stops' and position['at'] == 0:
            share = 'next'
        flat = {'share': share if share in ('stops', 'minutes', 'next') else 'never'}
        if share in ('stops', 'minutes'):
            flat[f'share_{share}'] = position['at']
        for name, fact in (('items', 'items'), ('photo', 'photo'), ('driver_name', 'driver')):
            flat[f'show_{name}'] = page.get(fact, _rule('never'))['since'] == 'always'
        _keep(id, {**settings, **flat})


def _rule(since: str, at: int = 0) -> dict[str, Any]:
    return {'since': since, 'at': at}


def _settings() -> list[tuple[str, dict[str, Any]]]:
    rows = op.get_bind().execute(sa.text('SELECT id, settings FROM business')).all()
    return [(id, json.loads(kept) if isinstance(kept, str) else kept) for id, kept in rows]


def _keep(id: str, settings: dict[str, Any]) -> None:
    business = sa.table('business', sa.column('id', sa.String), sa.column('settings', sa.JSON))
    op.get_bind().execute(sa.update(business).where(business.c.id == id).values(settings=settings))
