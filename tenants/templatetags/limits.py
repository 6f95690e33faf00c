"""How limits and what is used of them are drawn."""

from django import template

from mailhost.web.tags import QUOTA_ALARMS_AT, QUOTA_WARNS_AT, megabytes, thousands
from tenants.words import FEATURE_LABELS, KIND_LABELS, LIMIT_LABELS

register = template.Library()


@register.filter
def limit_label(name: str) -> str:
    """What a limit is called: "storage_mb" is "Storage"."""
    return str(LIMIT_LABELS.get(name, name))


@register.filter
def feature_label(name: str) -> str:
    return str(FEATURE_LABELS.get(name, name))


@register.filter
def kind_label(name: str) -> str:
    return str(KIND_LABELS.get(name, name))


@register.filter
def amount(value: int | None, name: str) -> str:
    """An amount of what a limit counts: storage with its unit, everything else as a number."""
    if value is None:
        return "–"
    return megabytes(value) if name == "storage_mb" else thousands(value)


@register.inclusion_tag("tenants/_use.html")
def use(name: str, used: int | None, most: int | None):
    """What is used of a limit, as a bar with its numbers; without a limit the number alone."""
    if used is None or most is None:
        return {"used": amount(used, name), "most": None if most is None else amount(most, name)}
    percent = min(100, round(100 * used / most)) if most else 100
    tone = "problem" if percent >= QUOTA_ALARMS_AT else "waiting" if percent >= QUOTA_WARNS_AT else "ok"
    if not most and not used:
        percent, tone = 0, "ok"
    return {"used": amount(used, name), "most": amount(most, name), "percent": percent, "tone": tone, "has_bar": True}
