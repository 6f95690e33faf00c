"""Which language a page speaks: the person's own choice, else the browser's cookie, else what the browser asks for."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

# Programs compare what the API says, so it says it in one language.
API_ROOT = "/api/"
COOKIE_AGE_SECONDS = 365 * 24 * 60 * 60


class LanguageMiddleware:
    """Activates the language for the length of the request and names it in the answer.

    Stands after the authentication, whose person may have chosen a language. The site of mailbox users has sessions
    of its own, and goes by the cookie.
    """

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(language_of(request)):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
            if not request.path.startswith(API_ROOT):
                response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
                patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def language_of(request: HttpRequest) -> str:
    if request.path.startswith(API_ROOT):
        return settings.LANGUAGE_CODE
    # Only who has a session is a person; asking about others would be a statement for each page.
    if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path.startswith("/mailbox/"):
        chosen = getattr(request.user, "language", "")
        if chosen in dict(settings.LANGUAGES):
            return chosen
    return translation.get_language_from_request(request)


def remember_language(response: HttpResponse, language: str) -> None:
    """Keep the choice in this browser, for who is not signed in."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=COOKIE_AGE_SECONDS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
