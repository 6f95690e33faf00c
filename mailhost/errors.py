"""The one error that a person is meant to read."""

from collections.abc import Mapping

from mailhost.said import gettext as _


class Refused(Exception):
    """An operation could not be done. `code` is stable, `field` names the input at fault ("" for none),
    `message` is a sentence that the person can act on. Pages put it under the field, the API makes it
    problem+json (RFC 9457); nothing else catches it."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class SeveralRefused(Refused):
    """Some of several things could not be taken, so none was: `refusals` by their place in the input `field`."""

    def __init__(self, field: str, refusals: Mapping[int, Refused]) -> None:
        super().__init__("several_refused", field, f"{len(refusals)} of the {field} cannot be taken.")
        self.refusals = refusals


class NotPermitted(Refused):
    """The actor's role or key does not allow this act: HTTP 403."""

    def __init__(self, action: str) -> None:
        self.action = action
        super().__init__("not_permitted", "", _("Your role does not allow this: %(action)s.") % {"action": action})


class Dismissed(NotPermitted):
    """Whoever began something may do nothing there any more, whatever the act. `message` says why."""

    def __init__(self, message: str) -> None:
        Refused.__init__(self, "not_permitted", "", message)


class Suspended(Refused):
    """Whoever asks has shown who it is, and is suspended from signing in: HTTP 403. `message` says why."""

    def __init__(self, message: str) -> None:
        super().__init__("account_suspended", "", message)


class Busy(Refused):
    """As many requests as may wait for others do so already: HTTP 503, for a moment."""

    def __init__(self) -> None:
        super().__init__("busy", "", _("Many are waiting for name servers just now. Try again in a few seconds."))
