// The composer: grows with the text, Enter sends where there is a keyboard (not while choosing characters), empties when sent.
(() => {
  const KEYBOARD = matchMedia("(hover: hover) and (pointer: fine)")

  document.addEventListener("keydown", event => {
    const form = event.target.closest?.("[data-composer]")
    if (!form || event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229 || !KEYBOARD.matches) return
    event.preventDefault()
    if (event.target.value.trim()) form.requestSubmit()
  })

  document.addEventListener("htmx:after:request", event => {
    const { sourceElement: form, response } = event.detail.ctx
    if (form.matches?.("[data-composer]") && response.status < 400) form.reset()
  })

  if (CSS.supports("field-sizing", "content")) return
  document.addEventListener("input", event => {
    if (!event.target.matches("[data-composer] textarea")) return
    event.target.style.height = "auto"
    event.target.style.height = `${event.target.scrollHeight}px`
  })
})()
