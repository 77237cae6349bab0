"""The gallery of templates: what is in one, what it asks for, and how a session differs from the one it came from."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import SessionLine
from nexa_core.architecture_sessions.foreign import parts, words
from nexa_core.errors import Invalid
from pages._ui import current_actor, filters, format, layout, menu
from pages._ui.errors import shown_here
from pages._ui.notices import later
from pages._ui.sessions import beginning, differing
from pages._ui.sessions.opening import SESSION
from pages._ui.text import literal


def search() -> str:
    """What to look for among the templates."""
    return filters.search(st.container(width=420), "Search in templates", key="q")


def draw(actor: Actor, lines: Sequence[SessionLine], *, searched: bool) -> None:
    """A card for each template."""
    if not lines:
        layout.nothing(
            "library_books", "No template fits" if searched else "There is no template yet",
            "" if searched else "Open a session, then Details, then “Make a template of it”.",
        )  # fmt: skip
        return
    with st.grid(3, min_column_width=290):
        for line in lines:
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"**{literal(_name(line.title))}**")
                st.caption(f"by {literal(line.author_name)}, changed {format.ago(actor, line.updated_at)}")
                st.markdown(" ".join(f":gray-badge[{literal(tag)}]" for tag in line.tags[:6]) or ":gray[No tags]")
                with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                    # Elsewhere than at home the page asks for the reason, and nothing can be begun.
                    theirs = actor.is_staff and line.organization_id != actor.organization_id
                    if not theirs and st.button("Look and use", icon=":material/visibility:", key=f"use-{line.uuid}"):
                        _use(line)
                    st.page_link(
                        menu.STRUCTURING.page(), label="Open", query_params={SESSION: str(line.uuid)},
                        icon=":material/edit:",
                    )  # fmt: skip


def _name(title: str) -> str:
    """A template's title without the word that everything here would begin with."""
    return title.removeprefix("Template: ")


@st.dialog("Template", width="large", icon=":material/library_books:")
def _use(line: SessionLine) -> None:
    actor = current_actor()
    with shown_here():
        view = architecture_sessions.get(actor, uuid=line.uuid)
        asked = architecture_sessions.placeholders(actor, uuid=line.uuid)
        left, right = st.columns(2, gap="medium")
        with left:
            st.markdown(f"**{literal(_name(view.title))}**")
            for column, name, title in (
                ("sow_objects", "sections", "Sections"),
                ("sow_objects", "deliverables", "Deliverables"),
                ("session_objects", "objects", "Objects"),
                ("loe_objects", "rows", "Rows of effort"),
                ("diagram_texts_json", "diagrams", "Diagrams"),
            ):
                inside = parts(view.documents.get(column), name)
                found = [words(part, "title") or words(part, "task") for part in inside]
                if found:
                    more = f" and {len(found) - 6} more" if len(found) > 6 else ""
                    st.markdown(f"{title}: :gray[{literal(', '.join(found[:6]))}{more}]")
        with right:
            if not beginning.may(actor):
                st.caption("You may look at templates; beginning sessions is for those who write them.")
                return
            with st.form("from-template", border=False):
                title = st.text_input("Title of the new session", _name(view.title), max_chars=255)
                client = st.text_input("Client", max_chars=255)
                values = {one.name: st.text_input(one.name, help=f"{one.count} places") for one in asked}
                if st.form_submit_button("Begin with it", type="primary", width="stretch"):
                    made = architecture_sessions.from_template(
                        actor, uuid=line.uuid, title=title, client=client.strip() or None,
                        values={name: value for name, value in values.items() if value},
                    )  # fmt: skip
                    later(f"{made.title} is begun")
                    st.switch_page(menu.STRUCTURING.page(), query_params={SESSION: str(made.uuid)})


def differs(actor: Actor, named: str) -> None:
    """What is different in a session from its template as that is now."""
    try:
        uuid = UUID(named)
    except ValueError:
        raise Invalid("This address does not name a session. Open one from the list.") from None
    view = architecture_sessions.get(actor, uuid=uuid)
    found = architecture_sessions.template_differences(actor, uuid=uuid)
    st.page_link(
        menu.STRUCTURING.page(), label=literal(view.title), icon=":material/arrow_back:",
        query_params={SESSION: str(uuid)},
    )  # fmt: skip
    st.markdown(
        f"Made from **{literal(found.title)}**, revision {found.made_from_revision}; "
        f"the template is at revision {found.newest_revision} now."
    )
    differing.draw(found.sentences, found.differences)
