"""Sessions from a file: looked at first, brought in after."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.errors import Invalid
from pages._ui import current_actor
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.text import literal


@st.dialog("Import", width="large", icon=":material/upload_file:")
def dialog() -> None:
    actor = current_actor()
    st.caption("A JSON file that NEXA exported, or bare documents. Nothing is made before you say so.")
    file = st.file_uploader("File", type="json", max_upload_size=16)
    if file is None:
        return
    with shown_here():
        given = _read(file.getvalue())
        plan = architecture_sessions.plan_import(actor, given=given)
        for item in plan.items[:50]:
            made = item.verdict == "create"
            icon = ":green[:material/add_circle:]" if made else ":red[:material/block:]"
            st.markdown(
                f"{icon} **{literal(item.title or f'Number {item.number}')}** "
                f":gray[{literal(item.client or '')}] :small[{item.sections} sections]\n"
                + "\n".join(f"- {literal(sentence)}" for sentence in item.sentences)
            )
        if len(plan.items) > 50:
            st.caption(f"and {len(plan.items) - 50:,} more")
        whole = plan.creates == len(plan.items)
        if not whole:
            st.caption("All or none: take out what is refused, then try again.")
        if st.button(f"Import {plan.creates:,}", type="primary", disabled=not whole):
            made_now = architecture_sessions.import_sessions(actor, given=given)
            saved(f"{len(made_now):,} imported")


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Invalid("This file is no JSON that can be read.") from None
