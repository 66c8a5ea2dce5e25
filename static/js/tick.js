// button[data-tick="3 5 8"][data-tick-in="attendees"]: ticks exactly these of a group of boxes.
(() => {
  document.addEventListener("click", event => {
    const button = event.target.closest("[data-tick]")
    if (!button) return
    const wanted = button.dataset.tick.split(" ")
    document.getElementById(button.dataset.tickIn).querySelectorAll("input[type=checkbox]").forEach(box => { box.checked = wanted.includes(box.value) })
  })
})()
