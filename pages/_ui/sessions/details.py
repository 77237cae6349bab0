"""Title, client, type and tags of a session, and what else is done with it as a whole."""

from __future__ import annotations

import streamlit as st

from nexa_core import architecture_sessions
from pages._ui import current_actor, menu
from pages._ui.audit import address
from pages._ui.errors import shown_here
from pages._ui.notices import later, saved
from pages._ui.sessions.opening import SESSION, Opened

#: What is offered; any other word can be typed.
TYPES = ("solution", "discovery", "migration", "review", "template")


@st.dialog("Details", width="medium", icon=":material/edit:")
def dialog(opened: Opened) -> None:
    view, actor = opened.view, current_actor()
    may = opened.may_write
    known = [tag.tag for tag in architecture_sessions.suggest_tags(actor, limit=100)] if may else []
    with shown_here():
        with st.form("details", border=False):
            title = st.text_input("Title", view.title, max_chars=255, disabled=not may)
            client = st.text_input("Client", view.client or "", max_chars=255, disabled=not may)
            kinds = list(dict.fromkeys([view.session_type, *TYPES]))
            kind = st.selectbox("Type", kinds, accept_new_options=True, disabled=not may)
            tags = st.multiselect(
                "Tags", list(dict.fromkeys([*view.tags, *known])), list(view.tags), accept_new_options=True,
                placeholder="Choose or type", disabled=not may,
            )  # fmt: skip
            if st.form_submit_button("Save", type="primary", disabled=not may):
                architecture_sessions.save(
                    actor, uuid=view.uuid, version=view.version, title=title, client=client.strip() or None,
                    session_type=kind, tags=tags,
                )  # fmt: skip
                saved("The details are saved")
        st.divider()
        _whole(opened)


def _whole(opened: Opened) -> None:
    view, actor = opened.view, current_actor()
    with st.container(horizontal=True, gap="small"):
        if view.may_write and view.deleted_at is None:
            if st.button("Duplicate", icon=":material/content_copy:"):
                copy = architecture_sessions.duplicate(actor, uuid=view.uuid)
                later(f"Copied as {copy.title}")
                st.switch_page(menu.STRUCTURING.page(), query_params={SESSION: str(copy.uuid)})
            if not view.is_template and st.button("Make a template of it", icon=":material/library_add:"):
                architecture_sessions.make_template(actor, uuid=view.uuid)
                saved("It is a template now")
            if view.is_template and st.button("No template any more", icon=":material/library_books:"):
                architecture_sessions.unmake_template(actor, uuid=view.uuid)
                saved("It is a session like others now")
            with st.popover("Move to the trash", icon=":material/delete:"):
                st.markdown("It can be restored for 90 days, with its history. Its share links stop at once.")
                if st.button("Move it to the trash", type="primary"):
                    architecture_sessions.trash(actor, uuid=view.uuid)
                    later(f"{view.title} is in the trash")
                    st.switch_page(menu.SESSIONS.page())
        in_trash = view.may_write and view.deleted_at is not None
        if in_trash and st.button("Restore", icon=":material/restore_from_trash:"):
            architecture_sessions.restore(actor, uuid=view.uuid)
            saved("It is restored")
    if view.template is not None:
        st.page_link(
            menu.TEMPLATES.page(), label="What differs from its template now", icon=":material/difference:",
            query_params={"differs": str(view.uuid)},
        )  # fmt: skip
    address.everything_about("session", view.uuid, "Everything about this session in the audit log")
