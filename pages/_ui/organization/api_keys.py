"""API keys: what the organization's programs sign their requests with; a new one is shown once."""

from __future__ import annotations

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.organizations import ApiKeyView, OrganizationView
from nexa_core.permissions import Permission
from pages._ui import current_actor, format, layout, saved, shown_here
from pages._ui.organization import rights, words
from pages._ui.text import literal

_DEFAULT = Permission.USAGE_RECORD


def draw(actor: Actor, organization: OrganizationView) -> None:
    """The keys, the living ones first, and a button for a new one."""
    may = rights.may_change(actor, organization, own=Permission.ORGANIZATION_MANAGE) and not organization.is_platform
    keys = organizations.api_keys(actor, organization_id=organization.id)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown("Programs report usage and read with a key of the organization's.", width="content")
        if may and st.button("New API key", icon=":material/add:", type="primary"):
            _create(actor, organization)
    if not keys:
        layout.nothing("key", "No API key yet", "A program needs one to report usage to NEXA.")
    for key in keys:
        with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            _one(actor, organization, key, may=may)


def _one(actor: Actor, organization: OrganizationView, key: ApiKeyView, *, may: bool) -> None:
    state = ":gray-badge[Revoked]" if key.revoked_at else ":green-badge[In use]" if key.last_used_at else ""
    allowed = ", ".join(_word(one) for one in key.permissions)
    st.markdown(
        f"**{literal(key.name)}** {state}  \n`{key.prefix}…` {literal(allowed)}  \n:small[:gray[{_story(actor, key)}]]",
        width="content",
    )
    if may and key.revoked_at is None and st.button("Revoke", key=f"revoke-{key.id}", icon=":material/key_off:"):
        _revoke(organization, key)


def _word(permission: str) -> str:
    """What a key may: a program does not use credits itself, it reports what was used."""
    return "Report usage" if permission == Permission.USAGE_RECORD else words.permission(Permission(permission))


def _story(actor: Actor, key: ApiKeyView) -> str:
    made = f"made by {literal(key.created_by or 'NEXA')} {format.ago(actor, key.created_at)}"
    used = f"last used {format.ago(actor, key.last_used_at)}" if key.last_used_at else "never used"
    ended = f" · revoked {format.ago(actor, key.revoked_at)}" if key.revoked_at else ""
    return f"{made} · {used}{ended}"


@st.dialog("New API key", icon=":material/key:", width="medium", on_dismiss="rerun")
def _create(actor: Actor, organization: OrganizationView) -> None:
    """A dialog reruns by itself: the key is made by a click in it, and is gone when it closes."""
    own = organization.id == actor.organization_id
    grantable = [one for one in organizations.KEY_PERMISSIONS if not own or actor.may(one)]
    name = st.text_input("Name", max_chars=100, placeholder="Exporter", help="Which program it is for.")
    allowed = st.pills(
        "It may", grantable, selection_mode="multi", default=[_DEFAULT] if _DEFAULT in grantable else [],
        format_func=_word,
    )  # fmt: skip
    if st.button("Make the key", type="primary"):
        with shown_here():
            made = organizations.create_api_key(
                current_actor(), organization_id=organization.id, name=name, permissions=[one.value for one in allowed]
            )
            st.success("Copy it now: it is shown this once, and nobody can look it up later.", icon=":material/key:")
            st.code(made.secret, language=None, wrap_lines=True)
            st.caption("Send it with each request, as: `Authorization: Bearer nexa_…`")


@st.dialog("Revoke this API key?", icon=":material/key_off:")
def _revoke(organization: OrganizationView, key: ApiKeyView) -> None:
    st.write(f"The next request with **{literal(key.name)}** is refused. It cannot be brought back.")
    if st.button("Revoke", type="primary", width="stretch"):
        with shown_here():
            organizations.revoke_api_key(current_actor(), organization_id=organization.id, key_id=key.id)
            saved(f"{key.name} is revoked")
