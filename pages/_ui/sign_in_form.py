"""The sign-in form: drawn by streamlit-authenticator, decided by the database."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import streamlit as st
from streamlit_authenticator import Authenticate
from streamlit_authenticator.utilities import Encryptor, Helpers
from streamlit_authenticator.views import authentication_view

from nexa_core import accounts
from nexa_core.errors import NexaError
from pages._ui import browser, gate
from pages._ui.text import literal

EMAIL, PASSWORD, CAPTCHA = "E-mail address", "Password", "Digits in the picture"
_AUTOCOMPLETE = {EMAIL: "username", PASSWORD: "current-password"}
_FAILURES, _PROBLEM, _TICKET = "nexa.sign_in.failures", "nexa.sign_in.problem", "nexa.sign_in.ticket"
_FAILURES_BEFORE_CAPTCHA = 3
_CAPTCHA_STATE = "login_captcha"
# It hides the digits of a picture in the memory of this very process: one secret per start is enough.
_SECRET = secrets.token_urlsafe(32)


class _InlineHelpers(Helpers):  # type: ignore[misc]  # the library has no types
    """The captcha as a data address: /media is closed to whoever is not signed in. Its digits are not guessable."""

    @classmethod
    def generate_captcha(cls, captcha_name: str, secret_key: str) -> str:
        if captcha_name not in st.session_state:
            digits = "".join(secrets.choice("0123456789") for _ in range(4))
            st.session_state[captcha_name] = Encryptor(secret_key).encrypt(digits)
        image = super().generate_captcha(captcha_name, secret_key).getvalue()
        return f"data:image/png;base64,{base64.b64encode(image).decode()}"


class _Form:
    """The form the library draws into, with names for password managers and a button one sees."""

    def __init__(self, form: Any) -> None:
        self._form = form

    def __getattr__(self, name: str) -> Any:
        return getattr(self._form, name)

    def text_input(self, label: str, **options: Any) -> str:
        options["autocomplete"] = _AUTOCOMPLETE.get(label, "off")
        return self._form.text_input(label, **options) or ""

    def form_submit_button(self, label: str) -> bool:
        return bool(self._form.form_submit_button(label, type="primary", width="stretch"))


class _Streamlit:
    """What the library's view calls ``st``."""

    session_state = st.session_state

    def form(self, **options: Any) -> _Form:
        return _Form(st.form(**options))


authentication_view.Helpers = _InlineHelpers
authentication_view.st = _Streamlit()


class _NoCookie:
    """The library's cookie is written by JavaScript and cannot be revoked: it is never read and never set."""

    def get_cookie(self) -> None:
        return None

    def set_cookie(self) -> None:
        return None

    def delete_cookie(self) -> None:
        return None


class _DatabaseController:
    """What the form asks when it is submitted: ``accounts.sign_in``, and nothing of the library's own."""

    def login(
        self, username: str, password: str, *_: object, captcha: bool, entered_captcha: str | None, **__: object
    ) -> bool:
        """Try to sign in. The outcome, a ticket or a sentence, is kept for the rerun that follows at once."""
        if captcha and not _captcha_is_right(entered_captcha):
            _refuse("The digits do not match the picture. A new one is below.")
        if not username.strip() or not password:
            _refuse("Enter your e-mail address and your password.")
        try:
            ticket = accounts.sign_in(gate.origin(), email=username, password=password)
        except NexaError as exc:
            st.session_state[_FAILURES] = st.session_state.get(_FAILURES, 0) + 1
            _refuse(exc.sentence)
        accept(ticket)
        return True


class SignInForm(Authenticate):  # type: ignore[misc]  # the library has no types
    """streamlit-authenticator's form with the database as its authority.

    The library's own constructor is not called: it would draw the JavaScript cookie manager.
    """

    def __init__(self) -> None:
        self.api_key = None
        self.attrs = {"login_sleep_time": 0}
        self.secret_key = _SECRET
        self.path = None
        self.cookie_controller = _NoCookie()
        self.authentication_controller = _DatabaseController()
        self.encryptor = Encryptor(_SECRET)

    def draw(self) -> None:
        """The form, with a picture to read after repeated failures in this browser tab."""
        fields = {
            "Form name": "Sign in",
            "Username": EMAIL,
            "Password": PASSWORD,
            "Login": "Sign in",
            "Captcha": CAPTCHA,
        }
        problem: str | None = st.session_state.pop(_PROBLEM, None)
        if problem:
            st.error(literal(problem), icon=":material/error:")
        self.login(key="sign-in", fields=fields, captcha=st.session_state.get(_FAILURES, 0) >= _FAILURES_BEFORE_CAPTCHA)
        browser.caps_lock_hint()


def accept(ticket: Any) -> None:
    """Keep a ticket for the next rerun, which carries it to the browser."""
    st.session_state[_TICKET] = ticket
    for key in (_FAILURES, _PROBLEM):
        st.session_state.pop(key, None)
    st.rerun()


def carry_ticket(*, then: str = "") -> bool:
    """Send a waiting ticket through the browser to the route that makes it a cookie; whether one waited.

    The browser goes on to ``then``; empty, it loads this very address again.
    """
    ticket = st.session_state.pop(_TICKET, None)
    if ticket is None:
        return False
    st.markdown(f"Welcome, **{literal(ticket.full_name)}**", text_alignment="center")
    browser.post(
        "/api/auth/cookie",
        {"ticket": ticket.ticket},
        then=then,
        failure="Signing in did not work. Reload the page and try again.",
    )
    return True


def _refuse(sentence: str) -> None:
    st.session_state[_PROBLEM] = sentence
    st.rerun()


def _captcha_is_right(entered: str | None) -> bool:
    """Compare once: right or wrong, the next picture is a new one."""
    hidden = st.session_state.pop(_CAPTCHA_STATE, None)
    return hidden is not None and secrets.compare_digest(
        (entered or "").strip().encode(), Encryptor(_SECRET).decrypt(hidden).encode()
    )
