"""An invitation: where the mailed link leads, signed in or not. Looking uses nothing up; only the button does."""

import streamlit as st

from pages._ui import gate, layout
from pages._ui.organization import joining

token = st.query_params.get("token", "")

with layout.card():
    layout.brand("You are invited")
    if not token:
        st.warning("This address is not complete. Open the link in the message again.", icon=":material/link_off:")
        layout.way_to_sign_in()
    else:
        joining.draw(gate.whoever(), token)
