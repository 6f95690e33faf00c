"""What all forms share: how a field is drawn, and how a refusal reaches the person."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailhost.errors import NotPermitted, Refused

UNPROCESSABLE = 422


class Renderer(TemplatesSetting):
    """Draws every field by our template: label, help, input, error."""

    field_template_name = "_field.html"


class TypedForm(forms.Form):
    """For what nothing brings back: whoever does it types its name, and knows which one is meant."""

    typed = forms.CharField(
        error_messages={"required": gettext_lazy("Type the name.")},
        max_length=1000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args, name: str, **options) -> None:
        super().__init__(*args, **options)
        self.name = name
        self.fields["typed"].label = _("Type %(name)s to go on") % {"name": name}

    def clean_typed(self) -> str:
        if self.cleaned_data["typed"].strip() != self.name:
            raise ValidationError(_("This is not the name."))
        return self.cleaned_data["typed"]


@contextmanager
def refusals(form: forms.Form, fields: Mapping[str, str] | None = None) -> Iterator[None]:
    """Put what an operation refuses under the field that it names, and keep the input.

    `fields` translates the operation's argument into this form's field where the names differ. What the person's
    role does not allow is a 403 page.
    """
    try:
        yield
    except NotPermitted as refused:
        raise PermissionDenied(str(refused)) from refused
    except Refused as refused:
        field = (fields or {}).get(refused.field, refused.field)
        error = ValidationError(refused.message, code=refused.code)
        form.add_error(field if field in form.fields else None, error)


@contextmanager
def refusals_told(request: HttpRequest) -> Iterator[None]:
    """For a button without fields: say what an operation refuses as a message on the next page."""
    try:
        yield
    except NotPermitted as refused:
        raise PermissionDenied(str(refused)) from refused
    except Refused as refused:
        messages.error(request, refused.message)


def render_form(request: HttpRequest, template: str, form: forms.Form, **context) -> HttpResponse:
    """Show a page around `form`: 422 when its input was refused, else 200."""
    status = UNPROCESSABLE if form.is_bound and form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)


def ask_name(
    request: HttpRequest, form: TypedForm, *, title: str, text: str, act: str, back: str, **context
) -> HttpResponse:
    """Show the page that asks for a name before an act which nothing undoes: what happens then (`text`), the button's
    word (`act`), and where to go instead (`back`). Other pages show its form in a dialog (_typed_link.html)."""
    return render_form(request, "typed.html", form, title=title, text=text, act=act, back=back, **context)
