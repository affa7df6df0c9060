"""What is stored. Rows hold; they do not decide. Decisions are in ``hub.core``.

Every table carries ``business_id`` except the few in ``OUTSIDE``. Times are
aware UTC, ids UUIDv7 text, JSON columns hold what a pydantic ``TypeAdapter``
wrote. The tables of one concern lie in one module; this one gathers them.
"""

from hub.db.tables_day import (
    ActRow,
    EstimateRow,
    EtaErrorRow,
    FixChunkRow,
    LastFixRow,
    MeaningCursorRow,
    MeaningRow,
    PromiseRow,
)
from hub.db.tables_demand import (
    AmendmentRow,
    ApprovalRow,
    ConnectionRow,
    ContactRow,
    ImportRow,
    JobRow,
    LineRow,
    OrderRow,
    PlaceRow,
    RejectRow,
    SeenCallRow,
    TokenLeaseRow,
)
from hub.db.tables_out import (
    ChainHeadRow,
    ChainRow,
    ChoiceRow,
    ErrandRow,
    EventRow,
    IdempotencyRow,
    LeavingRow,
    ProofFileRow,
    ProofRow,
    RecordRow,
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
from hub.db.tables_webhooks import AttemptLogRow, EndpointRow, WebhookRow
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

OUTSIDE = frozenset({"business", "staff", "operator", "log_in", "throttle", "meaning_cursor"})
"""Tables that stand outside every business."""

__all__ = [
    "OUTSIDE",
    "ActRow",
    "AmendmentRow",
    "ApiKeyRow",
    "ApprovalRow",
    "AttemptLogRow",
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
    "EndpointRow",
    "ErrandRow",
    "EstimateRow",
    "EtaErrorRow",
    "EventRow",
    "FixChunkRow",
    "IdempotencyRow",
    "ImportRow",
    "JobRow",
    "LastFixRow",
    "LeavingRow",
    "LineRow",
    "LinkRow",
    "LogInRow",
    "MeaningCursorRow",
    "MeaningRow",
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
    "RecordRow",
    "RejectRow",
    "RouteRow",
    "SecretRow",
    "SeenCallRow",
    "ShiftRow",
    "StaffRow",
    "StopJobRow",
    "StopRow",
    "ThrottleRow",
    "TokenLeaseRow",
    "VehicleRow",
    "WebhookRow",
]
