// Light and dark: the page follows the system until the button is pressed. Canvas charts cannot
// read CSS, so their ink is set here.
(() => {
  const root = document.documentElement
  const button = document.getElementById("theme")
  const system = window.matchMedia("(prefers-color-scheme: dark)")
  const asked = new URLSearchParams(location.search).get("theme")
  let chosen = asked
  try { chosen = asked ?? localStorage.getItem("leadlab-theme") } catch { /* no storage */ }

  const dark = () => chosen === "dark" || (chosen !== "light" && system.matches)
  const ink = (name) => {
    const probe = document.createElement("i")
    probe.style.color = `var(${name})`
    document.body.append(probe)
    const colour = getComputedStyle(probe).color
    probe.remove()
    return colour
  }
  const paint = () => {
    const soft = ink("--ll-soft"), line = ink("--ll-line")
    for (const doc of window.Bokeh?.documents ?? []) {
      for (const model of doc._all_models.values()) {
        if (model.type.endsWith("Axis")) {
          const own = model.tags.includes("own ink") ? {} : {major_label_text_color: soft}
          model.setv({...own, axis_line_color: line, major_tick_line_color: line}, {sync: false})
        } else if (model.type === "Grid") {
          model.setv({grid_line_color: line}, {sync: false})
        }
      }
    }
  }
  const apply = () => {
    if (chosen) root.dataset.theme = chosen
    button.textContent = dark() ? "Light" : "Dark"
    button.setAttribute("aria-label", `Change to ${dark() ? "light" : "dark"} colours`)
    paint()
  }
  button.addEventListener("click", () => {
    chosen = dark() ? "light" : "dark"
    try { localStorage.setItem("leadlab-theme", chosen) } catch { /* no storage */ }
    apply()
  })
  system.addEventListener("change", apply)
  apply()
  const waiting = setInterval(() => {
    const documents = window.Bokeh?.documents ?? []
    if (documents.length && documents.every((doc) => doc.is_idle)) {
      clearInterval(waiting)
      paint()
    }
  }, 100)
})()
