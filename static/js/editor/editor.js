// Writing a matter: [data-tools="id"] puts marks into a textarea; what is pasted from Word is cleaned by the server;
// [data-add-row] adds an empty row to a table.
(() => {
  const insert = (area, text) => { area.focus(); if (!document.execCommand("insertText", false, text)) area.setRangeText(text, area.selectionStart, area.selectionEnd, "end") }
  const around = (mark, text) => text.length > 2 * mark.length && text.startsWith(mark) && text.endsWith(mark) ? text.slice(mark.length, -mark.length) : text.trim() && !/^[-:\s]+$/.test(text) ? mark + text.trim() + mark : text
  // marks end with their line: each line has its own, each cell of a table, what begins a line stands before them
  const marked = (mark, text) => text.split("\n").map(line => line.trim().startsWith("|")
    ? line.split("|").map(cell => cell.trim() ? ` ${around(mark, cell.trim())} ` : cell).join("|")
    : line.replace(/^(\s*(?:- |#+ |\d+\. )?)(.*)$/, (_, begin, rest) => begin + around(mark, rest))).join("\n")
  // a table ends with an empty line, or what is typed next would be its row
  const apart = (area, text) => {
    const table = text.split("\n").at(-1).startsWith("|"), before = area.value.slice(0, area.selectionStart)
    return (text.includes("\n") && before && !before.endsWith("\n") ? "\n\n" : "") + text + (table ? "\n\n" : "")
  }
  const changed = area => area.dispatchEvent(new Event("input", { bubbles: true }))

  document.addEventListener("click", event => {
    const tool = event.target.closest("[data-mark], [data-line]")
    if (tool) {
      const area = document.getElementById(tool.closest("[data-tools]").dataset.tools), mark = tool.dataset.mark
      const { selectionStart: from, selectionEnd: to, value } = area
      if (mark) {
        insert(area, marked(mark, value.slice(from, to) || "重点"))
      } else {
        const begin = value.lastIndexOf("\n", from - 1) + 1
        area.setSelectionRange(begin, to)
        insert(area, value.slice(begin, to).split("\n").map(line => tool.dataset.line + line).join("\n"))
      }
      changed(area)
    }
    const add = event.target.closest("[data-add-row]")
    if (add) {
      const list = add.parentElement.querySelector("[data-rows]"), row = list.lastElementChild.cloneNode(true), number = list.children.length + 1
      row.querySelectorAll("input").forEach(cell => { cell.value = ""; cell.setAttribute("aria-label", cell.getAttribute("aria-label").replace(/\d+/, number)) })
      list.append(row)
      row.querySelector("input").focus()
    }
  })

  document.addEventListener("paste", async event => {
    const area = event.target.closest("form[data-autosave] textarea[name=text]"), html = event.clipboardData?.getData("text/html")
    if (!area || !html) return
    event.preventDefault()
    const plain = event.clipboardData.getData("text/plain")
    const answer = await fetch("/disclosures/cleaned", { method: "POST", body: new URLSearchParams({ html }), headers: { "HX-Request": "true" } }).catch(() => null)
    insert(area, apart(area, answer?.ok ? await answer.text() : plain))
    changed(area)
    if (/<img|imagedata/i.test(html)) document.dispatchEvent(new CustomEvent("toast", { detail: { text: "图片没有贴进来，请从下面的附件上传" } }))
  })
})()
