"""The three things only the browser can do: carry a ticket to the API, leave, and help a password manager."""

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

_FORM_JS = """
export default function (component) {
  const { data, parentElement } = component
  const hint = parentElement.querySelector("p")
  const tell = (event) => {
    if (event.getModifierState && event.target.type === "password")
      hint.hidden = !event.getModifierState("CapsLock")
  }
  const dress = () => {
    for (const [label, [name, autocomplete]] of Object.entries(data.fields)) {
      const input = document.querySelector(`input[aria-label="${label}"]`)
      if (!input || input.autocomplete === autocomplete) continue
      input.autocomplete = autocomplete
      input.name = name
      input.spellcheck = false
      input.autocapitalize = "none"
    }
  }
  dress()
  const watch = new MutationObserver(dress)
  watch.observe(document.body, { childList: true, subtree: true, attributeFilter: ["autocomplete"] })
  document.addEventListener("keydown", tell)
  document.addEventListener("keyup", tell)
  return () => {
    watch.disconnect()
    document.removeEventListener("keydown", tell)
    document.removeEventListener("keyup", tell)
  }
}
"""
_FORM_CSS = """
p { margin: 0; color: var(--st-orange-text-color); font-family: var(--st-font); font-size: 0.9rem; text-align: center; }
"""

_post = st.components.v2.component("nexa_post", html="<p></p>", css=_POST_CSS, js=_POST_JS)
_form = st.components.v2.component(
    "nexa_form", html='<p role="status" hidden>Caps Lock is on.</p>', css=_FORM_CSS, js=_FORM_JS
)


def post(url: str, body: dict[str, Any], *, then: str = "", failure: str) -> None:
    """POST ``body`` as JSON to our own ``url``, then go to ``then`` (empty: load this very address again)."""
    _post(data={"id": uuid4().hex, "url": url, "body": body, "then": then, "failure": failure}, key="nexa_post")


def help_password_manager(fields: dict[str, tuple[str, str]]) -> None:
    """Tell a password manager which input is which (label -> name and autocomplete), and say when Caps Lock is on."""
    _form(data={"fields": {label: list(pair) for label, pair in fields.items()}}, key="nexa_form")
