"""Proof: how far the audit log is verified and sealed, how long it is kept, and how to prove it to an outsider."""

import streamlit as st

from nexa_core import audit
from nexa_core.permissions import Permission
from pages._ui import current_actor, layout, proof

actor = current_actor()
totals, states = audit.chain_totals(actor), audit.chain_states(actor)

layout.title(
    "Proof",
    "Every entry of the audit log is a link of a chain: whoever changes one breaks all that follow. "
    "The chains are walked and their heads signed every hour.",
)
proof.headline(actor, totals, states)
proof.figures(actor, totals)
proof.verify_now(actor)
if totals.chains > 1:
    proof.chains(actor, totals, states)

with st.container(border=True):
    st.subheader("Take it with you", anchor=False)
    st.caption(
        "An export holds the entries with their links, salts, heads and seals. Keep it outside of NEXA: a later one "
        "must continue it. Exporting is recorded too."
    )
    proof.take_away(actor)

with st.container(border=True):
    st.subheader("How long it is kept", anchor=False)
    proof.kept(actor)
    if actor.may(Permission.ORGANIZATIONS_MANAGE):
        proof.retention_form(actor)
