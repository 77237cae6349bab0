"""Whether brand colours can be read: contrast after WCAG 2.2, and what to say where it is too low."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

#: What writing needs (WCAG 2.2, 1.4.3), and what the edge of a button needs (1.4.11).
FOR_TEXT, FOR_SHAPES = 4.5, 3.0
LIGHT, DARK = "#ffffff", "#14242a"
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def is_color(value: object) -> bool:
    """Whether this is a colour as #rrggbb."""
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(background: str) -> str:
    """White or the dark text colour, whichever is read better on this background."""
    return max((LIGHT, DARK), key=lambda ink: contrast(ink, background))


def contrast_warnings(colors: Mapping[str, str]) -> Iterator[str]:
    """What is hard to read with these brand colours, a sentence each."""
    primary, accent = colors.get("primary", ""), colors.get("accent", "")
    if is_color(primary):
        on_it, on_white = contrast(LIGHT, primary), contrast(primary, LIGHT)
        if on_it < FOR_TEXT:
            yield f"White writing on the primary colour has a contrast of {on_it:.1f}; readable is {FOR_TEXT} or more."
        if on_white < FOR_SHAPES:
            yield f"The primary colour hardly stands out from white: {on_white:.1f}, where shapes need {FOR_SHAPES:g}."
    if is_color(primary) and is_color(accent) and (between := contrast(primary, accent)) < FOR_SHAPES:
        yield f"Primary and accent are hard to tell apart: {between:.1f}, where shapes need {FOR_SHAPES:g}."


def _luminance(color: str) -> float:
    parts = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
