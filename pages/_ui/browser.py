"""What only the browser can do: carry a ticket to the API, leave, and notice Caps Lock."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import streamlit as st

# A component's function runs again whenever its data changes: what was posted once is not posted again.
_POST_JS = """
export default function (component) {
  const { data, parentElement } = component
  const posted = (window.__nexaPosted ??= new Set())
  if (posted.has(data.id)) return
  posted.add(data.id)
  const line = parentElement.querySelector("p")
  fetch(data.url, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(data.body),
  })
    .then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status))
      if (data.then) window.location.replace(data.then)
      else window.location.reload()
    })
    .catch(() => { line.textContent = data.failure })
}
"""
_POST_CSS = """
p { margin: 0; color: var(--st-text-color); font-family: var(--st-font); font-size: 0.95rem; text-align: center; }
"""

_CAPS_JS = """
export default function (component) {
  const hint = component.parentElement.querySelector("p")
  const tell = (event) => {
    if (event.getModifierState && event.target.type === "password")
      hint.hidden = !event.getModifierState("CapsLock")
  }
  document.addEventListener("keydown", tell)
  document.addEventListener("keyup", tell)
  return () => {
    document.removeEventListener("keydown", tell)
    document.removeEventListener("keyup", tell)
  }
}
"""
_CAPS_CSS = """
p { margin: 0; color: var(--st-orange-text-color); font-family: var(--st-font); font-size: 0.9rem; text-align: center; }
"""

# When the server cuts the connection because the sign-in has ended, Streamlit connects again as nobody and leaves the
# old screen standing until the next click. So after every new connection: are we still somebody? If not, to the gate.
_WATCH_JS = """
export default function () {
  const app = document.querySelector('[data-testid="stApp"]')
  if (!app) return
  const state = () => app.getAttribute("data-test-connection-state")
  let before = state()
  const watch = new MutationObserver(async () => {
    const now = state()
    if (now === before) return
    before = now
    if (now !== "CONNECTED") return
    const answer = await fetch("/api/me", { credentials: "same-origin" }).catch(() => null)
    if (answer && answer.status === 401) {
      window.__nexaLeaving = true // what is unsaved is kept as a draft: nobody is asked
      window.location.reload()
    }
  })
  watch.observe(app, { attributeFilter: ["data-test-connection-state"] })
  return () => watch.disconnect()
}
"""

_post = st.components.v2.component("nexa_post", html="<p></p>", css=_POST_CSS, js=_POST_JS)
_caps = st.components.v2.component(
    "nexa_caps_lock", html='<p role="status" hidden>Caps Lock is on.</p>', css=_CAPS_CSS, js=_CAPS_JS
)
_watch = st.components.v2.component("nexa_watch", js=_WATCH_JS)


def post(url: str, body: dict[str, Any], *, then: str = "", failure: str) -> None:
    """POST ``body`` as JSON to our own ``url``, then go to ``then`` (empty: load this very address again)."""
    _post(data={"id": uuid4().hex, "url": url, "body": body, "then": then, "failure": failure}, key="nexa_post")


def caps_lock_hint() -> None:
    """Say that Caps Lock is on while somebody types a password."""
    _caps(key="nexa_caps_lock")


def watch_sign_in() -> None:
    """Bring the browser to the gate when its sign-in ends elsewhere."""
    _watch(key="nexa_watch")
