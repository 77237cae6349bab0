"""Pictures that people upload, made harmless: nothing is left in them but a picture."""

from __future__ import annotations

import io
import math
import re
import threading
import warnings
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

from defusedxml.ElementTree import fromstring
from PIL import Image, UnidentifiedImageError

from nexa_core.errors import Invalid

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
# Shapes, paint and text. What is not here does not run, load, animate or embed anything.
_ELEMENTS = frozenset(
    "svg g defs symbol title desc path rect circle ellipse line polyline polygon text tspan textPath use "  # noqa: SIM905
    "linearGradient radialGradient stop clipPath mask pattern marker".split()
)
_ATTRIBUTES = frozenset(
    "id class d x y x1 x2 y1 y2 cx cy r rx ry fx fy dx dy width height viewBox preserveAspectRatio transform points "  # noqa: SIM905
    "fill fill-opacity fill-rule stroke stroke-width stroke-linecap stroke-linejoin stroke-miterlimit "
    "stroke-dasharray stroke-dashoffset stroke-opacity opacity color clip-path clip-rule mask offset stop-color "
    "stop-opacity gradientUnits gradientTransform spreadMethod patternUnits patternTransform patternContentUnits "
    "clipPathUnits maskUnits font-family font-size font-weight font-style text-anchor letter-spacing "
    "dominant-baseline marker-start marker-mid marker-end markerWidth markerHeight refX refY orient version".split()
)
#: A few kilobytes can hold any number of pixels of one color; each that is drawn takes four bytes.
MOST_PIXELS: Final = 24_000_000
_one_at_a_time = threading.Lock()
_LOADS = re.compile(r"url\(\s*(?![\"']?#)|javascript:|data:|expression\(|@import|\\", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is too large, and what to call it: the ``field`` of an error and the beginning of its sentence.

    A raster picture over ``side`` pixels is made smaller; one over ``pixels`` is not even looked at, nor one of more
    than MOST_PIXELS altogether.
    """

    field: str
    name: str
    bytes: int
    pixels: int
    side: int

    @property
    def size(self) -> str:
        return f"{self.bytes // 1_048_576} MB" if self.bytes >= 1_048_576 else f"{self.bytes // 1024} kB"


@dataclass(frozen=True, slots=True)
class Picture:
    """A harmless picture; width and height in pixels where they are known."""

    media_type: str
    content: bytes
    width: int | None = None
    height: int | None = None


def harmless(content: bytes, bounds: Bounds) -> Picture:
    """The same picture with nothing in it but a picture; raises Invalid for what is none.

    PNG and JPEG are drawn anew without whatever else was in the file; of an SVG only shapes, paint and text are kept.
    """
    if not content:
        raise Invalid("The file is empty.", field=bounds.field)
    if len(content) > bounds.bytes:
        raise Invalid(
            f"{bounds.name} has at most {bounds.size}; this has {len(content) // 1024:,} kB.", field=bounds.field
        )
    if content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        return _drawn_anew(content, bounds)
    if b"<svg" in content[:4096].lower():
        return Picture("image/svg+xml", _pruned(content, bounds.field))
    raise Invalid(f"{bounds.name} is a PNG, JPEG or SVG picture.", field=bounds.field)


def _drawn_anew(content: bytes, bounds: Bounds) -> Picture:
    kind = "PNG" if content.startswith(b"\x89") else "JPEG"
    try:
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=[kind])
            if max(picture.size) > bounds.pixels:
                raise Invalid(f"{bounds.name} is at most {bounds.pixels:,} pixels wide and high.", field=bounds.field)
            if math.prod(picture.size) > MOST_PIXELS:
                raise Invalid(f"{bounds.name} has at most {MOST_PIXELS:,} pixels.", field=bounds.field)
            # Made smaller before it gets all its colors, unless some are told apart by number: an eighth of the memory.
            drawn: Image.Image = picture.convert("L") if picture.mode == "1" else picture
            if drawn.mode in ("L", "LA", "RGB", "RGBA", "CMYK") and "transparency" not in picture.info:
                drawn.thumbnail((bounds.side, bounds.side))
            drawn = drawn.convert("RGB" if kind == "JPEG" else "RGBA")
            drawn.thumbnail((bounds.side, bounds.side))
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombWarning):
        raise Invalid("This picture is damaged; save it anew and try again.", field=bounds.field) from None
    bare = Image.new(drawn.mode, drawn.size)  # a copy of the pixels leaves comments, profiles and trailers behind
    bare.paste(drawn)
    sink = io.BytesIO()
    bare.save(sink, kind, optimize=True, **({"quality": 88} if kind == "JPEG" else {}))
    if sink.tell() > bounds.bytes:
        raise Invalid("This picture is too detailed; make it smaller.", field=bounds.field)
    return Picture(f"image/{kind.lower()}", sink.getvalue(), *bare.size)


def _pruned(content: bytes, field: str) -> bytes:
    try:
        root = fromstring(content, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise Invalid("This SVG cannot be read, or contains what a picture has no need of.", field=field) from None
    if root.tag != f"{{{_SVG}}}svg":
        raise Invalid("This is no SVG picture.", field=field)
    _prune(root, 0, field)
    ElementTree.register_namespace("", _SVG)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _prune(element: ElementTree.Element, depth: int, field: str) -> None:
    if depth > 64:
        raise Invalid("This SVG is nested too deeply.", field=field)
    for name, value in list(element.attrib.items()):
        within = name in (_XLINK, "href") and re.fullmatch(r"#[\w.-]+", value)
        if not within and (name not in _ATTRIBUTES or _LOADS.search(value)):
            del element.attrib[name]
    for child in list(element):
        tag = child.tag if isinstance(child.tag, str) else ""
        if tag.removeprefix(f"{{{_SVG}}}") not in _ELEMENTS or not tag.startswith(f"{{{_SVG}}}"):
            element.remove(child)
        else:
            _prune(child, depth + 1, field)
