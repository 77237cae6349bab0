// Two texts line by line: what they share once, and where they differ first the one's lines, then the other's.

const MOST_CELLS = 4_000_000

/** Steps [kind, line] that lead from `one` to `other`; kind is "same", "one" or "other". */
function steps(one, other) {
  const a = one.split("\n")
  const b = other.split("\n")
  if (a.length * b.length > MOST_CELLS) return [...a.map((line) => ["one", line]), ...b.map((line) => ["other", line])]
  const width = b.length + 1
  const longest = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1] + 1
          : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1])
  const found = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      found.push(["same", a[i]])
      i += 1
      j += 1
    } else if (i < a.length && (j === b.length || longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      found.push(["one", a[i]])
      i += 1
    } else {
      found.push(["other", b[j]])
      j += 1
    }
  }
  return found
}

/** Where the lines of `other` stand for those of `base`: for each line of base the lines before it, and if it stays. */
function against(base, other) {
  const found = [{ before: [], stays: true }]
  for (const [kind, line] of steps(base, other)) {
    const last = found[found.length - 1]
    if (kind === "other") last.before.push(line)
    else {
      last.stays = kind === "same"
      found.push({ before: [], stays: true })
    }
  }
  return found
}

/** Both sides' changes of `base` in one text. Where both changed the same lines, first theirs, then mine. */
function together(base, mine, theirs) {
  const lines = base.split("\n")
  const ours = against(base, mine)
  const others = against(base, theirs)
  const found = []
  for (let place = 0; place <= lines.length; place += 1) {
    const one = others[place]
    const two = ours[place]
    found.push(...one.before)
    if (one.before.join("\n") !== two.before.join("\n")) found.push(...two.before)
    if (place < lines.length && one.stays && two.stays) found.push(lines[place])
  }
  return found.join("\n")
}

/** `side` of two texts in a <pre>, with the lines that the other does not have marked. */
function showSide(place, all, side) {
  place.replaceChildren()
  for (const [kind, line] of all) {
    if (kind !== "same" && kind !== side) continue
    const part = document.createElement(kind === "same" ? "span" : "mark")
    part.textContent = `${line}\n`
    place.append(part)
  }
}
