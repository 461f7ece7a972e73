"""The picture of what happened when: that it is XML, with lanes and bars in their places."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from dicomwire.apps.timeline import Span, timeline

pytestmark = pytest.mark.no_socket
SVG = "{http://www.w3.org/2000/svg}"


def test_a_bar_for_each_span() -> None:
    spans = [
        Span("one", "a", 0.0, 1.0),
        Span("two", "<b>", 1.0, 2.0, False),
        Span("one", "c", 2, 4),
    ]
    root = ElementTree.fromstring(timeline("title & more", spans))
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert texts[:3] == ["title & more", "one", "two"]
    assert texts[3:5] == ["0 s", "0.5 s"]
    bars = [each for each in root.iter(f"{SVG}rect") if each.find(f"{SVG}title") is not None]
    said = [each.findtext(f"{SVG}title") for each in bars]
    assert said == ["a: 1000.0 ms", "c: 2000.0 ms", "<b>: 1000.0 ms"]
    first, last, bad = ((float(each.get("x", 0)), float(each.get("width", 0))) for each in bars)
    assert first[0] + first[1] == bad[0]
    assert last[1] == 2 * first[1]
    assert [each.get("fill") for each in bars].count("#c0392b") == 1


@pytest.mark.parametrize("seconds", [0.0, 0.004, 1.0, 59.0, 7200.0])
def test_the_axis_has_few_marks(seconds: float) -> None:
    root = ElementTree.fromstring(timeline("x", [Span("a", "b", 0.0, seconds)]))
    marks = [each for each in root.iter(f"{SVG}text") if (each.text or "").endswith(" s")]
    assert 1 < len(marks) <= 11


def test_nothing_happened() -> None:
    assert ElementTree.fromstring(timeline("x", [])).tag == f"{SVG}svg"
