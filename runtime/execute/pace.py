"""How many workers compute a step, from how long steps take: a core that another program uses is none for a lane.

A worker whose core is taken holds up all others at the end of each step, and a run on two cores of which one is taken
may be slower than on one. Who computes a lane changes no bit, so a clock may decide it.
"""

from collections.abc import Sequence

WINDOW, TRIAL = 0.02, 0.01
"""Seconds of steps from which a time per step is taken, and those of a trial."""

WAITED = 0.2
"""The share of a step that this process waits for others from which fewer workers are tried."""

SLOWER = 1.25
"""The times of the fastest step so far from which fewer workers are tried."""

IN_A_ROW = 2
"""Slow windows before fewer workers are tried: one may be slow by chance, and long steps make short windows."""

GAIN = 0.95
"""The share of a step's time that more workers must stay below."""

SOON = 0.1
LATE = {-1: 0.5, 1: 1.0}
"""Seconds to the next trial: at first, and at most, of fewer workers and of more; they double with each in vain."""

RARELY = 10
"""The least pause after a trial in vain, in times of its length: steps may be long."""

LASTING = 1.0
"""Seconds after which a number of workers has proved itself, so that the next trial is soon again."""


class Pace:
    """Chooses among numbers of workers, in ascending order; the last one, at first.

    It tries fewer where steps become slow or this process waits for others, and more again later. A trial is kept where
    the steps are faster.
    """

    def __init__(self, counts: Sequence[int]):
        self._counts = counts
        self._level = len(counts) - 1
        self._from: tuple[int, float] | None = None  # what a trial is compared with: the level and its time
        self._fastest: dict[int, float] = {}
        self._pauses = {-1: SOON, 1: SOON}  # before a trial of fewer and of more workers
        self._next = {-1: 0.0, 1: 0.0}
        self._kept = 0.0  # the time of a step when fewer were tried in vain
        self._since = 0.0
        self._slow = 0  # windows in a row
        self._begin(skip=2)  # steps that make buffers

    @property
    def workers(self) -> int:
        """How many compute the next step."""
        return self._counts[self._level]

    def _begin(self, skip: int = 1) -> None:
        self._skip, self._steps, self._seconds, self._waited = skip, 0, 0.0, 0.0

    def made(self, seconds: float, waited: float, now: float) -> None:
        """Count a step: how long it took, how much of that this process waited, and the time of a clock."""
        if self._skip:
            self._skip -= 1
            return
        self._steps += 1
        self._seconds += seconds
        self._waited += waited
        if self._steps >= 2 and self._seconds >= (WINDOW if self._from is None else TRIAL):
            self._judge(self._seconds / self._steps, self._waited / self._seconds, now)

    def _judge(self, time: float, waited: float, now: float) -> None:
        if self._from is not None:
            self._end_trial(time, now)
            return
        fastest = self._fastest[self._level] = min(time, self._fastest.get(self._level, time))
        slow = waited > WAITED or time > SLOWER * fastest
        self._slow = self._slow + 1 if slow else 0
        if self._level and self._slow >= IN_A_ROW and (now >= self._next[-1] or time > SLOWER * self._kept):
            self._try(-1, time)
        elif self._level < len(self._counts) - 1 and now >= self._next[1]:
            self._try(1, time)
        else:
            self._begin(skip=0)

    def _try(self, direction: int, time: float) -> None:
        self._from, self._slow = (self._level, time), 0
        self._level += direction
        self._begin()

    def _end_trial(self, time: float, now: float) -> None:
        """Keep what was tried where it is faster; else go back, and wait longer before it is tried again."""
        assert self._from is not None
        level, before = self._from
        direction, self._from = self._level - level, None
        if time < before * (GAIN if direction > 0 else 1):
            if direction < 0:
                self._kept = 0.0
                lasted = now - self._since > LASTING
                self._pauses[1] = SOON if lasted else min(2 * self._pauses[1], LATE[1])
                self._next[1] = now + self._pauses[1]
            self._since = now
        else:
            self._level = level
            self._pauses[direction] = min(2 * self._pauses[direction], LATE[direction])
            self._kept = before if direction < 0 else self._kept
            self._next[direction] = now + max(self._pauses[direction], RARELY * self._seconds)
        self._begin()
