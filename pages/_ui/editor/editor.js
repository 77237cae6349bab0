// The editor of long text. It waits two seconds after the last key, saves, and says how that went; what is not yet
// acknowledged is a draft in this browser. What the server has newer is taken over only when nothing is unsaved.

const SAVE_AFTER_MS = 2_000
const PREVIEW_AFTER_MS = 450
const KEEP_AFTER_MS = 150
const BEAT_MS = 3_000
const LONGEST_WAIT_MS = 30_000

const unsaved = (window.__nexaUnsaved ??= new Set())
if (!window.__nexaWarns) {
  window.__nexaWarns = true
  // NEXA's own reloads (a sign-in that has ended) do not ask: the drafts are kept.
  window.addEventListener("beforeunload", (event) => {
    if (unsaved.size && !window.__nexaLeaving) event.preventDefault()
  })
}

const clock = (moment) =>
  [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":")

class Editor {
  constructor(component) {
    this.root = component.parentElement
    this.data = component.data
    const text = asHeld(component.data.text)
    this.at = (name) => this.root.querySelector(`.${name}`)
    this.area = this.at("text")
    this.known = { text, version: component.data.version }
    this.clash = null
    this.aside = null
    this.waits = 0
    this.saving = false
    this.area.value = this.known.text
    this.area.oninput = () => this.typed()
    this.area.onblur = () => this.dirty && !this.clash && this.save()
    this.area.onkeydown = (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
        event.preventDefault()
        this.save()
      }
    }
    this.at("retry").onclick = () => this.save()
    this.at("back").onclick = () => this.bringBack()
    this.at("use-mine").onclick = () => this.settle(this.area.value)
    this.at("use-theirs").onclick = () => this.takeTheirs()
    this.at("use-merged").onclick = () => this.settle(this.at("merged").value)
    this.online = () => this.dirty && this.save()
    this.hide = () => this.keep(true)
    this.show = () => this.dirty && (this.keep(false), this.save())
    window.addEventListener("online", this.online)
    window.addEventListener("pagehide", this.hide)
    window.addEventListener("pageshow", this.show)
    this.beat = setInterval(() => this.dirty && this.keep(false), BEAT_MS)
    this.revision = component.data.revision
    this.say("saved", `Revision ${this.revision}`)
    this.adopt()
  }

  get dirty() {
    return this.area.value !== this.known.text
  }

  /** Streamlit has drawn again, perhaps with what others have written. */
  receive(component) {
    this.component = component
    const data = (this.data = { ...component.data, text: asHeld(component.data.text) })
    this.at("name").textContent = data.label
    this.area.setAttribute("aria-label", data.label)
    this.area.readOnly = data.readonly
    this.area.style.height ||= `${data.height}px`
    this.at("editor").classList.toggle("code", data.kind !== "markdown")
    if (data.readonly) this.say("idle", "Read only")
    if (data.version < this.known.version || this.clash) return
    if (!this.dirty) {
      const changed = data.text !== this.known.text
      this.known = { text: data.text, version: data.version }
      this.revision = data.revision
      if (changed) {
        this.put(data.text)
        this.preview()
        this.say("saved", `Revision ${data.revision}`)
      }
    } else if (data.text === this.known.text) {
      this.known.version = data.version
    } else if (data.text === this.area.value) {
      this.acknowledged(data.text, data.version)
    } // else the save that is under way finds the clash, with what is newest then
  }

  /** Show another text and leave the cursor where it is, as far as that can be. */
  put(text) {
    const { selectionStart, selectionEnd, scrollTop } = this.area
    this.area.value = text
    if (this.root.activeElement === this.area) this.area.setSelectionRange(selectionStart, selectionEnd)
    this.area.scrollTop = scrollTop
  }

  typed() {
    clearTimeout(this.keepTimer)
    clearTimeout(this.saveTimer)
    clearTimeout(this.previewTimer)
    this.previewTimer = setTimeout(() => this.preview(), PREVIEW_AFTER_MS)
    if (!this.dirty && !this.clash) {
      this.acknowledged(this.known.text, this.known.version)
      return
    }
    unsaved.add(this)
    this.keepTimer = setTimeout(() => this.keep(false), KEEP_AFTER_MS)
    if (this.clash) return
    this.say("idle", "Not saved yet")
    this.waits = 0
    this.saveTimer = setTimeout(() => this.save(), SAVE_AFTER_MS)
  }

  preview() {
    if (this.data.preview) this.component?.setStateValue("shown", this.area.value)
  }

  keep(left) {
    if (!this.dirty || this.data.readonly) return
    const { label, title, place } = this.data
    const kept = keepDraft(this.data, {
      text: this.area.value, base: this.known.text, version: this.known.version, label, title, place, left,
    })
    if (!kept) this.say("waiting", "This browser cannot keep drafts: do not leave before it is saved")
  }

  adopt() {
    const draft = this.data.readonly ? null : adoptDraft(this.data)
    if (!draft) return
    if (draft.text === this.known.text) {
      forgetDraft(this.data)
      this.adopt()
      return
    }
    this.put(draft.text)
    unsaved.add(this)
    setTimeout(() => this.preview(), 0)
    if (asHeld(draft.base ?? "") === this.known.text) this.save()
    else this.ask({ text: this.known.text, version: this.known.version }, draft.base)
  }

  async save() {
    clearTimeout(this.saveTimer)
    if (!this.dirty || this.saving || this.clash || this.data.readonly) return
    const data = this.data
    const text = this.area.value
    this.keep(false)
    if (data.kind === "json") {
      try {
        JSON.parse(text)
      } catch (error) {
        this.say("failed", `Not saved: this is no JSON yet (${error.message})`)
        return
      }
    }
    this.saving = true
    this.say("idle", "Saving")
    const outcome = await inLane(data.session, () => saveValue(data, text, this.known.version))
    this.saving = false
    if (data.path !== this.data.path) return
    if (outcome.kind === "saved") this.acknowledged(text, outcome.version, outcome.revision)
    else if (outcome.kind === "clash") this.met(outcome, text)
    else this.postpone(outcome)
  }

  acknowledged(text, version, revision) {
    this.known = { text, version }
    this.revision = revision ?? this.revision
    this.waits = 0
    this.at("retry").hidden = true
    if (this.dirty) {
      this.keep(false)
      this.saveTimer = setTimeout(() => this.save(), SAVE_AFTER_MS)
      this.say("idle", "Not saved yet")
      return
    }
    unsaved.delete(this)
    clearTimeout(this.keepTimer)
    forgetDraft(this.data)
    this.say("saved", `Saved ${clock(new Date())}, revision ${this.revision}`)
    this.adopt() // perhaps an older draft of another tab still waits
  }

  /** Somebody else saved meanwhile: nothing to ask when they left this text alone, or wrote the same. */
  met(outcome, text) {
    if (outcome.text === text) {
      this.acknowledged(text, outcome.version)
    } else if (outcome.text === this.known.text && outcome.version > this.known.version) {
      this.known.version = outcome.version
      this.save()
    } else {
      this.ask(outcome)
    }
  }

  postpone({ kind, why }) {
    const words = {
      offline: "Offline, kept on this device",
      busy: `Not saved: ${why} Kept on this device`,
      "signed-out": "Not saved: your sign-in has ended. Kept on this device; sign in again and it is saved",
      refused: `Not saved: ${why}`,
    }
    this.say(kind === "offline" ? "waiting" : "failed", words[kind])
    this.at("retry").hidden = false
    if (kind === "refused") return
    const wait = Math.min(1_000 * 2 ** this.waits, LONGEST_WAIT_MS)
    this.waits += 1
    this.saveTimer = setTimeout(() => this.save(), wait)
  }

  ask(other, base = this.known.text) {
    this.clash = other
    const mine = this.area.value
    const all = steps(mine, other.text)
    showSide(this.at("mine"), all, "one")
    showSide(this.at("theirs"), all, "other")
    this.at("merged").value = together(base, mine, other.text)
    this.at("why").textContent =
      "This text was changed elsewhere while you were writing. Nothing is lost: keep one, or put both together."
    this.at("conflict").hidden = false
    this.at("retry").hidden = true
    this.say("waiting", "Two versions: choose below. Yours is kept on this device")
  }

  close() {
    this.known = { ...this.clash }
    this.clash = null
    this.at("conflict").hidden = true
  }

  settle(text) {
    this.close()
    this.put(text)
    this.preview()
    if (this.dirty) this.save()
    else this.acknowledged(text, this.known.version)
  }

  takeTheirs() {
    this.aside = this.area.value
    this.at("back").hidden = false
    this.settle(this.clash.text)
  }

  bringBack() {
    this.at("back").hidden = true
    this.put(this.aside)
    this.typed()
  }

  say(state, words) {
    const line = this.at("status")
    line.dataset.state = state
    line.textContent = words
  }

  /** The screen is left: what is unsaved goes now, and what does not arrive waits as a draft. */
  leave() {
    this.keep(true)
    unsaved.delete(this)
    if (this.dirty && !this.clash && !this.saving && !this.data.readonly && this.data.kind !== "json") {
      const { data, known } = this
      const text = this.area.value
      inLane(data.session, () => saveValue(data, text, known.version)).then((outcome) => {
        const kept = readDraft(draftPlace(data) + PAGE)
        if (outcome.kind === "saved" && kept && kept.left && kept.text === text) forgetDraft(data)
      })
    }
    for (const timer of [this.keepTimer, this.saveTimer, this.previewTimer]) clearTimeout(timer)
    clearInterval(this.beat)
    window.removeEventListener("online", this.online)
    window.removeEventListener("pagehide", this.hide)
    window.removeEventListener("pageshow", this.show)
  }
}

export default function (component) {
  const { parentElement, data } = component
  const before = parentElement.nexaEditor
  const same = before && before.data.session === data.session && before.data.path === data.path
  if (before && !same) before.leave()
  if (!same) parentElement.nexaEditor = new Editor(component)
  const editor = parentElement.nexaEditor
  editor.receive(component)
  return () => {
    editor.leave()
    delete parentElement.nexaEditor
  }
}
