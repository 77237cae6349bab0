"""NEXA's logo, drawn: an N whose corners are the nodes of an architecture diagram."""

from __future__ import annotations

_INK = {"light": "#14242a", "dark": "#e9f1f2"}
_BRAND = {"light": "#0b6b74", "dark": "#46b3bd"}
_N = (
    '<path d="M8 24V8L24 24V8" fill="none" stroke="{brand}" stroke-width="3" '
    'stroke-linecap="round" stroke-linejoin="round"/>'
    '<circle cx="8" cy="24" r="3.6" fill="{brand}"/><circle cx="24" cy="8" r="3.6" fill="{brand}"/>'
    '<circle cx="8" cy="8" r="2.4" fill="{ink}"/><circle cx="24" cy="24" r="2.4" fill="{ink}"/>'
)
# The letters are strokes, not text: an image has no fonts of its own.
_LETTERS = (
    '<g fill="none" stroke="{ink}" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">'
    '<path d="M42 23V9L52 23V9"/><path d="M70 9H60V23H70M60 16H68.5"/><path d="M76.5 9L86.5 23M86.5 9L76.5 23"/>'
    '<path d="M92 23L98 9L104 23M94.2 18H101.8"/></g>'
)


def logo(theme: str | None) -> str:
    """Mark and name as an SVG for a light or a dark ground."""
    mode = "dark" if theme == "dark" else "light"
    body = (_N + _LETTERS).format(ink=_INK[mode], brand=_BRAND[mode])
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="2 2 106 28" width="106" height="28">{body}</svg>'


def mark(theme: str | None) -> str:
    """The mark alone, for a folded sidebar."""
    mode = "dark" if theme == "dark" else "light"
    body = _N.format(ink=_INK[mode], brand=_BRAND[mode])
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="2 2 28 28" width="28" height="28">{body}</svg>'


def tab_icon() -> str:
    """The mark on a ground of its own, for the browser's tab."""
    body = _N.format(ink="#bfe3e6", brand="#ffffff")
    ground = '<rect width="32" height="32" rx="8" fill="#0b6b74"/>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'{ground}<g transform="translate(4.8 4.8) scale(.7)">{body}</g></svg>'
    )
