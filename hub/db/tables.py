"""What is stored. Rows hold; they do not decide. Decisions are in ``hub.core``.

Every table carries ``business_id`` except the few in ``OUTSIDE``. Times are
aware UTC, ids UUIDv7 text, JSON columns hold what a pydantic ``TypeAdapter``
wrote. The tables of one concern lie in one module; this one gathers them.
"""

from hub.db.tables_day import (
    ActRow,
    EstimateRow,
    FixChunkRow,
    PromiseRow,
)
from hub.db.tables_demand import (
    ConnectionRow,
    ContactRow,
    ImportRow,
    JobRow,
    LineRow,
    OrderRow,
    PlaceRow,
    RejectRow,
    SeenCallRow,
)
from hub.db.tables_out import (
    ChainHeadRow,
    ChainRow,
    ChoiceRow,
    ErrandRow,
    EventRow,
    IdempotencyRow,
    ProofFileRow,
    ProofRow,
)
from hub.db.tables_plan import (
    DepotRow,
    DriverRow,
    PlanRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    VehicleRow,
)
from hub.db.tables_told import (
    BrandRow,
    LinkRow,
    NoticeRow,
    NoticeRuleRow,
)
from hub.db.tables_who import (
    ApiKeyRow,
    AuditRow,
    BusinessRow,
    DeviceRow,
    LogInRow,
    MembershipRow,
    OperatorRow,
    SecretRow,
    StaffRow,
    ThrottleRow,
)

OUTSIDE = frozenset({"business", "staff", "operator", "log_in", "throttle"})
"""Tables that stand outside every business."""

__all__ = [
    "OUTSIDE",
    "ActRow",
    "ApiKeyRow",
    "AuditRow",
    "BrandRow",
    "BusinessRow",
    "ChainHeadRow",
    "ChainRow",
    "ChoiceRow",
    "ConnectionRow",
    "ContactRow",
    "DepotRow",
    "DeviceRow",
    "DriverRow",
    "ErrandRow",
    "EstimateRow",
    "EventRow",
    "FixChunkRow",
    "IdempotencyRow",
    "ImportRow",
    "JobRow",
    "LineRow",
    "LinkRow",
    "LogInRow",
    "MembershipRow",
    "NoticeRow",
    "NoticeRuleRow",
    "OperatorRow",
    "OrderRow",
    "PlaceRow",
    "PlanRow",
    "PromiseRow",
    "ProofFileRow",
    "ProofRow",
    "RejectRow",
    "RouteRow",
    "SecretRow",
    "SeenCallRow",
    "ShiftRow",
    "StaffRow",
    "StopJobRow",
    "StopRow",
    "ThrottleRow",
    "VehicleRow",
]
