"""`dicomwire doctor`: an address into what is wrong there, whose side it is on, and what to do."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from dicomwire.apps.diagnosis import Finding, State, Verdict
from dicomwire.apps.examining import Examination
from dicomwire.apps.exits import Exit
from dicomwire.apps.identity import USER
from dicomwire.apps.options import PEER, ToolParser, WrongUse, flag, option, seconds, titles
from dicomwire.apps.running import run
from dicomwire.apps.tls_options import CLIENT
from dicomwire.network.log_text import visible

_HOW = (
    option("--wait", "seconds that each step may take (default: 5)", common=True, type=seconds,
           default=5.0, metavar="SECONDS"),
    flag("--json", "print each finding as a line of JSON, the verdict last", common=True),
)  # fmt: skip


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "doctor",
        "[options] addr port",
        "Finds out why a DICOM application cannot be used, and whose side that is on.",
        "-aec ORTHANC 192.168.1.20 4242",
    )
    parser.add_options("Peer", PEER)
    parser.add_options("How", (*titles("DOCTOR"), *_HOW))
    parser.add_options("User identity", USER)
    parser.add_options("TLS", CLIENT)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Examine the peer; print each finding when it is there, and the verdict."""
    if args.wait is None:
        raise WrongUse("--wait 0 would wait for ever: give a number of seconds, as in --wait 5")
    for name in ("acse_timeout", "dimse_timeout", "network_timeout", "connection_timeout"):
        setattr(args, name, args.wait)
    args.max_pdu = 16382
    steps = Examination(args).run()
    while True:
        try:
            finding = next(steps)
        except StopIteration as end:
            verdict: Verdict = end.value
            print("\n".join(_end(verdict, args.json)), flush=True)
            return verdict.code
        print(_line(finding, args.json), flush=True)


def _line(finding: Finding, as_json: bool) -> str:
    if not as_json:
        return _aligned(finding.state.value, finding.step, finding.text)
    head = {"step": finding.step, "state": finding.state.value, "text": finding.text}
    return json.dumps({**head, **finding.details})


def _end(verdict: Verdict, as_json: bool) -> list[str]:
    good = verdict.code is Exit.DONE
    if as_json:
        state = (State.OK if good else State.FAILED).value
        head = {"step": "verdict", "state": state, "text": verdict.text}
        rest = {"fault": verdict.fault.name, "advice": verdict.advice, "exit": verdict.code.value}
        return [json.dumps({**head, **rest})]
    lines = ["", visible(verdict.text) + "."]
    if not good:
        lines.append(f"Whose side: {verdict.fault.value}.")
    return [*lines, *([f"What to do: {visible(verdict.advice)}."] if verdict.advice else [])]


def _aligned(state: str, step: str, text: str) -> str:
    return f"{state:<8}{step:<14}{visible(text)}"
