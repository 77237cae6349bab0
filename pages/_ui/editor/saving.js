// Saving: one value of one session through the API. The page's saves of a session go one after the other, so that
// they do not overtake one another; what else goes wrong is an Outcome that the editor turns into a sentence.

const SAVE_TIMEOUT_MS = 20_000
const lanes = (window.__nexaLanes ??= {})

/** The versions that this very page has saved: what is drawn need not be drawn anew for them. */
const ownVersions = (session) => ((window.__nexaOwn ??= {})[session] ??= new Set())

function inLane(session, work) {
  const next = (lanes[session] ?? Promise.resolve()).then(work, work)
  lanes[session] = next.catch(() => null)
  return next
}

/** A text as a text area holds it: with line feeds alone. Whatever is compared with one has to be so too. */
const asHeld = (text) => text.replace(/\r\n?/g, "\n")

/** JSON without what only makes it readable: the body is measured with it. */
const dense = (text) => text.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (piece) => (piece.startsWith('"') ? piece : ""))

// Numbers of a JSON document that a person looks at are kept as they are written: JavaScript would round those with more
// than fifteen digits. They go through its parser as texts that begin with NUL, which no stored text can hold.
const PIECES = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g
const exactly = (raw) =>
  JSON.parse(raw.replace(PIECES, (piece) => (piece.startsWith('"') ? piece : `"\\u0000${piece}"`)))
const written = (value) => JSON.stringify(value, null, 2).replace(/"\\u0000([^"]*)"/g, "$1")

async function sentenceOf(answer) {
  const problem = await answer.json().catch(() => null)
  return problem?.detail || problem?.title || `the server answered ${answer.status}`
}

const versionOf = (answer, body) => body?.version ?? Number((answer.headers.get("etag") || "").replace(/\D/g, ""))

/** The value at a path of stable ids: a key of an object, or the id of a part of a list. */
function valueAt(documents, path) {
  let here = documents
  for (const step of path) {
    if (here === null || here === undefined) return undefined
    here = Array.isArray(here) ? here.find((part) => part && part.id === step) : here[step]
  }
  return here
}

async function reach(url, options) {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), SAVE_TIMEOUT_MS)
  try {
    return await fetch(url, { credentials: "same-origin", signal: stop.signal, ...options })
  } finally {
    clearTimeout(timer)
  }
}

/** {kind: "saved" | "clash" | "offline" | "busy" | "signed-out" | "refused", version?, text?, why?} */
async function saveValue(data, text, version) {
  const value = data.kind === "json" ? dense(text) : JSON.stringify(text)
  let answer
  try {
    answer = await reach(data.url, {
      method: "PATCH",
      headers: { "Content-Type": "application/json", "If-Match": `"${version}"` },
      body: `{"changes":[{"path":${JSON.stringify(data.steps)},"value":${value}}]}`,
    })
  } catch {
    return { kind: "offline" }
  }
  if (answer.ok) {
    const body = await answer.json().catch(() => null)
    ownVersions(data.session).add(versionOf(answer, body))
    return { kind: "saved", version: versionOf(answer, body), revision: body?.revision }
  }
  if (answer.status === 412) return theirs(data, await answer.text().catch(() => ""))
  if (answer.status === 401) return { kind: "signed-out" }
  const why = await sentenceOf(answer)
  return { kind: answer.status === 429 || answer.status >= 500 ? "busy" : "refused", why }
}

const textOf = (data, value) => (data.kind === "json" ? written(value) : asHeld(String(value)))
const read = (data, raw) => (data.kind === "json" ? exactly(raw) : JSON.parse(raw))
const REMOVED = "somebody has removed this part. Copy your text before you leave."

/** How it is now, after somebody else has saved: from the refusal itself where it says so, else asked for. */
async function theirs(data, refusal) {
  try {
    const clash = read(data, refusal).conflicts?.find((one) => one.path.join("/") === data.path)
    if (clash && clash.kind === "edited" && clash.theirs !== null)
      return { kind: "clash", version: JSON.parse(refusal).current_version, text: textOf(data, clash.theirs) }
  } catch {
    // the refusal says nothing that can be read: asked for below
  }
  try {
    const answer = await reach(data.url, { headers: { Accept: "application/json" } })
    if (answer.status === 401) return { kind: "signed-out" }
    if (!answer.ok) return { kind: "refused", why: await sentenceOf(answer) }
    const raw = await answer.text()
    const value = valueAt(read(data, raw).documents, data.steps)
    if (value === undefined) return { kind: "refused", why: REMOVED }
    return { kind: "clash", version: versionOf(answer, JSON.parse(raw)), text: textOf(data, value) }
  } catch {
    return { kind: "offline" }
  }
}
