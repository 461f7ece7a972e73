"""Spans of time by lane into a picture (SVG)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil
from typing import NamedTuple

_LEFT, _WIDTH, _LANE, _TOP, _BOTTOM = 150, 820, 46, 40, 34  # of the picture, in pixels
_COLOURS = ("#1b6ca8", "#2e8b57", "#b8860b", "#8b3a62", "#555555")
_MOST_TICKS = 10


class Span(NamedTuple):
    """Something that took its time.

    Parameters
    ----------
    lane : str
        With what it belongs together.
    text : str
        What it was.
    begin, end : float
        Seconds since the beginning.
    is_good : bool
        Whether it went well.
    """

    lane: str
    text: str
    begin: float
    end: float
    is_good: bool = True


def timeline(title: str, spans: Sequence[Span]) -> str:
    """Return the picture: a row for each lane, a bar for each span."""
    lanes = list(dict.fromkeys(span.lane for span in spans))
    last = max((span.end for span in spans), default=0.0) or 1.0
    height = _TOP + _LANE * len(lanes) + _BOTTOM
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 20}" height="{height}"'
        ' font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="10" y="22" font-weight="bold">{escape(title)}</text>',
    ]
    for number, lane in enumerate(lanes):
        lines += _lane(lane, number, [span for span in spans if span.lane == lane], last)
    lines += [*_axis(last, _TOP + _LANE * len(lanes)), "</svg>"]
    return "\n".join(lines) + "\n"


def _lane(lane: str, number: int, spans: Sequence[Span], last: float) -> list[str]:
    y, colour = _TOP + _LANE * number, _COLOURS[number % len(_COLOURS)]
    lines = [f'<text x="10" y="{y + 26}">{escape(lane)}</text>']
    for span in spans:
        x = _LEFT + span.begin / last * _WIDTH
        width = max((span.end - span.begin) / last * _WIDTH, 0.6)
        lines.append(
            f'<rect x="{x:.1f}" y="{y + 8}" width="{width:.1f}" height="{_LANE - 16}"'
            f' fill="{colour if span.is_good else "#c0392b"}" fill-opacity="0.75">'
            f"<title>{escape(span.text)}: {(span.end - span.begin) * 1e3:.1f} ms</title></rect>"
        )
    return lines


def _axis(last: float, y: int) -> list[str]:
    step = _step(last)
    lines = [f'<path d="M{_LEFT} {y}H{_LEFT + _WIDTH}" stroke="black"/>']
    for tick in range(int(last / step + 1e-9) + 1):
        x = _LEFT + tick * step / last * _WIDTH
        lines.append(
            f'<path d="M{x:.1f} {y}v5" stroke="black"/>'
            f'<text x="{x:.1f}" y="{y + 20}" text-anchor="middle">{tick * step:g} s</text>'
        )
    return lines


def _step(last: float) -> float:
    """Return the seconds between two marks: 1, 2 or 5 of some power of ten."""
    power = 1e-3
    while True:
        for factor in (1, 2, 5):
            if ceil(last / (power * factor)) <= _MOST_TICKS:
                return power * factor
        power *= 10
