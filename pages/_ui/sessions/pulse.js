// Draws the page anew when it is behind what is saved, and nobody is in the middle of typing.

// A field that was typed in and not left yet, or an open cell of a grid. NEXA's own editor keeps what is unsaved itself.
function typing() {
  let here = document.activeElement
  while (here?.shadowRoot?.activeElement) {
    if (here.shadowRoot.querySelector(".editor")) return false
    here = here.shadowRoot.activeElement
  }
  if (!here) return false
  if (here.closest?.("#portal, .gdg-style, .clip-region")) return true
  const field = here.matches?.("input:not([type=checkbox]):not([type=radio]):not([role=combobox]), textarea")
  return Boolean(field) && window.__nexaTyped === here
}

if (!window.__nexaTypedWatch) {
  window.__nexaTypedWatch = true
  document.addEventListener("input", (event) => (window.__nexaTyped = event.composedPath()[0]), true)
  document.addEventListener("focusout", () => (window.__nexaTyped = null), true)
  const entered = (event) => event.key === "Enter" && event.target.matches?.("input") && (window.__nexaTyped = null)
  document.addEventListener("keydown", entered, true)
}

/** Whether all that is newer was saved by the editors of this very page. */
function ownOnly({ session, drawn, version }) {
  const own = (window.__nexaOwn ?? {})[session]
  if (!own || version - drawn > 200) return false
  for (let number = drawn + 1; number <= version; number += 1) if (!own.has(number)) return false
  return true
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  clearInterval(parentElement.nexaTimer)
  const look = () => {
    if (data.version <= data.drawn || parentElement.nexaTold === data.version) return
    if (ownOnly(data) || typing()) return
    if (document.querySelector('[role="dialog"]')) return // a dialog would be closed by it
    parentElement.nexaTold = data.version
    clearInterval(parentElement.nexaTimer)
    setTriggerValue("newer", data.version)
  }
  if (data.version > data.drawn) {
    parentElement.nexaTimer = setInterval(look, 300)
    look()
  }
  return () => clearInterval(parentElement.nexaTimer)
}
