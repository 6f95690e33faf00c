"""The shape of what the audit page asks."""

from datetime import UTC, date, datetime, time, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.models import EventQuerySet


class SearchForm(forms.Form):
    """Which events to show."""

    q = forms.CharField(
        label=_("Act, person or thing"), required=False, max_length=200, widget=forms.TextInput({"type": "search"})
    )
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput({"type": "date"}))

    def narrowed(self, rows: EventQuerySet) -> EventQuerySet:
        """Return those that are meant; a day that is none narrows nothing, and its field says so."""
        self.is_valid()
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        # The last day is meant, too.
        end = _begin_of(until + timedelta(days=1)) if until else None
        return rows.matching(self.cleaned_data.get("q", "").strip()).between(_begin_of(since) if since else None, end)


def _begin_of(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
