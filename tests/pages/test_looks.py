"""Every page, in both themes and on a narrow screen: for who cannot see it, and for who has little room."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.pages.browsing import sign_in_without_typing
from tests.pages.sights import lookers

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
# What a window of 1280 px shows at 200 % and at 400 %.
ZOOMED, NARROWEST = {"width": 640, "height": 400}, {"width": 320, "height": 256}
# A small button is 32 px high.
ONE_LINE = 40
# Its inside is drawn by Swagger UI, as the package brings it; the colours are ours.
FOREIGN = frozenset({"api-docs"})
# The document is 0.8 MB, and a script of 1.6 MB draws it.
PATIENCE_MS = 30_000


@pytest.mark.parametrize("half", [0, 1])
def test_every_page_is_for_everybody_in_both_themes_at_every_width(watched, town, live_server, half):
    """Each page is loaded once and looked at four times: axe with all of its rules on wide light and narrow dark,
    with those of contrast on the other two; then whether all of it is in sight, from 1280 px (at 400 %: 320 px) on, in
    both directions of writing."""
    found: dict[str, list[str]] = {}

    for looker in lookers(town)[half::2]:
        # Still: axe would measure the contrast of a sheet that is only fading in.
        page = watched(viewport=WIDE, reduced_motion="reduce")
        looker.enter(page.context, live_server.url)
        for name, address in looker.pages.items():
            page.goto(address)
            if name not in FOREIGN:
                found[name] = list(faults(page))
            page.set_viewport_size(WIDE)

    told = [f"{name}: {fault}" for name, broken in found.items() for fault in broken]
    assert told == [], "\n".join(told)


def faults(page: Page) -> Iterator[str]:
    """Yield what is wrong with this page, in which theme and at which width."""
    page.evaluate(AXE_SCRIPT)
    for size, themes in ((WIDE, ("light", "dark")), (ZOOMED, ()), (NARROW, ("dark", "light")), (NARROWEST, ())):
        page.set_viewport_size(size)
        for theme in themes:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.evaluate(COME_TO_REST)
            rules = ALL_RULES if theme == themes[0] else CONTRAST
            yield from (f"{theme} {size['width']} {fault}" for fault in broken_rules(page, rules))
        yield from (f"{size['width']} {fault}" for fault in page.evaluate(OUT_OF_SIGHT))


def test_the_description_of_the_api_follows_the_theme_with_contrast_enough(watched, live_server, db, plain_static):
    page = watched(viewport=WIDE, reduced_motion="reduce")
    page.goto("/api/docs")
    read = page.locator(".opblock-get").first
    read.locator(".opblock-summary-control").click(timeout=PATIENCE_MS)
    read.get_by_role("button", name="Try it out").click(timeout=PATIENCE_MS)
    grounds, found = {}, {}

    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.evaluate(COME_TO_REST)
        grounds[theme] = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        found[theme] = broken_rules(page, CONTRAST)

    assert grounds == {"light": "rgb(246, 247, 249)", "dark": "rgb(17, 21, 27)"}
    assert found == {"light": [], "dark": []}


def test_the_look_for_what_is_out_of_sight_sees_it(watched):
    page = watched(viewport=NARROW)
    page.set_content("<p style='width: 500px'>wide</p><div style='overflow: clip; width: 50px'><b>longer</b>word</div>")

    assert page.evaluate(OUT_OF_SIGHT) == [
        "ltr: 508 px wide",
        "ltr: cut: longerword",
        "rtl: 508 px wide",
        "rtl: cut: longerword",
    ]


def test_where_there_is_little_room_a_button_keeps_its_word_and_the_menu_its_parts(watched, town, live_server):
    page = watched(viewport=NARROW, reduced_motion="reduce")
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    page.goto("/mailboxes/")
    page.get_by_label("Select ben@acme.example").check()
    page.get_by_role("button", name="Suspend").click()

    assert page.get_by_role("button", name="Undo").bounding_box()["height"] < ONE_LINE
    page.set_viewport_size(ZOOMED)
    page.get_by_role("button", name="Menu").click()
    parts = page.get_by_role("navigation", name="Main")
    assert parts.evaluate("it => it.scrollHeight <= it.clientHeight")
    parts.get_by_role("link", name="Audit log").click()
    expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
    # An operator has half as many parts again.
    page.set_viewport_size(WIDE)
    sign_in_without_typing(page.context, town, "operator@mailhost.example", live_server.url)
    page.goto("/health/")
    assert parts.get_by_role("link").count() > 17
    assert parts.evaluate("it => it.scrollHeight <= it.clientHeight")
    # Tabs that move sideways show the present one, and a page with tabs further down begins at its top.
    page.set_viewport_size(NARROW)
    page.goto("/style/")
    tabs = page.locator(".tabs")
    assert page.evaluate("scrollY") == 0
    assert tabs.evaluate(IN_SIGHT)


def test_who_asks_for_less_motion_gets_none(watched, town, live_server):
    moving = {}
    for wish in ("no-preference", "reduce"):
        page = watched(reduced_motion=wish)
        sign_in_without_typing(page.context, town, "operator@mailhost.example", live_server.url)
        page.goto("/style/")
        moving[wish] = page.evaluate(MOVING)

    assert len(moving["no-preference"]) > 0
    assert moving["reduce"] == []


def test_axe_finds_nothing_in_refused_forms_the_open_menu_and_dialogs(watched, town, live_server):
    page = watched(color_scheme="dark", viewport=NARROW, reduced_motion="reduce")
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    found = {}

    for name in ("domains", "mailboxes", "aliases", "keys"):
        page.goto(f"/{name}/add/")
        page.locator("main form button.primary").click()
        page.evaluate(AXE_SCRIPT)
        found[f"refused in {name}"] = broken_rules(page, ALL_RULES)
    page.get_by_role("button", name="Menu").click()
    found["menu"] = broken_rules(page, ALL_RULES)
    sign_in_without_typing(page.context, town, "operator@mailhost.example", live_server.url)
    page.goto("/style/")
    page.evaluate(AXE_SCRIPT)
    for name in ("Open a dialog", "Open a side sheet"):
        page.get_by_role("button", name=name).click()
        found[name] = broken_rules(page, ALL_RULES)
        page.keyboard.press("Escape")

    assert {name: broken for name, broken in found.items() if broken} == {}


def test_a_page_is_light_to_load(watched, town, live_server):
    page = watched()
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))

    page.goto("/mailboxes/", wait_until="networkidle")

    # Before compression; a first visit, with htmx.
    assert sum(sizes.values()) < 150_000, sizes
    assert all(url.startswith(live_server.url) for url in sizes)


ALL_RULES = "{resultTypes: ['violations']}"
CONTRAST = "{resultTypes: ['violations'], runOnly: ['color-contrast']}"
# Whether one must scroll sideways, and what is cut at an edge, in both directions of writing.
OUT_OF_SIGHT = """() => {
  const root = document.documentElement, found = [], before = root.dir
  for (const direction of ["ltr", "rtl"]) {
    root.dir = direction
    if (root.scrollWidth > innerWidth) found.push(`${direction}: ${root.scrollWidth} px wide`)
    for (const element of document.body.querySelectorAll("*")) {
      const style = getComputedStyle(element)
      const isCut = ["hidden", "clip"].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1
      if (isCut && !style.clipPath.includes("inset") && element.clientWidth)
        found.push(`${direction}: cut: ${element.textContent.trim().slice(0, 80)}`)
    }
  }
  root.dir = before
  return found
}"""
IN_SIGHT = """tabs => {
  const present = tabs.querySelector("[aria-current]").getBoundingClientRect(), whole = tabs.getBoundingClientRect()
  return present.left >= whole.left && present.right <= whole.right
}"""
# Colours change on their way to the other theme, however short that is: wait until they are there.
COME_TO_REST = """() => new Promise(rest => requestAnimationFrame(() => requestAnimationFrame(() => {
  document.getAnimations().forEach(animation => animation.finish())
  rest()
})))"""
MOVING = """() => [...document.querySelectorAll("*")].filter(element => {
  const style = getComputedStyle(element)
  const longest = Math.max(...`${style.transitionDuration}, ${style.animationDuration}`.split(", ").map(parseFloat))
  return longest > 0.001
}).map(element => element.outerHTML.slice(0, 80))"""


def broken_rules(page: Page, rules: str = ALL_RULES) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    violations = page.evaluate(f"axe.run(document, {rules}).then(found => found.violations)")
    return [f"{rule['id']}: {node['html'][:160]}" for rule in violations for node in rule["nodes"]]
