"""Scripts that find what is wrong with a page that a browser shows."""

from __future__ import annotations

#: Elements whose text is wider than they are, though nothing says that it is cut or scrolls.
CUT_OFF = """[...document.querySelectorAll("body *")].filter(e => {
  const style = getComputedStyle(e);
  return e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && style.display !== "inline"
    && style.overflowX === "visible" && !(e instanceof SVGElement);
}).map(e => e.outerHTML.slice(0, 200))"""


def faint(*, skipped: str = "svg title", marks: str = ":not(*)") -> str:
    """Find what has less contrast with what is behind it than WCAG 2.1 asks for.

    Texts, but for those in what the selector `skipped` finds, where it is below 4.5; and what the
    selector `marks` finds, where it is below 3.
    """
    return _FAINT.replace("SKIPPED", repr(skipped)).replace("MARKS", repr(marks))


_FAINT = """(() => {
  const linear = c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const channel = c => linear(c / 255);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const against = (e, colour) => {
    const ink = light(parse(colour)), behind = light(ground(e));
    return (Math.max(ink, behind) + 0.05) / (Math.min(ink, behind) + 0.05);
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest(SKIPPED)) continue;
    const style = getComputedStyle(e);
    const contrast = against(e, e instanceof SVGElement ? style.fill : style.color);
    if (contrast < 4.5) found.push([contrast, e.outerHTML.slice(0, 120)]);
  }
  for (const e of document.querySelectorAll(MARKS)) {
    const style = getComputedStyle(e);
    const seen = [style.fill, style.stroke].filter(c => c.startsWith("rgb"));
    const contrast = Math.max(...seen.map(c => against(e, c)));
    if (contrast < 3) found.push([contrast, e.outerHTML.slice(0, 120)]);
  }
  return found;
})()"""
