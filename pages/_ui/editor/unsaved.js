// Drafts of this person that this browser still holds: texts that could not be saved, each with the way back to it.

const PREFIX = "nexa.draft|"
const FRESH_MS = 10_000

export default function (component) {
  const { data, parentElement } = component
  const place = parentElement.querySelector("ul")
  const box = parentElement.querySelector("section")
  place.replaceChildren()
  const found = []
  try {
    for (let number = 0; number < localStorage.length; number += 1) {
      const key = localStorage.key(number)
      if (!key.startsWith(`${PREFIX}${data.user}|`)) continue
      const draft = JSON.parse(localStorage.getItem(key) || "null")
      if (draft && (draft.left || Date.now() - draft.at > FRESH_MS)) found.push({ key, draft })
    }
  } catch {
    // a browser that keeps nothing holds no drafts
  }
  found.sort((one, other) => other.draft.at - one.draft.at)
  box.hidden = !found.length
  for (const { key, draft } of found) {
    const line = document.createElement("li")
    const link = document.createElement("a")
    link.href = draft.place && draft.place.startsWith("/") && !draft.place.startsWith("//") ? draft.place : "/sessions"
    link.target = "_self"
    link.textContent = `${draft.title || "A session"}: ${draft.label || "text"}`
    const when = document.createElement("span")
    when.textContent = `${new Date(draft.at).toLocaleString()}, ${draft.text.length.toLocaleString()} characters`
    const drop = document.createElement("button")
    drop.type = "button"
    drop.textContent = "Discard"
    drop.onclick = () => {
      if (drop.dataset.sure) {
        localStorage.removeItem(key)
        line.remove()
        box.hidden = !place.children.length
      } else {
        drop.dataset.sure = "yes"
        drop.textContent = "Discard it for good"
      }
    }
    line.append(link, when, drop)
    place.append(line)
  }
}
