// The keys of Find: the letters go into its field, the arrows lead through what was found, Enter opens the first.

// Streamlit gives a dialog the focus, not its first field; who pressed Ctrl+K goes on typing.
function greet(field) {
  for (const wait of [0, 100, 300, 600, 1000])
    setTimeout(() => {
      if (field() && !field().value) field().focus()
    }, wait)
}

export default ({ parentElement, data }) => {
  const field = () => document.querySelector(".st-key-nexa-find-text input")
  const links = () => [...document.querySelectorAll(".st-key-nexa-find-results a")]
  parentElement.shown = data.text
  if (parentElement.wanted === data.text) {
    // Enter was pressed before this was found; what was found is drawn with this, or a moment later.
    setTimeout(() => field()?.value.trim() === data.text && links()[0]?.click(), 50)
  }
  parentElement.wanted = null
  if (parentElement.keys) return
  greet(field)
  parentElement.keys = (event) => {
    const stops = [field(), ...links()]
    const here = stops.indexOf(document.activeElement)
    if (here < 0 || event.isComposing) return
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault()
      stops[here + (event.key === "ArrowDown" ? 1 : -1)]?.focus()
    } else if (event.key === "Enter" && here === 0 && stops[0].value.trim()) {
      if (stops[0].value.trim() === parentElement.shown) links()[0]?.click()
      else parentElement.wanted = stops[0].value.trim()
    }
  }
  document.addEventListener("keydown", parentElement.keys)
  return () => document.removeEventListener("keydown", parentElement.keys)
}
