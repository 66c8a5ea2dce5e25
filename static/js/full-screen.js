// button[data-full-screen]: the projected wall without the browser around it.
(() => {
  document.addEventListener("click", event => {
    if (!event.target.closest("[data-full-screen]")) return
    if (document.fullscreenElement) document.exitFullscreen()
    else document.documentElement.requestFullscreen()
  })
})()
