"""The fonts a PDF is set in: those that come along, those of the machine, and what none of them can show.

Typst takes a character that is not in the document's own fonts from any other it has. For Chinese, Japanese and Korean
the machine must have one, such as Debian's ``fonts-noto-cjk``.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import typst

#: What the fonts that always come along can write (DejaVu Sans, Libertinus Serif), by the first word of Unicode's name.
_COVERED: Final = frozenset(
    {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "ARMENIAN", "GEORGIAN", "MODIFIER", "FEMININE", "MASCULINE",
     "MICRO", "SCRIPT", "DOUBLE-STRUCK", "BLACK-LETTER", "PLANCK", "OHM", "KELVIN", "ANGSTROM", "COPTIC", "ALEF"}
)  # fmt: skip
_EAST_ASIAN: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"})
#: Families that have Chinese, Japanese and Korean, by the beginning of their names.
_EAST_ASIAN_FAMILIES: Final = (
    "WenQuanYi", "Noto Sans CJK", "Noto Serif CJK", "Source Han", "Droid Sans Fallback", "Unifont",
)  # fmt: skip
_WORDS: Final = {"CJK": "Chinese characters", "HANGUL": "Korean", "HIRAGANA": "Japanese", "KATAKANA": "Japanese"}


@lru_cache(maxsize=1)
def folders() -> tuple[str, ...]:
    """Where the fonts lie that NEXA brings along; those of typst itself and of the machine are found without."""
    # Mermaid's layout is measured with DejaVu Sans of its package; drawn with it, no label leaves its box. Its native
    # part has no place in this process, so it is found and not imported.
    spec = find_spec("mermaidx")
    return (str(Path(spec.origin).parent / "assets" / "fonts"),) if spec is not None and spec.origin else ()


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """The names of all fonts a PDF can use on this machine."""
    return tuple(typst.Fonts(include_system_fonts=True, font_paths=list(folders())).families())


def not_shown(text: str) -> tuple[str, ...]:
    """The scripts in a text that no font here can show, named for people; they stand as boxes on paper."""
    can_east_asian = any(family.startswith(_EAST_ASIAN_FAMILIES) for family in families())
    found: dict[str, None] = {}
    for character in sorted(set(text)):
        if ord(character) < 0x250 or unicodedata.category(character)[0] != "L":
            continue
        script = unicodedata.name(character, "UNKNOWN").split()[0]
        if script in _COVERED or (can_east_asian and script in _EAST_ASIAN):
            continue
        found[_WORDS.get(script, script.capitalize())] = None
    return tuple(found)
