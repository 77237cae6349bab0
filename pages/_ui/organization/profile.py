"""Profile and branding: name, slug, logo and colours, with a preview of what they make."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.permissions import Permission
from pages._ui import format, layout
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.organization import going_out, rights

_ROW = "display:flex;flex-wrap:wrap;gap:12px;font-size:13px;"
_BOX = "flex:1 1 120px;min-height:110px;padding:12px;border-radius:8px;"
_WRAP = "overflow-wrap:anywhere;"
_DEFAULTS = {"primary": "#0b6b74", "accent": "#d9822b"}


def draw(actor: Actor, organization: organizations.OrganizationView) -> None:
    """The forms, or what is known for who may not change it."""
    may = rights.may_change(actor, organization, own=Permission.ORGANIZATION_MANAGE)
    left, right = st.columns(2)
    with left:
        if may:
            _profile(actor, organization)
        _facts(actor, organization)
        going_out.draw(actor, organization)
    with right:
        _branding(actor, organization, may)


def _profile(actor: Actor, organization: organizations.OrganizationView) -> None:
    with st.form("profile"):
        st.subheader("Profile", anchor=False)
        name = st.text_input("Name", organization.name)
        slug = st.text_input(
            "Slug",
            organization.slug,
            help="The organization's part of an address. When it changes, addresses with the old one lead nowhere.",
        )
        reason = st.text_input(
            "Reason for another slug, if you like",
            max_chars=1000,
            help="It is kept in the audit log.",
        )
        if st.form_submit_button("Save profile", type="primary"):
            with shown_here():
                state = organizations.update_profile(
                    actor, organization_id=organization.id, name=name, slug=slug, reason=reason
                )
                if "organization" in st.query_params:
                    st.query_params["organization"] = state.slug
                saved("The profile is saved")


def _facts(actor: Actor, organization: organizations.OrganizationView) -> None:
    manager = organization.account_manager
    with st.container(border=True):
        st.subheader("About", anchor=False)
        layout.facts(
            {
                "Domain": organization.domain,
                # A customer may have one and not know the name: people of the platform are not in its reach.
                **({"Account manager": manager} if manager or actor.is_staff else {}),
                "Customer since": format.day(actor, organization.created_at),
                "Sessions": format.number(actor, organization.sessions),
                "Kind": "Demo" if organization.is_demo else None,
            }
        )


def _branding(actor: Actor, organization: organizations.OrganizationView, may: bool) -> None:
    with st.container(border=True):
        st.subheader("Branding", anchor=False)
        stored = {name: organization.brand_colors.get(name) for name in organizations.BRAND_COLORS}
        if not may:
            _preview(organization, _sound(stored))
            return
        colors = {}
        for place, (name, label) in zip(st.columns(len(stored)), organizations.BRAND_COLORS.items(), strict=True):
            start = _sound(stored)[name]
            colors[name] = place.color_picker(f"{label} colour", start.lower(), key=f"color-{name}-{organization.id}")
        sound = _sound(colors)
        _preview(organization, sound)
        for warning in organizations.contrast_warnings(sound):
            st.warning(warning, icon=":material/contrast:")
        logo_url = st.text_input(
            "Address of the logo",
            organization.logo_url or "",
            placeholder="https://",
            autocomplete="off",
            help="A picture on the web. An uploaded one has an address of NEXA's own; empty means no logo.",
        )
        if st.button("Save branding", type="primary"):
            with shown_here():
                organizations.update_branding(
                    actor, organization_id=organization.id, logo_url=logo_url, brand_colors=colors
                )
                saved("The branding is saved")
        _upload(actor, organization)


def _sound(colors: Mapping[str, object]) -> dict[str, str]:
    """The colours, with a usual one for what is none."""
    return {
        name: color if isinstance(color, str) and organizations.is_color(color) else _DEFAULTS[name]
        for name, color in colors.items()
    }


def _upload(actor: Actor, organization: organizations.OrganizationView) -> None:
    with st.form("logo", border=False, clear_on_submit=True):
        file = st.file_uploader("Upload a logo", type=["png", "jpg", "jpeg", "svg"], max_upload_size=1)
        st.caption(
            f"PNG, JPEG or SVG of at most {organizations.MOST_BYTES // 1024} kB. Only the picture itself is kept."
        )
        if st.form_submit_button("Use this logo"):
            with shown_here():
                content = file.getvalue() if file else b""
                organizations.store_logo(actor, organization_id=organization.id, content=content)
                saved("The logo is saved")


def _preview(organization: organizations.OrganizationView, colors: dict[str, str]) -> None:
    """Sidebar, button and document cover in these colours; every value is checked or escaped before it gets here."""
    primary, accent = colors["primary"], colors["accent"]
    ink, accent_ink = organizations.ink_on(primary), organizations.ink_on(accent)
    name = escape(organization.name)
    box = f"border:1px solid #8884;{_BOX}"
    parts = (
        f'<div style="{_BOX}background:{primary};color:{ink}"><b style="{_WRAP}">{name}</b><div style="margin-top:8px">'
        f'Sessions</div><div style="margin-top:4px;background:{accent};color:{accent_ink};border-radius:4px;'
        'padding:2px 6px">Members</div></div>',
        f'<div style="{box}display:flex;align-items:center;justify-content:center">'
        f'<span style="background:{primary};color:{ink};border-radius:8px;padding:8px 16px">Button</span></div>',
        f'<div style="{box}background:#fff;color:#14242a;border-top:10px solid {primary}"><div style="font-size:16px">'
        f'Statement of work</div><div style="width:48px;height:4px;background:{accent};margin:8px 0"></div>'
        f'<div style="{_WRAP}">{name}</div></div>',
    )
    shown = "Preview of the colours: sidebar, button and document cover"
    st.html(f'<div role="img" aria-label="{shown}" style="{_ROW}">{"".join(parts)}</div>')
