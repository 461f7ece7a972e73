"""PS3.8 Table 9-10, as the standard prints it, into (action, next state) by event and state."""

from __future__ import annotations

# PS3.8 Table 9-10: a row an event, a column a state (Sta1 to Sta13); "-" means it cannot happen.
GRID = """
        1     2     3     4     5     6     7     8     9     10    11    12    13
Evt1    AE-1  -     -     -     -     -     -     -     -     -     -     -     -
Evt2    -     -     -     AE-2  -     -     -     -     -     -     -     -     -
Evt3    -     AA-1  AA-8  -     AE-3  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
Evt4    -     AA-1  AA-8  -     AE-4  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
Evt5    AE-5  -     -     -     -     -     -     -     -     -     -     -     -
Evt6    -     AE-6  AA-8  -     AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-7
Evt7    -     -     AE-7  -     -     -     -     -     -     -     -     -     -
Evt8    -     -     AE-8  -     -     -     -     -     -     -     -     -     -
Evt9    -     -     -     -     -     DT-1  -     AR-7  -     -     -     -     -
Evt10   -     AA-1  AA-8  -     AA-8  DT-2  AR-6  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
Evt11   -     -     -     -     -     AR-1  -     -     -     -     -     -     -
Evt12   -     AA-1  AA-8  -     AA-8  AR-2  AR-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
Evt13   -     AA-1  AA-8  -     AA-8  AA-8  AR-3  AA-8  AA-8  AR-10 AR-3  AA-8  AA-6
Evt14   -     -     -     -     -     -     -     AR-4  AR-9  -     -     AR-4  -
Evt15   -     -     AA-1  AA-2  AA-1  AA-1  AA-1  AA-1  AA-1  AA-1  AA-1  AA-1  -
Evt16   -     AA-2  AA-3  -     AA-3  AA-3  AA-3  AA-3  AA-3  AA-3  AA-3  AA-3  AA-2
Evt17   -     AA-5  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AR-5
Evt18   -     AA-2  -     -     -     -     -     -     -     -     -     -     AA-2
Evt19   -     AA-1  AA-8  -     AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-7
"""

# PS3.8 Tables 9-6 to 9-9: what each action does, in five verbs, and the state it leads to.
# Two actions have a choice: AE-6 refuses a request that the provider cannot accept (AE-6!),
# AR-8 leads the requestor to Sta9 and the acceptor to Sta10 (AR-8!).
ACTIONS = """
AE-1    -                   Sta4    issue TRANSPORT CONNECT
AE-2    send                Sta5    A-ASSOCIATE-RQ
AE-3    tell                Sta6    A-ASSOCIATE confirmation (accept)
AE-4    tell close          Sta1    A-ASSOCIATE confirmation (reject)
AE-5    start               Sta2    await the A-ASSOCIATE-RQ under ARTIM
AE-6    stop tell           Sta3    A-ASSOCIATE indication
AE-6!   stop send start     Sta13   A-ASSOCIATE-RJ by the provider
AE-7    send                Sta6    A-ASSOCIATE-AC
AE-8    send start          Sta13   A-ASSOCIATE-RJ
DT-1    send                Sta6    P-DATA-TF
DT-2    tell                Sta6    P-DATA indication
AR-1    send                Sta7    A-RELEASE-RQ
AR-2    tell                Sta8    A-RELEASE indication
AR-3    tell close          Sta1    A-RELEASE confirmation
AR-4    send start          Sta13   A-RELEASE-RP
AR-5    stop                Sta1    the transport is closed
AR-6    tell                Sta7    P-DATA indication
AR-7    send                Sta8    P-DATA-TF
AR-8    tell                Sta9    A-RELEASE indication, collision, requestor
AR-8!   tell                Sta10   A-RELEASE indication, collision, acceptor
AR-9    send                Sta11   A-RELEASE-RP
AR-10   tell                Sta12   A-RELEASE confirmation
AA-1    send start          Sta13   A-ABORT by the user
AA-2    stop close          Sta1    -
AA-3    tell close          Sta1    A-ABORT or A-P-ABORT indication
AA-4    tell                Sta1    A-P-ABORT indication
AA-5    stop                Sta1    -
AA-6    -                   Sta13   ignore the PDU
AA-7    send                Sta13   A-ABORT
AA-8    send tell start     Sta13   A-ABORT by the provider, A-P-ABORT indication
"""


def _parse_grid(text: str) -> dict[tuple[str, str], str]:
    header, *rows = [line.split() for line in text.strip().splitlines()]
    return {
        (event, f"Sta{state}"): action
        for event, *cells in rows
        for state, action in zip(header, cells, strict=True)
        if action != "-"
    }


def _parse_actions(text: str) -> dict[str, tuple[tuple[str, ...], str]]:
    actions = {}
    for line in text.strip().splitlines():
        action, *verbs = line[:28].split()
        actions[action] = (tuple(verb for verb in verbs if verb != "-"), line[28:36].strip())
    return actions


TRANSITIONS = _parse_grid(GRID)
"""(event, state) -> action id, for the 123 defined cells of PS3.8 Table 9-10."""

ACTION_TEXTS = {line.split()[0]: line[36:].strip() for line in ACTIONS.strip().splitlines()}
"""Action id -> what it sends or tells."""

EFFECTS = _parse_actions(ACTIONS)
"""Action id -> (verbs in order, next state); PS3.8 Tables 9-6 to 9-9."""
