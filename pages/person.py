"""One person: where they belong, what happened to their account, and what an admin can do about it."""

import streamlit as st

from nexa_core import accounts
from pages._ui import badges, current_actor, layout, menu, people
from pages._ui.audit import address
from pages._ui.text import literal

actor = current_actor()
st.page_link(menu.PEOPLE.page(), label="People", icon=":material/arrow_back:")
user_id = people.asked_for()
if user_id is None:
    layout.title("Person")
    layout.nothing("person_search", "Nobody is chosen", "Choose somebody from the list of people.")
else:
    person = accounts.person(actor, user_id=user_id)
    with layout.header(literal(person.full_name), literal(people.caption(person)), picture=person.avatar_url):
        st.markdown(" ".join(badges.badge(state) for state in people.states(person)))
    people.lock(actor, person)
    people.erased(actor, person)
    people.actions(actor, person)
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        st.subheader("Account", anchor=False)
        people.account(actor, person)
    with right.container(border=True, height="stretch"):
        st.subheader("Organizations", anchor=False)
        people.memberships(person)
    with st.container(border=True):
        st.subheader("Signed in now", anchor=False)
        people.sign_ins(actor, person)
    with st.container(border=True):
        st.subheader("Security timeline", anchor=False)
        people.timeline(actor, person)
        address.everything_about("user", person.id, f"Everything about {literal(person.full_name)}")
    if person.erased_at is None:
        with st.container(border=True):
            st.subheader("Data protection", anchor=False)
            people.privacy(person)
