"""What the API answers without a key: its description, the page that shows it, and that a path leads nowhere."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from mailhost.api.errors import NOT_FOUND, PROBLEMS, plain_problem
from mailhost.api.schema import document


@login_not_required
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI 3.1 document."""
    return JsonResponse(document())


@login_not_required
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The document as a page, from files of our own: it works offline and under the same policy as every page."""
    problems = [{"code": code, "status": status, "title": title} for code, (status, title) in PROBLEMS.items()]
    return render(request, "api/docs.html", {"problems": problems})


@login_not_required
@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    """Any other path under /api: a problem, where Django would answer a page."""
    return plain_problem("not_found", NOT_FOUND)
