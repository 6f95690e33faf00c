"""Pages about signing in and out, and about a forgotten password."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.logout import logout
from allauth.account.views import LoginView, PasswordResetFromKeyView
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import attempts
from accounts.adapters import TOO_MANY
from accounts.forms import ForgottenForm, SignInForm, WhoForm
from accounts.resets import request_password_reset
from mailhost.web.forms import UNPROCESSABLE, render_form

TOO_MANY_REQUESTS = 429


class SignIn(LoginView):
    """allauth's, in our dress and in steps: the address, then the password or a passkey, then what of a second factor
    the account has (a page of its own). 422 when address and password do not match, 429 when it was tried too often.

    The second step is the same for every address: nobody is looked up before a password is there to compare. The
    address goes along in the form, so that it stands in no URL and no log.
    """

    template_name = "accounts/sign_in.html"

    def post(self, request: HttpRequest, *args, **options) -> HttpResponse:
        if "password" in request.POST:
            return super().post(request, *args, **options)
        who = WhoForm(request.POST)
        if not who.is_valid():
            return self.render_to_response(self.get_context_data(who=who), status=UNPROCESSABLE)
        email = who.cleaned_data["email"]
        if until := attempts.closed_until(get_adapter().get_client_ip(request), email.lower()):
            who.add_error(None, attempts.wait_until(until))
            return self.render_to_response(self.get_context_data(who=who), status=TOO_MANY_REQUESTS)
        form = SignInForm(request=request, initial={"login": email})
        return self.render_to_response(self.get_context_data(form=form))

    def form_invalid(self, form) -> HttpResponse:
        is_limited = form.has_error("__all__", TOO_MANY)
        return self.render_to_response(
            self.get_context_data(form=form), status=TOO_MANY_REQUESTS if is_limited else UNPROCESSABLE
        )

    def get_context_data(self, **context) -> dict:
        asked = self.request.POST.get("next") or self.request.GET.get("next", "")
        closed = self.request.method == "GET" and "closed" in self.request.GET
        who = context.get("who") or (WhoForm() if self.request.method == "GET" else None)
        email = self.request.POST.get("email", "").strip()
        return {**super().get_context_data(**context), "next": asked, "closed": closed, "who": who, "email": email}


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request, show_message=False)
    messages.success(request, _("You are signed out."))
    return redirect("account_login")


@login_not_required
@never_cache
def forgotten(request: HttpRequest) -> HttpResponse:
    """One answer for every address, in the same time: a worker looks who it is."""
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        address, account = get_adapter().get_client_ip(request), f"reset {form.cleaned_data['email'].lower()}"
        if until := attempts.closed_until(address, account):
            form.add_error(None, attempts.wait_until(until))
            return render(request, "accounts/forgotten.html", {"form": form}, status=TOO_MANY_REQUESTS)
        attempts.note_failure(address, account)
        request_password_reset(form.cleaned_data["email"])
        return redirect("account_reset_password_done")
    return render_form(request, "accounts/forgotten.html", form)


@login_not_required
def forgotten_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/forgotten_sent.html")


class NewPassword(PasswordResetFromKeyView):
    """Where the mailed link leads; allauth moves the link's secret into the session at once."""

    template_name = "accounts/new_password.html"


@login_not_required
def new_password_set(request: HttpRequest) -> HttpResponse:
    return redirect("account_login")
