// Drafts: what was typed and not yet acknowledged, in this browser, by person, session and path.
// A draft belongs to the page that writes it. Another one may take it over when that page has left (it says so as it
// goes) or is silent for ten seconds (it crashed): so two tabs of one person never write over each other.

const PREFIX = "nexa.draft|"
const SILENT_MS = 10_000
const PAGE = (window.__nexaPage ??= `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10)}`)

const draftPlace = (data) => `${PREFIX}${data.user}|${data.session}|${data.path}|`

function readDraft(key) {
  try {
    const draft = JSON.parse(localStorage.getItem(key))
    return draft && typeof draft.text === "string" ? draft : null
  } catch {
    return null
  }
}

/** Keep a draft; false when this browser cannot (private mode, no room). */
function keepDraft(data, draft) {
  try {
    localStorage.setItem(draftPlace(data) + PAGE, JSON.stringify({ ...draft, at: Date.now() }))
    return true
  } catch {
    return false
  }
}

function forgetDraft(data) {
  try {
    localStorage.removeItem(draftPlace(data) + PAGE)
  } catch {
    // a browser that keeps nothing has nothing to forget
  }
}

/** The newest draft that nobody writes any more, now ours; null when there is none. Older ones stay for later. */
function adoptDraft(data) {
  const found = []
  try {
    for (let number = 0; number < localStorage.length; number += 1) {
      const key = localStorage.key(number)
      if (!key.startsWith(draftPlace(data))) continue
      const draft = readDraft(key)
      const ours = key.endsWith(`|${PAGE}`)
      if (draft && (ours || draft.left || Date.now() - draft.at > SILENT_MS)) found.push({ key, draft })
    }
  } catch {
    return null
  }
  found.sort((one, other) => other.draft.at - one.draft.at)
  if (!found.length) return null
  const { key, draft } = found[0]
  if (keepDraft(data, { ...draft, left: false }) && !key.endsWith(`|${PAGE}`)) localStorage.removeItem(key)
  return draft
}
