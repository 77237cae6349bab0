"""Uploaded logos: nothing but a picture is kept, and only who may see the organization sees it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.errors import Invalid, NotFound
from nexa_core.organizations.logos import harmless
from tests.databases import TestDatabase

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), **options: Any) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", size, "teal").save(sink, kind, **options)
    return sink.getvalue()


def test_a_logo_is_stored_by_what_it_holds_and_served_to_its_own_people(
    platform: dict[str, Actor], customers: dict[str, Actor], ada: Actor
) -> None:
    assert ada.organization_id
    address = organizations.store_logo(ada, organization_id=ada.organization_id, content=picture())
    assert organizations.current(ada).logo_url == address
    again = organizations.store_logo(ada, organization_id=ada.organization_id, content=picture())
    assert again == address
    digest = address.rpartition("/")[2]
    for actor in (ada, platform["root"], platform["manager"]):
        shown = organizations.logo(actor, organization_id=ada.organization_id, digest=digest)
        assert shown.media_type == "image/png" and Image.open(io.BytesIO(shown.content)).size == (40, 20)
    for actor in (customers["Contoso"], platform["presenter"]):
        with pytest.raises(NotFound):
            organizations.logo(actor, organization_id=ada.organization_id, digest=digest)
    organizations.update_branding(ada, organization_id=ada.organization_id, logo_url=address, brand_colors={})
    organizations.update_branding(ada, organization_id=ada.organization_id, logo_url="", brand_colors={})
    assert organizations.current(ada).logo_url is None


def test_what_else_was_in_a_picture_is_gone() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "<script>alert(1)</script>")
    for content in (picture("PNG", pnginfo=text), picture("JPEG", comment=b"secret place") + b"<script>trailer"):
        kept = harmless(content).content
        assert b"script" not in kept and b"secret" not in kept
    assert max(Image.open(io.BytesIO(harmless(picture(size=(3000, 10))).content)).size) == 1024


@pytest.mark.parametrize(
    "content",
    [
        b"", b"GIF89a", b"%PDF-1.7", b"<html><svg></svg></html>", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, b"<svg",
        picture(size=(5000, 5)), b"\xff\xd8\xff" + b"x" * 300_000,
        b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&x;</svg>',
        (SVG.format("<g>" * 90 + "</g>" * 90)).encode(),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_harmless_picture_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        harmless(content)
    assert refused.value.field == "logo"


@pytest.mark.parametrize(
    "harm",
    [
        "<script>alert(1)</script>", "<script xmlns='http://www.w3.org/1999/xhtml'>alert(1)</script>",
        "<rect onload='alert(1)'/>", "<a href='javascript:alert(1)'><rect/></a>", "<use href='//evil.example/x#a'/>",
        "<image href='https://evil.example/track.png'/>", "<rect style='background:url(//evil.example)'/>",
        "<style>@import url(//evil.example)</style>", "<rect fill='url(//evil.example/x)'/>",
        "<foreignObject><iframe xmlns='http://www.w3.org/1999/xhtml' src='//evil.example'/></foreignObject>",
        "<animate attributeName='href' to='javascript:alert(1)'/>", "<set attributeName='onclick' to='alert(1)'/>",
    ],
)  # fmt: skip
def test_an_svg_loses_all_that_runs_loads_or_embeds(harm: str) -> None:
    kept = harmless(SVG.format(harm + "<circle r='3' fill='#0b6b74'/>").encode())
    text = kept.content.decode()
    assert kept.media_type == "image/svg+xml"
    assert 'r="3"' in text and "#0b6b74" in text
    assert not any(word in text.lower() for word in ("script", "alert", "evil", "onload", "style", "iframe", "href"))


def test_the_database_refuses_a_picture_under_another_name(database: TestDatabase, ada: Actor) -> None:
    with database.superuser() as connection, pytest.raises(Exception, match="organization_logos_digest_check"):
        connection.execute(
            "INSERT INTO organization_logos (organization_id, digest, media_type, content)"
            " VALUES (%s, 'x', 'image/png', '')",
            [ada.organization_id],
        )
