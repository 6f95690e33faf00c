"""What the API answers without a key: its description, the page that shows it, and that a path leads nowhere."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from mailhost.api.errors import NOT_FOUND, PROBLEMS, plain_problem
from mailhost.api.rules import RULES
from mailhost.api.schema import document


def public_reading(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer `view` to everybody, and a problem to whoever would change it."""

    @login_not_required
    @csrf_exempt
    @wraps(view)
    def shown(request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD"}:
            return view(request)
        answer = plain_problem("method_not_allowed", f'Method "{request.method}" not allowed.')
        answer.headers["Allow"] = "GET, HEAD"
        return answer

    return shown


@public_reading
def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI 3.1 document."""
    return JsonResponse(document())


@public_reading
def docs(request: HttpRequest) -> HttpResponse:
    """The document as a page, from files of our own: it works offline and under the same policy as every page."""
    problems = [{"code": code, "status": status, "title": title} for code, (status, title) in PROBLEMS.items()]
    return render(request, "api/docs.html", {"problems": problems, "rules": RULES})


@login_not_required
@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    """Any other path under /api: a problem, where Django would answer a page."""
    return plain_problem("not_found", NOT_FOUND)
