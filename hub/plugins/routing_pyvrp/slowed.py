"""Drives as long as they are at the time they are driven, for a solver that knows no time of day.

A way between two doors is told by when these doors are served in a plan that is known, or by their
windows; where neither is known it takes what it takes on average over the shift.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hub import Pace, TimeWindow

Matrix = np.ndarray[Any, np.dtype[np.int64]]
Moments = np.ndarray[Any, np.dtype[np.float64]]  # epochs; not a number: not known
BEYOND_S = 3 * 86_400.0


class Clock:
    """How far one comes by which moment: epochs against undisturbed seconds of driving."""

    def __init__(self, pace: Sequence[Pace], shift: TimeWindow) -> None:
        opens, closes = shift.opens.timestamp(), shift.closes.timestamp()
        begins = [one.begins.timestamp() for one in pace]
        first = min([opens, *begins]) - BEYOND_S
        last = max([closes, *begins]) + BEYOND_S
        self._at = np.array([first, *begins, last])
        factors = np.array([1.0, *(one.factor for one in pace)])
        self._far = np.concatenate([[0.0], np.cumsum(np.diff(self._at) / factors)])
        far = np.interp([opens, closes], self._at, self._far)
        self.usual = (closes - opens) / max(1.0, float(far[1] - far[0]))

    def slowed(self, seconds: Matrix, leaves: Moments, arrives: Moments) -> Matrix:
        """``seconds[i][j]`` by who leaves *i* at ``leaves[i]`` and is at *j* at ``arrives[j]``:
        the mean of both where both are known.
        """
        since = np.interp(leaves, self._at, self._far)[:, None]  # nan stays nan
        until = np.interp(arrives, self._at, self._far)[None, :]
        by_leaving = np.interp(since + seconds, self._far, self._at) - leaves[:, None]
        by_arriving = arrives[None, :] - np.interp(until - seconds, self._far, self._at)
        by_leaving = np.where(np.isnan(leaves)[:, None], by_arriving, by_leaving)
        by_arriving = np.where(np.isnan(arrives)[None, :], by_leaving, by_arriving)
        both = (by_leaving + by_arriving) / 2
        both = np.where(np.isnan(both), seconds * self.usual, both)
        return np.ceil(both).astype(np.int64)
