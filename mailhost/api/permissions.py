"""Who may call an endpoint: default deny, by the one permission table of `tenants.permissions`."""

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from mailhost.actor import Actor
from mailhost.errors import NotPermitted

# In an endpoint's `actions`: any valid key may.
ANY_ACTOR = ""


class HasActor(BasePermission):
    """Lets an actor call the methods that the endpoint's `actions` name, if the actor may do them.

    Raises NotAuthenticated, MethodNotAllowed or NotPermitted. Operations check again: this comes first, so that a
    key without the permission learns nothing from the body's errors or from what exists.
    """

    def has_permission(self, request: Request, view) -> bool:
        if not isinstance(request.user, Actor):
            return False
        method = "GET" if request.method == "HEAD" else request.method
        action = getattr(view, "actions", {}).get(method)
        if action is None:
            raise MethodNotAllowed(request.method)
        if action != ANY_ACTOR and not request.user.may(action):
            raise NotPermitted(action)
        return True
