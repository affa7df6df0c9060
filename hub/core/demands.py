"""What a proof can be asked to hold."""

from __future__ import annotations

from typing import Literal

Demand = Literal["photo", "signature", "name", "note", "pin", "lines"]
