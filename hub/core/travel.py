"""Travel between many places: kept as arrays, or asked for only where it is needed.

A day of 10,000 places has 100 million ways between them, of which a plan drives 10,000. Whoever
plans it looks at a few hundred places at a time, and then at the legs of its routes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, overload

import numpy as np

from hub.core.plan_request import Pace, TravelMatrix, Whole
from hub.core.values import Point

Ask = Callable[[Sequence[Point]], TravelMatrix]
AT_ONCE = 3_000  # places in one question: 9 million ways are 140 MB of whole numbers
STRIP = 500  # places on the long side where a block is not square
PATIENCE = 2  # single legs for each place that nobody announced; who reads on wants them all
WAY = 100  # places of a way in one question: it wants 100 legs of 10,000 ways


class ArrayTravel(TravelMatrix):
    """What ``seconds`` and ``metres``, two square arrays of whole numbers, say."""

    __slots__ = ("_arrays",)
    _arrays: tuple[Whole, Whole]

    def __init__(self, seconds: Whole, metres: Whole, pace: tuple[Pace, ...] = ()) -> None:
        object.__setattr__(self, "_arrays", (seconds, metres))
        super().__init__(_Listed(seconds), _Listed(metres), pace)

    def block(self, rows: Sequence[int], cols: Sequence[int]) -> tuple[Whole, Whole]:
        seconds, metres = self._arrays
        at = np.ix_(list(rows), list(cols))
        return seconds[at].astype(np.int64), metres[at].astype(np.int64)

    def part(self, places: Sequence[int]) -> TravelMatrix:
        seconds, metres = self._arrays
        at = np.ix_(list(places), list(places))
        return ArrayTravel(seconds[at], metres[at], self.pace)

    def paced(self, pace: tuple[Pace, ...]) -> TravelMatrix:
        return ArrayTravel(*self._arrays, pace)

    def __reduce__(self) -> tuple[object, ...]:
        return ArrayTravel, (*self._arrays, self.pace)


class AskedTravel(TravelMatrix):
    """Between ``places`` as ``ask`` answers for some of them, when and where it is needed.

    Single legs are remembered, blocks are not; who reads cell by cell has the whole fetched, unless
    that is too much for ``AT_ONCE``. It can be sent to another process if ``ask``
    can; what is remembered stays here.
    """

    __slots__ = ("_all", "_ask", "_known", "_places", "_surprises")
    _places: tuple[Point, ...]
    _ask: Ask
    _known: dict[tuple[int, int], tuple[int, int]]
    _all: list[Whole]  # seconds and metres, once everything was fetched
    _surprises: list[int]  # how many legs were asked for that nobody announced
    is_whole: ClassVar[bool] = False

    def __init__(self, places: Sequence[Point], ask: Ask, pace: tuple[Pace, ...] = ()) -> None:
        object.__setattr__(self, "_places", tuple(places))
        object.__setattr__(self, "_ask", ask)
        object.__setattr__(self, "_known", {})
        object.__setattr__(self, "_all", [])
        object.__setattr__(self, "_surprises", [0])
        size = len(self._places)
        super().__init__(
            _Rows(size, lambda i, j: self._leg(i, j)[0]),
            _Rows(size, lambda i, j: self._leg(i, j)[1]),
            pace,
        )

    def block(self, rows: Sequence[int], cols: Sequence[int]) -> tuple[Whole, Whole]:
        every = list(dict.fromkeys((*rows, *cols)))
        if len(every) <= AT_ONCE:
            index = {place: n for n, place in enumerate(every)}
            found = self._ask([self._places[place] for place in every])
            return found.block([index[r] for r in rows], [index[c] for c in cols])
        if len(rows) < len(cols):
            strips = [self.block(rows, cols[n : n + STRIP]) for n in range(0, len(cols), STRIP)]
            axis = 1
        else:
            strips = [self.block(rows[n : n + STRIP], cols) for n in range(0, len(rows), STRIP)]
            axis = 0
        seconds, metres = zip(*strips, strict=True)
        return np.concatenate(seconds, axis), np.concatenate(metres, axis)

    def part(self, places: Sequence[int]) -> TravelMatrix:
        return AskedTravel([self._places[place] for place in places], self._ask, self.pace)

    def paced(self, pace: tuple[Pace, ...]) -> TravelMatrix:
        return AskedTravel(self._places, self._ask, pace)

    def learn(self, ways: Iterable[Sequence[int]]) -> None:
        for way in ways:
            if all(leg in self._known or leg[0] == leg[1] for leg in pairwise(way)):
                continue
            for n in range(0, len(way) - 1, WAY):
                places = way[n : n + WAY + 1]
                seconds, metres = self.block(places, places)
                legs = zip(seconds.diagonal(1).tolist(), metres.diagonal(1).tolist(), strict=True)
                self._known.update(zip(pairwise(places), legs, strict=True))

    def __reduce__(self) -> tuple[object, ...]:
        return AskedTravel, (self._places, self._ask, self.pace)

    def _leg(self, here: int, there: int) -> tuple[int, int]:
        if here == there:
            return 0, 0
        if (here, there) not in self._known:
            self._surprises[0] += 1
            if self._surprises[0] > PATIENCE * len(self._places) and len(self._places) <= AT_ONCE:
                if not self._all:
                    every = range(len(self._places))
                    self._all.extend(self.block(every, every))
                return int(self._all[0][here, there]), int(self._all[1][here, there])
            self.learn([(here, there)])
        return self._known[here, there]


class _Listed(Sequence[Sequence[int]]):
    """The rows of an array as lists of plain whole numbers, each made when it is first read."""

    __slots__ = ("_array", "_lists")

    def __init__(self, array: Whole) -> None:
        self._array: Whole = array
        self._lists: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return len(self._array)

    def __eq__(self, other: object) -> bool:
        """Whether ``other``, rows of whole numbers of any kind, says the same."""
        if not isinstance(other, Sequence) or len(other) != len(self):
            return False
        return all(self[n] == list(other[n]) for n in range(len(self)))

    __hash__ = None  # type: ignore[assignment]  # as of a list

    @overload
    def __getitem__(self, i: int) -> Sequence[int]: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[Sequence[int]]: ...
    def __getitem__(self, i: int | slice) -> Sequence[int] | Sequence[Sequence[int]]:
        if isinstance(i, slice):
            return [self[n] for n in range(len(self._array))[i]]
        row = self._lists.get(i)
        if row is None:
            row = self._lists[i] = self._array[i].tolist()
        return row


class _Rows(Sequence[Sequence[int]]):
    """Reads like a matrix: ``[i][j]`` is what ``cell`` says, a plain whole number."""

    def __init__(self, size: int, cell: Callable[[int, int], int]) -> None:
        self._size, self._cell = size, cell

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, i: int) -> Sequence[int]: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[Sequence[int]]: ...
    def __getitem__(self, i: int | slice) -> Sequence[int] | Sequence[Sequence[int]]:
        if isinstance(i, slice):
            return [_Row(self._size, self._cell, n) for n in range(self._size)[i]]
        return _Row(self._size, self._cell, range(self._size)[i])


class _Row(Sequence[int]):
    __slots__ = ("_cell", "_i", "_size")

    def __init__(self, size: int, cell: Callable[[int, int], int], i: int) -> None:
        self._size, self._cell, self._i = size, cell, i

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, j: int) -> int: ...
    @overload
    def __getitem__(self, j: slice) -> Sequence[int]: ...
    def __getitem__(self, j: int | slice) -> int | Sequence[int]:
        if isinstance(j, slice):
            return [self._cell(self._i, n) for n in range(self._size)[j]]
        return self._cell(self._i, range(self._size)[j])

    def __iter__(self) -> Iterator[int]:
        return (self._cell(self._i, j) for j in range(self._size))
