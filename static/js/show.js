// button[data-show="id"]: what is typed into a password's field can be read, until it is sent.
(() => {
  const isShown = button => document.getElementById(button.dataset.show).type === "text"

  function turn(button) {
    const shown = !isShown(button)
    document.getElementById(button.dataset.show).type = shown ? "text" : "password"
    button.textContent = shown ? "隐藏" : "显示"
  }

  document.addEventListener("click", event => {
    const button = event.target.closest("[data-show]")
    if (button) turn(button)
  })

  document.addEventListener("submit", event => {
    [...event.target.querySelectorAll("[data-show]")].filter(isShown).forEach(turn)
  }, true)
})()
