//! The page in a real browser: what it shows, and what answers to pointer and keyboard. Without a browser these tests say that
//! they are skipped.
//!
//! `KNEEPOINT_PICTURES=folder` keeps a picture of every page at 1280 and 390 pixels, light and dark.

mod driver;
mod playground;
mod report;
mod serve;

pub use driver::Browser;

/// What is wrong with the page for those who cannot see it or use no pointer: an empty list if nothing is.
///
/// Names of controls and drawings, one heading of the first level, one main part, what is scrolled by keys, no words of a drawing cut off, no identifier twice, a language, labels of fields, and text
/// that stands out from what is behind it by the ratio that WCAG 2.2 asks for (4.5, or 3 where it is large).
const BARRIERS: &str = r#"(() => {
  const found = [];
  const seen = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== 'hidden';
  const name = (element) => (element.getAttribute('aria-label') || element.textContent || element.title || '').trim();
  if (!document.documentElement.lang) found.push('no language');
  if (document.querySelectorAll('h1').length < 1) found.push('no heading of the first level');
  for (const element of document.querySelectorAll('button, a[href], [role=button], [role=slider], [role=region], summary')) {
    if (seen(element) && !name(element)) found.push(`no name: ${element.outerHTML.slice(0, 90)}`);
  }
  for (const element of document.querySelectorAll('input, select, textarea')) {
    const labelled = element.getAttribute('aria-label') || element.labels?.length;
    if (seen(element) && !labelled) found.push(`no label: ${element.outerHTML.slice(0, 90)}`);
  }
  for (const element of document.querySelectorAll('svg')) {
    if (seen(element) && !element.closest('[aria-hidden=true]') && !(element.getAttribute('aria-label') && element.getAttribute('role'))) {
      found.push(`a drawing without a name: ${element.outerHTML.slice(0, 90)}`);
    }
  }
  for (const element of document.querySelectorAll('body *')) {
    const scrolls = element.scrollWidth > element.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(element).overflowX);
    if (seen(element) && scrolls && element.tabIndex < 0) found.push(`scrolled by no key: ${element.outerHTML.slice(0, 90)}`);
  }
  for (const text of document.querySelectorAll('svg text')) {
    const [own, all] = [text.getBoundingClientRect(), text.closest('svg').getBoundingClientRect()];
    if (seen(text) && !text.closest('figure') && (own.left < all.left - 1 || own.right > all.right + 1)) found.push(`cut off: ${text.textContent}`);
  }
  if (document.querySelectorAll('main, [role=main]').length !== 1) found.push('not one main part');
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) found.push(`twice: ${id}`);
  const parts = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)).reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parts(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0.5) return color;
    }
    return [255, 255, 255];
  };
  for (const element of document.querySelectorAll('p, td, th, li, h1, h2, button, label, summary, dt, dd, span, text')) {
    if (!seen(element) || element.closest('figure') || ![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const style = getComputedStyle(element);
    const color = parts(element instanceof SVGElement ? style.fill : style.color);
    if (color.length < 3 || color[3] === 0) continue;
    const [one, other] = [light(color), light(behind(element))].sort((a, b) => b - a);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 && Number(style.fontWeight) >= 600);
    if ((one + 0.05) / (other + 0.05) < (large ? 3 : 4.5)) found.push(`faint: ${element.textContent.trim().slice(0, 40)} ${style.color} ${style.fill}`);
  }
  return [...new Set(found)].slice(0, 20);
})()"#;

/// The smallest text of the drawings that answer, in pixels, and how far the page is wider than its window.
const SMALLEST_AND_OVERHANG: &str = "[Math.min(...[...document.querySelectorAll('svg text')].filter((text) => text.getClientRects().length && \
     !text.closest('figure')).map((text) => parseFloat(getComputedStyle(text).fontSize))), document.documentElement.scrollWidth - innerWidth]";

/// Asserts that a page is open to everybody, readable and no wider than its window, at both widths, light and dark.
fn holds_at_all_sizes(browser: &mut Browser, name: &str) {
    for (width, height, dark) in [(1280, 900, false), (1280, 900, true), (390, 800, false), (390, 800, true)]
    {
        browser.window(width, height, dark);
        browser.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
        browser.picture(&format!("{name}-{width}-{}.png", if dark { "dark" } else { "light" }));
        let barriers = browser.value(BARRIERS);
        assert_eq!(barriers, serde_json::json!([]), "{name} at {width} px, dark: {dark}");
        let measured = browser.value(SMALLEST_AND_OVERHANG);
        assert!(
            measured[0].as_f64().is_none_or(|smallest| smallest >= 11.0),
            "{name} at {width} px: {measured}"
        );
        assert!(measured[1].as_f64().is_some_and(|over| over <= 0.0), "{name} at {width} px: {measured}");
    }
    assert_eq!(
        browser.value(EMPTY_CARDS),
        serde_json::json!([]),
        "{name}: cards with nothing beneath their heading"
    );
    assert!(browser.complaints.is_empty(), "{name}: {:?}", browser.complaints);
}

/// Cards that are on the screen and show nothing but a heading.
const EMPTY_CARDS: &str = "[...document.querySelectorAll('section.card')].filter((card) => card.getClientRects().length && \
    ![...card.children].some((part) => !/^H[1-6]$/.test(part.tagName) && part.getBoundingClientRect().height > 0)).map((card) => card.innerText)";
