"""What stands on paper: every script is shown, or it is said that it is not."""

from __future__ import annotations

import pytest

from nexa_core.architecture_sessions import fonts


def test_what_the_fonts_have_is_said_to_be_shown() -> None:
    assert fonts.not_shown("Façade – naïve, ğ, Ω, Жук, שלום, سلام, 3 × 4 ≤ 12 €, ✓ →") == ()


def test_a_script_without_a_font_is_named() -> None:
    assert fonts.not_shown("Thai: สวัสดี") == ("Thai",)


@pytest.mark.parametrize(
    ("text", "named"), [("受注管理", "Chinese characters"), ("주문", "Korean"), ("プロジェクトのか", "Japanese")]
)
def test_chinese_japanese_and_korean_are_shown_or_named(monkeypatch: pytest.MonkeyPatch, text: str, named: str) -> None:
    monkeypatch.setattr(fonts, "families", lambda: ("DejaVu Sans", "Libertinus Serif"))
    assert fonts.not_shown(text) == (named,)
    monkeypatch.setattr(fonts, "families", lambda: ("DejaVu Sans", "WenQuanYi Micro Hei"))
    assert fonts.not_shown(text) == ()
