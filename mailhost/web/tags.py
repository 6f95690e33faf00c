"""Template tags of every page (a builtin library: no template loads it)."""

from datetime import datetime, timedelta
from functools import cache, lru_cache

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from heroicons.templatetags.heroicons import heroicon_mini

from mailhost import said
from mailhost.web import sizes
from mailhost.web.menu import entries

register = template.Library()

# What a tone looks like; the word beside it says the same, so that nothing hangs on colour.
ICONS = {
    "ok": "check-circle",
    "waiting": "clock",
    "problem": "exclamation-triangle",
    "off": "minus-circle",
    "plain": "information-circle",
}
MOST_CHIPS = 1000
QUOTA_WARNS_AT = 80
QUOTA_ALARMS_AT = 95


@register.simple_tag
def status(tone: str, word: str, about: str = "") -> SafeString:
    """A chip with icon and word. `about` is said to screen readers before the word ("receives:")."""
    return chip(tone, str(word), str(about))


@lru_cache(MOST_CHIPS)
def chip(tone: str, word: str, about: str) -> SafeString:
    """Lists have hundreds of them, of a few kinds: no template is rendered for each."""
    said_before = format_html('<span class="hidden">{} </span>', about) if about else ""
    look = '<span class="status {}">{}{}{}</span>'
    return format_html(look, tone, icon_of(tone), said_before, word[:1].upper() + word[1:])


@cache
def icon_of(tone: str) -> SafeString:
    return heroicon_mini(ICONS[tone], size=16, aria_hidden="true")


@register.simple_tag
def quota(used_bytes: int, quota_mb: int) -> SafeString:
    """The bar of a mailbox's storage, with its numbers."""
    percent = percent_of(used_bytes, quota_mb * 1024 * 1024)
    told = {"used": megabytes(used_bytes / 1024 / 1024), "of": megabytes(quota_mb)}
    return bar(f"quota {tone_of(percent)}", _("%(used)s of %(of)s") % told, percent)


@register.simple_tag
def progress(value: int, whole: int, label: str, fills: bool = False) -> SafeString:
    """A bar with its words. `fills` for what runs full and then stops (a limit): its colour warns."""
    percent = percent_of(value, whole)
    look = f"progress {tone_of(percent) if fills else 'ok'}"
    return bar(f"{look} whole" if percent == 100 else look, label, percent)


def bar(look: str, words: str, percent: int) -> SafeString:
    """As `status`: one in each row of a list."""
    return format_html(
        '<span class="{}"><span class="numbers"><span>{}</span> <span>{}%</span></span>'
        '<progress value="{}" max="100" aria-hidden="true"></progress></span>',
        *(look, words, percent, percent),
    )


def percent_of(value: float, whole: float) -> int:
    return max(0, min(100, round(100 * value / whole))) if whole else 0


def tone_of(percent: int) -> str:
    return "problem" if percent >= QUOTA_ALARMS_AT else "waiting" if percent >= QUOTA_WARNS_AT else "ok"


@register.simple_block_tag
def dialog(content: SafeString, id: str, title: str) -> SafeString:  # noqa: A002  the attribute's name
    """What stands between the tags, in a dialog that `<button command="show-modal" commandfor="…">` opens."""
    return render_to_string("_dialog.html", {"content": content, "id": id, "title": title, "kind": ""})


@register.simple_block_tag
def sheet(content: SafeString, id: str, title: str) -> SafeString:  # noqa: A002  the attribute's name
    """As `dialog`, from the end of the line: for details beside a list."""
    return render_to_string("_dialog.html", {"content": content, "id": id, "title": title, "kind": "sheet"})


@register.inclusion_tag("_copy.html")
def copy(text: str, what: str):
    """A button that copies `text`; `what` completes "Copy …" for who cannot see the cell beside it."""
    return {"text": text, "what": what}


@register.filter
def ago(moment: datetime, now: datetime | None = None) -> str:
    """How long something is past, in its largest unit: "3 hours ago"."""
    now = now or timezone.now()
    if now - moment < timedelta(minutes=1):
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(moment, now, depth=1)}


# Longer names of the same family first: every Edge says that it is a Chrome, and every Chrome that it is a Safari.
BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari", "curl")
BROWSER_NAMES = {"Edg": "Edge", "OPR": "Opera"}
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "CrOS", "Linux")
SYSTEM_NAMES = {"Mac OS X": "macOS", "CrOS": "ChromeOS"}


@register.filter
def browser(user_agent: str) -> str:
    """What a User-Agent header says in two words: "Firefox on Linux". It is the client's own say."""
    name = next((known for known in BROWSERS if f"{known}/" in user_agent), "")
    system = next((known for known in SYSTEMS if known in user_agent), "")
    shown = BROWSER_NAMES.get(name, name) or _("Unknown browser")
    if not system:
        return shown
    return _("%(browser)s on %(system)s") % {"browser": shown, "system": SYSTEM_NAMES.get(system, system)}


@register.filter
def megabytes(value: float) -> str:
    """1536 → "1.5 GB"; quotas are counted in MB of 1024 × 1024 bytes, as Dovecot counts them."""
    if value >= 1024 * 1024:
        return f"{three_figures(value / 1024 / 1024)} TB"
    if value >= 1024:
        return f"{three_figures(value / 1024)} GB"
    if value and value < 1:
        return _("under 1 MB")
    return f"{value:.0f} MB"


def three_figures(number: float) -> str:
    """1.5078125 → "1.51", 15.0 → "15", 1023.4 → "1023", with the point of the reader's language."""
    places = 0 if number >= 100 else 1 if number >= 10 else 2
    text = f"{number:.{places}f}"
    return formats.number_format(text.rstrip("0").rstrip(".") if places else text)


@register.filter
def size(size_mb: int) -> str:
    """2048 → "2 GB", as a size is typed."""
    return sizes.written(size_mb)


@register.filter
def breakable(address: str) -> SafeString:
    """An address that breaks before its @, where it breaks at all."""
    return format_html_join(mark_safe("<wbr>@"), "{}", ((part,) for part in address.split("@")))


@register.filter
def here(sentence: str) -> str:
    """A sentence that was made in English (`mailhost.said`), in the reader's language."""
    return said.translated(sentence)


@register.filter
def thousands(number: int) -> str:
    """100000 → "100,000", in the way of the reader's language."""
    return formats.number_format(number, force_grouping=True)


@register.inclusion_tag("_menu.html", takes_context=True)
def menu(context):
    """The main menu and who is signed in."""
    request = context["request"]
    return {
        "entries": entries(request.actor, request.path),
        "actor": request.actor,
        "others": len(request.memberships) > 1,
        "at_security": request.path == reverse("mfa_index"),
        "request": request,
    }
