"""The Markdown of a statement of work: as harmless HTML, and as blocks that other writers (PDF, DOCX) walk.

CommonMark with tables and strikethrough. HTML in the text is text; pictures from elsewhere are links, so that nobody
who reads a document tells a third party that they do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

#: Deeper nesting than this is drawn flat: no real document has it, and writers recurse.
_DEEPEST: Final = 12
_parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])


def to_html(markdown: str, *, first_heading: int = 3) -> str:
    """Safe HTML; headings begin at ``<h3>``, below those of the page around it."""
    tokens = _parser.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + first_heading - 1)}"
        if token.type == "inline":
            token.children = _without_pictures(token.children or [])
            for child in token.children:
                if child.type == "link_open":
                    child.attrSet("rel", "noopener noreferrer nofollow")
                    child.attrSet("target", "_blank")
    html: str = _parser.renderer.render(tokens, _parser.options, {})
    return html


@dataclass(frozen=True, slots=True)
class Span:
    """Some text in one style; ``href`` where it is a link."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    struck: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One block: ``kind`` is heading, paragraph, bullets, numbers, item, quote, code, rule, table, row or cell."""

    kind: str
    level: int = 0
    spans: tuple[Span, ...] = ()
    text: str = ""
    blocks: tuple[Block, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """For a writer in another language."""
        spans = [
            {"text": s.text, "bold": s.bold, "italic": s.italic, "code": s.code, "struck": s.struck, "href": s.href}
            for s in self.spans
        ]
        return {
            "kind": self.kind, "level": self.level, "text": self.text, "spans": spans,
            "blocks": [block.as_json() for block in self.blocks],
        }  # fmt: skip


def to_blocks(markdown: str) -> tuple[Block, ...]:
    """The same text as a tree of blocks."""
    blocks, _ = _blocks(_parser.parse(markdown), 0, 0)
    return tuple(blocks)


_CONTAINERS: Final = {
    "bullet_list_open": "bullets", "ordered_list_open": "numbers", "list_item_open": "item", "blockquote_open": "quote",
    "table_open": "table", "tr_open": "row",
}  # fmt: skip
_PASSED: Final = frozenset({"thead_open", "thead_close", "tbody_open", "tbody_close"})


def _blocks(tokens: list[Token], at: int, depth: int) -> tuple[list[Block], int]:
    """The blocks from ``at`` to the end of their container, and where that is."""
    found: list[Block] = []
    while at < len(tokens):
        token = tokens[at]
        kind = token.type
        if kind in _PASSED:
            at += 1
        elif kind in _CONTAINERS:
            inner, at = _blocks(tokens, at + 1, depth + 1)
            level = int(token.attrs.get("start", 1)) if kind == "ordered_list_open" else 0
            if depth < _DEEPEST:
                found.append(Block(_CONTAINERS[kind], level, blocks=tuple(inner)))
            else:
                found += inner
        elif kind in ("paragraph_open", "heading_open", "th_open", "td_open"):
            spans = _spans(tokens[at + 1].children or [])
            names = {"paragraph_open": "paragraph", "heading_open": "heading"}
            level = int(token.tag[1]) if kind == "heading_open" else int(kind == "th_open")
            found.append(Block(names.get(kind, "cell"), level, spans))
            at += 3
        elif kind in ("fence", "code_block"):
            found.append(Block("code", text=token.content.rstrip("\n")))
            at += 1
        elif kind == "hr":
            found.append(Block("rule"))
            at += 1
        elif kind.endswith("_close"):
            return found, at + 1
        else:
            at += 1
    return found, at


def _spans(children: list[Token]) -> tuple[Span, ...]:
    found: list[Span] = []
    bold = italic = struck = 0
    href = ""
    for child in _without_pictures(children):
        match child.type:
            case "strong_open":
                bold += 1
            case "strong_close":
                bold -= 1
            case "em_open":
                italic += 1
            case "em_close":
                italic -= 1
            case "s_open":
                struck += 1
            case "s_close":
                struck -= 1
            case "link_open":
                href = str(child.attrs.get("href", ""))
            case "link_close":
                href = ""
            case "softbreak":
                found.append(Span(" "))
            case "hardbreak":
                found.append(Span("\n"))
            case "code_inline":
                found.append(Span(child.content, bold > 0, italic > 0, True, struck > 0, href))
            case _ if child.content:
                found.append(Span(child.content, bold > 0, italic > 0, False, struck > 0, href))
    return tuple(found)


def _without_pictures(children: list[Token]) -> list[Token]:
    """A picture from elsewhere becomes its description as a link."""
    found: list[Token] = []
    for child in children:
        if child.type == "image":
            opened = Token("link_open", "a", 1, attrs={"href": str(child.attrs.get("src", ""))})
            text = Token("text", "", 0, content=child.content or str(child.attrs.get("src", "")))
            found += [opened, text, Token("link_close", "a", -1)]
        else:
            found.append(child)
    return found
