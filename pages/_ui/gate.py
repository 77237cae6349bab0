"""Who is asking, found anew at every rerun: from the header that only the guard of this process can have written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from nexa_core import accounts
from nexa_core.actor import Actor, Origin
from nexa_core.api.identity import user_session_of
from nexa_core.errors import Unauthenticated

_ACTOR = "nexa.actor"
# The name under which .streamlit/config.toml (server.trustedUserHeaders) gives st.user the guard's header.
_CLAIM = "sign_in"


def origin() -> Origin:
    """Where this rerun comes from, with a request id of its own."""
    address, agent = st.context.ip_address, st.context.headers.get("User-Agent")
    # Under AppTest there was no connection, and stand-ins come back.
    return Origin(
        ip_address=address if isinstance(address, str) else None, user_agent=agent if isinstance(agent, str) else None
    )


def asking() -> Actor | None:
    """The person behind this rerun; None when nobody is signed in or the sign-in has ended meanwhile."""
    claim = st.user.get(_CLAIM)
    user_session_id = user_session_of(claim if isinstance(claim, str) else None)
    if user_session_id is None:
        return None
    try:
        return accounts.actor_of_user_session(origin(), user_session_id=user_session_id)
    except Unauthenticated:
        return None


@contextmanager
def entered() -> Iterator[Actor | None]:
    """The person behind this rerun, remembered until its end and no longer.

    Callbacks, dialogs and fragments run outside the shell's rerun. They find nothing remembered, so ``current_actor``
    asks again for them: what they do is done with the rights of now, not of the last rerun.
    """
    actor = asking()
    st.session_state[_ACTOR] = actor
    try:
        yield actor
    finally:
        st.session_state.pop(_ACTOR, None)


def current_actor() -> Actor:
    """Who is asking. Raises Unauthenticated when the sign-in has ended."""
    actor = st.session_state.get(_ACTOR) or asking()
    if actor is None:
        raise Unauthenticated("Your sign-in has ended.")
    return actor


def whoever() -> Actor | None:
    """Who is asking on a public screen; None for a stranger."""
    return st.session_state.get(_ACTOR) or asking()


def remembered_actor() -> Actor | None:
    """Who was asking, for a log line: never for a decision."""
    actor: Actor | None = st.session_state.get(_ACTOR)
    return actor
