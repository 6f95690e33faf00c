"""Pages about signing in and out."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import attempts
from accounts.forms import SignInForm
from mailhost.web.forms import render_form

TOO_MANY_REQUESTS = 429
# One sentence for an unknown address, a wrong password and a closed account.
NO_MATCH = "The address and the password do not match. Check both; upper and lower case matter in the password."
TOO_MANY = f"Too many attempts. Wait {attempts.WINDOW_SECONDS // 60} minutes, then try again."


@login_not_required
@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.actor is not None:
        return redirect("home")
    form = SignInForm(request.POST if request.method == "POST" else None)
    target = request.POST.get("next") or request.GET.get("next", "")
    context = {"next": target, "closed": request.method == "GET" and "closed" in request.GET}
    if form.is_valid():
        account = form.cleaned_data["email"].strip().lower()
        address = request.META.get("REMOTE_ADDR", "")
        if attempts.has_too_many(address, account):
            form.add_error(None, TOO_MANY)
            return render(request, "accounts/sign_in.html", {"form": form, **context}, status=TOO_MANY_REQUESTS)
        user = authenticate(request, username=account, password=form.cleaned_data["password"])
        if user is not None:
            attempts.note_success(address, account)
            login(request, user)
            return redirect(target if is_ours(request, target) else settings.LOGIN_REDIRECT_URL)
        attempts.note_failure(address, account)
        form.add_error(None, NO_MATCH)
    return render_form(request, "accounts/sign_in.html", form, **context)


def is_ours(request: HttpRequest, target: str) -> bool:
    return url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.success(request, "You are signed out.")
    return redirect("sign-in")
