"""What all forms share: how a field is drawn, and how a refusal reaches the person."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from mailhost.errors import NotPermitted, Refused

UNPROCESSABLE = 422


class Renderer(TemplatesSetting):
    """Draws every field by our template: label, help, input, error."""

    field_template_name = "_field.html"


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
