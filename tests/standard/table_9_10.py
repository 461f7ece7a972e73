"""PS3.8 Table 9-10 a second time, by action and not by event, into cells to compare with."""

from __future__ import annotations

import re
from typing import NamedTuple

# Action -> next state; what PS3.8 Tables 9-6 to 9-9 have it do; events in states.
# Not made from the library's grid: transcribed on its own, action by action.
_TABLE = """
AE-1   4   -                     | 1 in 1
AE-2   5   send                  | 2 in 4
AE-3   6   tell                  | 3 in 5
AE-4   1   tell close            | 4 in 5
AE-5   2   start                 | 5 in 1
AE-6   3   stop tell             | 6 in 2
AE-6   13  stop send start       | 6 in 2
AE-7   6   send                  | 7 in 3
AE-8   13  send start            | 8 in 3
DT-1   6   send                  | 9 in 6
DT-2   6   tell                  | 10 in 6
AR-1   7   send                  | 11 in 6
AR-2   8   tell                  | 12 in 6
AR-3   1   tell close            | 13 in 7,11
AR-4   13  send start            | 14 in 8,12
AR-5   1   stop                  | 17 in 13
AR-6   7   tell                  | 10 in 7
AR-7   8   send                  | 9 in 8
AR-8   9   tell                  | 12 in 7
AR-8   10  tell                  | 12 in 7
AR-9   11  send                  | 14 in 9
AR-10  12  tell                  | 13 in 10
AA-1   13  send start            | 3,4,10,12,13,19 in 2; 15 in 3,5,6,7,8,9,10,11,12
AA-2   1   stop close            | 15 in 4; 16,18 in 2,13
AA-3   1   tell close            | 16 in 3,5,6,7,8,9,10,11,12
AA-4   1   tell                  | 17 in 3,4,5,6,7,8,9,10,11,12
AA-5   1   stop                  | 17 in 2
AA-6   13  -                     | 3,4,10,12,13 in 13
AA-7   13  send                  | 6,19 in 13
AA-8   13  send tell start       | 3,4 in 3,6,7,8,9,10,11,12; 6,19 in 3,5,6,7,8,9,10,11,12; \
10,12 in 3,5,8,9,10,11,12; 13 in 3,5,6,8,9,12
"""

EVENTS = [f"Evt{number}" for number in range(1, 20)]
STATES = [f"Sta{number}" for number in range(1, 14)]


class Cell(NamedTuple):
    """What happens: the action, its verbs in order, the state it leads to."""

    action: str
    verbs: tuple[str, ...]
    after: str


def _read(text: str) -> dict[tuple[str, str], list[Cell]]:
    found: dict[tuple[str, str], list[Cell]] = {}
    for line in text.strip().splitlines():
        head, _, places = line.partition("|")
        action, after, *verbs = head.split()
        cell = Cell(action, tuple(verb for verb in verbs if verb != "-"), f"Sta{after}")
        for events, states in re.findall(r"([\d,]+) in ([\d,]+)", places):
            for event in events.split(","):
                for state in states.split(","):
                    found.setdefault((f"Evt{event}", f"Sta{state}"), []).append(cell)
    return found


CELLS = _read(_TABLE)
"""(event, state) -> one cell, or two where there is a choice (AE-6, AR-8)."""

UNDEFINED = [(event, state) for event in EVENTS for state in STATES if (event, state) not in CELLS]


def choose(event: str, state: str, requestor: bool, refuse: bool = False) -> Cell:
    """The cell that holds for this side: AE-6 by whether it refuses, AR-8 by whose side it is."""
    cells = CELLS[event, state]
    if len(cells) == 1:
        return cells[0]
    return cells[refuse if event == "Evt6" else not requestor]
