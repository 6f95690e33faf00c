"""What a request is about is decided by the name it calls this host by, before anything else looks at it.

The panel answers the names of ALLOWED_HOSTS, which Django checks. Other names belong to what stands in ANSWERS, and
reach nothing else: no session, no page, no link that is made of a name which somebody sent along.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils.module_loading import import_string

# Asked in this order: `answer(request, host)` returns a response, or None for what is not its own. By name, because
# they stand above this file.
ANSWERS = ("clientsetup.hosts.answer",)


class HostMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.answers = [import_string(name) for name in ANSWERS]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host = host_of(request)
        for answer in self.answers:
            response = answer(request, host)
            if response is not None:
                return response
        return self.get_response(request)


def host_of(request: HttpRequest) -> str:
    """Return the name that the client asked for, in lower case and without its port; "" when it is no name."""
    return split_domain_port(request.META.get("HTTP_HOST", ""))[0]
