// Writing a matter: [data-tools="id"] puts marks into a textarea; what is pasted from Word is cleaned by the server;
// [data-add-row] adds an empty row to a table.
(() => {
  const insert = (area, text) => { area.focus(); if (!document.execCommand("insertText", false, text)) area.setRangeText(text, area.selectionStart, area.selectionEnd, "end") }
  const changed = area => area.dispatchEvent(new Event("input", { bubbles: true }))

  document.addEventListener("click", event => {
    const tool = event.target.closest("[data-mark], [data-line]")
    if (tool) {
      const area = document.getElementById(tool.closest("[data-tools]").dataset.tools), mark = tool.dataset.mark
      const { selectionStart: from, selectionEnd: to, value } = area
      if (mark) {
        insert(area, mark + (value.slice(from, to) || "重点") + mark)
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
    insert(area, answer?.ok ? await answer.text() : plain)
    changed(area)
  })
})()
