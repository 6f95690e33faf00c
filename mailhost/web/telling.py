"""How a page tells what was done: on the next page, or as a toast while the page stays. Either may offer to undo it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django_htmx.http import trigger_client_event


def tell(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Say on the next page that `text` is a fact now; `undo` is the address that takes it back by POST."""
    messages.success(request, text, extra_tags=undo)


def with_toast(
    response: HttpResponse, text: str, *, tone: str = "ok", undo: str = "", link: str = "", word: str = ""
) -> HttpResponse:
    """Let an answer to htmx say `text` as a toast. `tone`: ok, waiting, problem. One with `undo` stays until closed, as
    does one that leads somewhere: to `link`, by `word`."""
    told = {"text": text, "tone": tone, "undo": undo, "link": link, "word": word}
    return trigger_client_event(response, "toast", told)
