"""what the drives of a round that is over took"""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of rounds before this it is read as of others."""
    op.add_column('route', sa.Column('drives', sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column('route', 'drives')
