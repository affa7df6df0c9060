"""When roads are slower, as it is typed into a line of a form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, Field, field_validator

from hub.core.rush_hours import LEAST, MOST, RushHour, overlap

Day = Literal["0", "1", "2", "3", "4", "5", "6"]
DAY_NAMES = dict(zip("0123456", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
KINDS = {
    "": "All vehicles",
    "car": "Cars",
    "van": "Vans",
    "truck": "Trucks",
    "bicycle": "Bicycles",
    "cargo_bike": "Cargo bikes",
    "walk": "On foot",
}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(:00)?")


class RushHourIn(BaseModel):
    """One line: on which days, from when to when, how many times as long, and for whom."""

    first_day: Day = Field(
        default="0", title="from day", json_schema_extra={"labels": {**DAY_NAMES}}
    )
    last_day: Day = Field(default="4", title="to day", json_schema_extra={"labels": {**DAY_NAMES}})
    begins: str = Field(default="", title="begins at", json_schema_extra={"type": "time"})
    ends: str = Field(default="", title="ends at", json_schema_extra={"type": "time"})
    factor: str = Field(
        default="",
        title="times as long",
        json_schema_extra={"inputmode": "decimal", "example": "1.4 times"},
    )
    profile: Literal["", "car", "van", "truck", "bicycle", "cargo_bike", "walk"] = Field(
        default="", title="for", json_schema_extra={"labels": {**KINDS}}
    )

    @field_validator("begins", "ends")
    @classmethod
    def _clock(cls, typed: str) -> str:
        if (read := _CLOCK.fullmatch(typed.strip())) is None:
            raise ValueError("Say from when to when, such as 07:00 to 09:00.")
        return f"{int(read[1]):02}:{read[2]}"

    @field_validator("factor")
    @classmethod
    def _times(cls, typed: str) -> str:
        try:
            factor = float(typed.strip().rstrip("x×").replace(",", "."))
        except ValueError:
            factor = 0.0
        if not LEAST <= factor <= MOST:
            raise ValueError(
                f"Say how many times as long a drive takes, {LEAST:g} to {MOST:g}, such as 1.4."
            )
        return f"{factor:g}"

    @classmethod
    def of(cls, rule: RushHour) -> Self:
        return cls(
            first_day=f"{rule.first_day}",  # type: ignore[arg-type]  # 0 to 6
            last_day=f"{rule.last_day}",  # type: ignore[arg-type]
            begins=f"{rule.begins_min // 60:02}:{rule.begins_min % 60:02}",
            ends=f"{rule.ends_min // 60:02}:{rule.ends_min % 60:02}",
            factor=f"{rule.factor:g}",
            profile=rule.profile,  # type: ignore[arg-type]
        )

    def rule(self) -> RushHour:
        days = int(self.first_day), int(self.last_day)
        times = _minutes(self.begins), _minutes(self.ends)
        return RushHour(*days, *times, float(self.factor), self.profile)


def no_overlap(lines: Sequence[RushHourIn]) -> None:
    """Raises ``ValueError`` where two lines say something of the same minute."""
    both = overlap([line.rule() for line in lines])
    if both is not None:
        whose = KINDS[both[0].profile].lower()
        raise ValueError(
            f"{both[0]} and {both[1]} are both for {whose} and overlap. "
            "Let one end where the other begins."
        )


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
