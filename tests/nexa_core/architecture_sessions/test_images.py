"""Pictures of sessions: harmless, kept once, seen by those who see the session and by its visitors, by nobody else."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import pypdf
import pytest
from PIL import Image

from nexa_core import architecture_sessions as sessions
from nexa_core.actor import Origin
from nexa_core.errors import Invalid, NotFound
from tests.databases import TestDatabase
from tests.nexa_core.architecture_sessions.conftest import Cast
from tests.nexa_core.architecture_sessions.documents import documents

HERE = Origin()
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20" onload="alert(1)"><script>alert(1)</script>'
    b'<image href="https://tracker.example/x.png"/><rect width="40" height="20" fill="#c00"/>'
    b'<text y="9">Plan</text></svg>'
)


def png(side: int = 60) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (side, side // 2), (0, 90, 160)).save(sink, "PNG")
    return sink.getvalue()


def shown(*stored: sessions.StoredImage) -> dict[str, Any]:
    """Documents that show these pictures, in this order."""
    made = documents()
    made["visual_assets_json"]["assets"] = [
        {"id": f"ast-{number}", "kind": "image", "title": f"Picture {number}", "alt": "", "digest": one.digest,
         "caption": f"Caption {number}"}
        for number, one in enumerate(stored, 1)
    ]  # fmt: skip
    return made


@pytest.fixture
def uuid(cast: Cast) -> UUID:
    return sessions.create(cast.ada, title="Portal", documents=documents()).uuid


def test_a_picture_is_kept_once_and_nothing_but_a_picture(cast: Cast, uuid: UUID, database: TestDatabase) -> None:
    first, again = (sessions.store_image(cast.ada, uuid=uuid, content=png()) for _ in range(2))
    assert first == again
    assert (first.media_type, first.width, first.height) == ("image/png", 60, 30)
    drawn = sessions.store_image(cast.ada, uuid=uuid, content=SVG)
    media_type, content = sessions.image(cast.eve, uuid=uuid, digest=drawn.digest)
    assert media_type == "image/svg+xml"
    assert b"Plan" in content
    for bad in (b"script", b"onload", b"tracker"):
        assert bad not in content
    with database.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM session_images").fetchone() == (2,)
    for refused in (b"", b"GIF89a", b"\x89PNG\r\n\x1a\nxx", b"<svg" + b" " * 6_000_000, png(9_000)):
        with pytest.raises(Invalid):
            sessions.store_image(cast.ada, uuid=uuid, content=refused)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "LA"])
def test_a_small_file_is_no_large_picture(cast: Cast, uuid: UUID, mode: str) -> None:
    """A few kilobytes of one color can be any number of pixels; memory is taken for none that are not needed."""
    sink = io.BytesIO()
    Image.new(mode, (8_000, 8_000)).save(sink, "PNG")
    with pytest.raises(Invalid, match="at most 24,000,000 pixels"):
        sessions.store_image(cast.ada, uuid=uuid, content=sink.getvalue())
    sink = io.BytesIO()
    Image.new(mode, (6_000, 3_900)).save(sink, "PNG")
    stored = sessions.store_image(cast.ada, uuid=uuid, content=sink.getvalue())
    assert (stored.width, stored.height) == (2_400, 1_560)


def test_a_color_that_means_transparent_stays_transparent(cast: Cast, uuid: UUID) -> None:
    sink = io.BytesIO()
    drawn = Image.new("L", (4_000, 1_000), 200)
    drawn.paste(0, (0, 0, 2_000, 1_000))
    drawn.save(sink, "PNG", transparency=0)
    stored = sessions.store_image(cast.ada, uuid=uuid, content=sink.getvalue())
    kept = Image.open(io.BytesIO(sessions.image(cast.ada, uuid=uuid, digest=stored.digest)[1]))
    assert (kept.getpixel((100, 100)), kept.getpixel((2_300, 100))) == ((0, 0, 0, 0), (200, 200, 200, 255))


def test_a_picture_is_another_organizations_neither_by_session_nor_by_digest(cast: Cast, uuid: UUID) -> None:
    stored = sessions.store_image(cast.ada, uuid=uuid, content=png())
    theirs = sessions.create(cast.stranger, title="Elsewhere", documents=shown(stored)).uuid
    for other in (uuid, theirs):
        with pytest.raises(NotFound):
            sessions.image(cast.stranger, uuid=other, digest=stored.digest)
    token = sessions.share(cast.stranger, uuid=theirs).address.rpartition("/")[2]
    with pytest.raises(NotFound):
        sessions.picture(HERE, token=token, key=None, kind="image", digest=stored.digest)


def test_pictures_are_shared_and_printed_with_their_captions_and_no_others(cast: Cast, uuid: UUID) -> None:
    stored = [sessions.store_image(cast.ada, uuid=uuid, content=content) for content in (png(), SVG)]
    hidden = sessions.store_image(cast.ada, uuid=uuid, content=png(80))
    sessions.save(cast.ada, uuid=uuid, version=None, documents=shown(*stored))
    token = sessions.share(cast.ada, uuid=uuid).address.rpartition("/")[2]
    for one in stored:
        media_type, content = sessions.picture(HERE, token=token, key=None, kind="image", digest=one.digest)
        assert (media_type, len(content)) == (one.media_type, one.size)
    with pytest.raises(NotFound):
        sessions.picture(HERE, token=token, key=None, kind="image", digest=hidden.digest)
    without = sessions.share(cast.ada, uuid=uuid, pages=["sow"]).address.rpartition("/")[2]
    with pytest.raises(NotFound):
        sessions.picture(HERE, token=without, key=None, kind="image", digest=stored[0].digest)
    printed = pypdf.PdfReader(io.BytesIO(sessions.export(cast.ada, uuid=uuid, form="pdf").content))
    text = " ".join(page.extract_text() for page in printed.pages)
    assert "Caption 1" in text
    assert "Caption 2" in text
    assert "Plan" in text, "the SVG is no vector any more"
    assert sum(len(page.images) for page in printed.pages) == 1
