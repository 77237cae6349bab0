"""Diagrams: a harmless picture, or the line that is wrong."""

from __future__ import annotations

import pytest
from defusedxml.ElementTree import fromstring

from nexa_core.architecture_sessions import diagrams, drawing
from nexa_core.architecture_sessions.diagrams import check, draw

FLOW = 'flowchart LR\n    cmp_1["Portal"] --> cmp_2["Gateway"]'


def test_a_mermaid_text_becomes_an_svg_without_html_or_script() -> None:
    hostile = FLOW + '\n    cmp_2 --> x["<img src=1 onerror=alert(1)>"]\n    click cmp_1 href "javascript:alert(1)"'
    svg = draw(hostile).svg
    assert svg is not None
    tags = {element.tag.partition("}")[2] for element in fromstring(svg).iter()}
    assert not tags & {"script", "foreignObject", "image", "iframe"}
    assert "javascript:" not in svg
    assert not [name for element in fromstring(svg).iter() for name in element.attrib if name.startswith("on")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("flowchart LR\n A --> B\n B ]] C\n C --> D", 3),
        ("%% a note\n\nflowchart LR\n A --> B\n %% another\n B ]] C\n", 6),
        ("---\ntitle: x\n---\nflowchart LR\n A --> B\n B ]] C", 6),
        ("\n\n\nflowchart LR\n A -->\n\n", 5),
        ("hello there", 1),
        ("", None),
    ],
)
def test_a_fault_is_on_the_line_it_was_written_on(text: str, line: int | None) -> None:
    fault = check(text)
    assert fault is not None
    assert fault.line == line


def test_a_diagram_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = draw(FLOW)
    monkeypatch.setattr(diagrams._pen, "draw", lambda _text: pytest.fail("it was drawn again"))
    assert draw(FLOW) is first
    assert diagrams.is_drawn(FLOW)


def test_a_diagram_that_takes_too_long_is_given_up_and_the_next_one_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagrams, "LONGEST", 0.01)
    given_up = draw("flowchart LR\n slow --> slower")
    assert given_up.fault is not None
    assert "took longer" in given_up.fault.sentence
    monkeypatch.undo()
    assert draw("flowchart LR\n slow --> slower") == given_up, "it was tried again at once"
    assert draw("flowchart LR\n quick --> quicker").svg is not None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("digraph { a -> b }", None),
        ('strict graph x {\n a -- b [label="}"] // }\n}', None),
        ("a -> b", "begins with graph or digraph"),
        ("digraph {\n a -> b [label=x\n}", "nothing opens"),
        ("digraph {\n a -> b", "line 1 is never closed"),
    ],
)
def test_dot_is_checked_as_far_as_it_can_be_without_graphviz(text: str, sentence: str | None) -> None:
    fault = check(text, "dot")
    assert fault is None if sentence is None else fault is not None and sentence in fault.sentence
    assert draw(text, "dot").svg is None


def test_a_line_is_found_again_after_what_mermaid_takes_out() -> None:
    text = "%%{init: {}}%%\nflowchart LR\n A --> B\n B ]] C"
    assert drawing._written_line(text, 3) == 4
