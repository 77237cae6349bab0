"""The process that draws Mermaid diagrams: text in, SVG or what is wrong with it out, a JSON line each.

Mermaid runs on a JavaScript engine that holds Python's lock while it works, about a second a diagram, and that no time
limit can stop. So it works in a process of its own, which can be ended, and ends by itself with the one that began it.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

#: Text of diagrams is drawn as SVG text, not as HTML in a foreignObject: typst embeds it as vectors that way.
_CONFIG: dict[str, Any] = {"htmlLabels": False, "flowchart": {"htmlLabels": False}, "securityLevel": "strict"}
_LINE = re.compile(r"\bline:? (\d+)")


def draw(text: str) -> dict[str, Any]:
    """``{"svg": ...}``, or ``{"error": sentence, "line": number or None}``."""
    import mermaidx

    try:
        return {"svg": mermaidx.render(text, config=_CONFIG).svg()}
    except Exception as error:  # whatever Mermaid throws is about the text
        return fault(str(error), text)


def fault(message: str, text: str) -> dict[str, Any]:
    """Mermaid's message as a sentence, with the line of the text as it was written, counted from 1."""
    if "UnknownDiagramError" in message:
        return {
            "error": "This does not begin like any kind of Mermaid diagram, such as flowchart LR.",
            "line": _written_line(text, 1),
        }
    if found := _LINE.search(message):
        line = _written_line(text, int(found[1]))
        excerpt = text.splitlines()[line - 1].strip()[:60] if text.strip() else ""
        return {"error": f"Mermaid cannot read line {line}: “{excerpt}”.", "line": line}
    reason = " ".join(message.split("Error:", 1)[-1].split())[:200]
    return {"error": f"Mermaid cannot draw this: {reason}", "line": None}


# What Mermaid takes out before it counts lines (preprocessDiagram in mermaid.js), in its order.
_TAKEN_OUT = (
    re.compile(r"\A-{3}\s*\n.*?\n-{3}\s*\n+", re.DOTALL),  # front matter
    re.compile(r"%%\{.*?\}%%", re.DOTALL),  # directives
    re.compile(r"^\s*%%(?!\{)[^\n]+\n?", re.MULTILINE),  # comments
    re.compile(r"\A\s+"),
)


def _written_line(text: str, line: int) -> int:
    """The line as it was written for a line as Mermaid counts it; at most the last one that is not blank."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept, places = text, list(range(len(text)))
    for pattern in _TAKEN_OUT:
        while found := pattern.search(kept):
            kept = kept[: found.start()] + kept[found.end() :]
            del places[found.start() : found.end()]
    starts = [0, *(at + 1 for at, character in enumerate(kept) if character == "\n")]
    last = text.rstrip().count("\n") + 1
    at = starts[min(max(line, 1), len(starts)) - 1]
    return min(text.count("\n", 0, places[at]) + 1, last) if at < len(places) else last


def main() -> None:
    for request in sys.stdin:
        answer = draw(json.loads(request))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
