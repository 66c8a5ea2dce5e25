// 大字版: button[data-read-aloud="#what"] reads the text there; a second tap stops.
(() => {
  if (!window.speechSynthesis) return
  const LEAVE_OUT = "button, nav, form, .top, .unseen, svg, [aria-hidden=true]"
  // what this screen has no room for, such as the empty pane
  const isHidden = part => !part.getClientRects().length && getComputedStyle(part).display !== "contents"
  const label = (button, text) => { button.querySelector("span").textContent = text }

  document.addEventListener("click", event => {
    const button = event.target.closest("[data-read-aloud]")
    if (!button) return
    if (speechSynthesis.speaking) return speechSynthesis.cancel()
    const place = document.querySelector(button.dataset.readAloud), copy = place.cloneNode(true)
    const copied = copy.querySelectorAll("*")
    place.querySelectorAll("*").forEach((part, at) => { if (isHidden(part)) copied[at].remove() })
    copy.querySelectorAll(LEAVE_OUT).forEach(part => part.remove())
    const words = new SpeechSynthesisUtterance(copy.textContent.replace(/\s+/g, "，"))
    words.lang = "zh-CN"
    words.rate = 0.9
    words.onstart = () => label(button, "停下")
    words.onend = words.onerror = () => label(button, "读给我听")
    speechSynthesis.speak(words)
  })

  addEventListener("pagehide", () => speechSynthesis.cancel())
})()
