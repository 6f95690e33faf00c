"""Turns a session into an actor, and enters its tenant before any view runs."""

from django.shortcuts import redirect
from django.urls import reverse

from accounts.actors import actor_of_user
from mailhost.scope import reset_scope, set_scope


class ActorMiddleware:
    """Sets `request.actor` and the scope for the length of the request.

    The API authenticates by key in its own views and enters the scope there. A person without a tenant that may
    sign in is signed out, with the reason on the sign-in page.
    """

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request):
        request.actor = None
        # No session opens the API, and its answers must not depend on one.
        if request.path.startswith("/api/") or not request.user.is_authenticated:
            return self.get_response(request)
        request.actor = actor_of_user(request.user, address=request.META.get("REMOTE_ADDR", ""))
        if request.actor is None:
            request.session.flush()
            return redirect(f"{reverse('sign-in')}?closed=1")
        token = set_scope(request.actor.tenant_path)
        try:
            response = self.get_response(request)
        finally:
            reset_scope(token)
        # After signing out, the browser's back button must not bring a page of the tenant's back.
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response
