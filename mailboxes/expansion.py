"""How an alias unfolds: its targets, their targets, and so on. Pure; the rows are read by whoever asks.

Postfix stops at 1,000 addresses or levels and then defers the message for days, so what unfolds too far, or comes
back to where it began, is refused when it would be written.
"""

from collections.abc import Callable, Iterable, Mapping

from mailboxes.addresses import base_address, display_address
from mailhost.errors import Refused
from mailhost.said import gettext

MAX_DEPTH = 10
MAX_TARGETS = 100
# All addresses that one message may unfold to.
MAX_REACHED = 500
OTHERS = "an address of another account"

Links = Mapping[str, Iterable[str]]
# Of these addresses, those that the reader of a refusal may know of.
Own = Callable[[set[str]], set[str]]


def unfold(sources: Iterable[str], targets_of: Callable[[set[str]], Links]) -> dict[str, set[str]]:
    """Return every link met on the way down from these sources, asking for one level at a time.

    Raises Refused when there are more levels or addresses than a message may pass.
    """
    links: dict[str, set[str]] = {}
    level = set(sources)
    for _ in range(MAX_DEPTH + 2):
        level -= links.keys()
        if not level:
            return links
        if len(links) + len(level) > MAX_REACHED:
            raise Refused(
                "too_many_targets",
                "targets",
                gettext("These aliases would unfold to more than %(max_reached)s addresses.")
                % {"max_reached": MAX_REACHED},
            )
        found = targets_of(level)
        for address in level:
            links[address] = {base_address(target) for target in found.get(address, ())}
        level = {target for address in level for target in links[address]}
    raise _too_deep()


def refuse_loops(
    sources: Iterable[str], links: Links, own: Own, tolerates: Callable[[list[str]], bool] = lambda circle: False
) -> None:
    """Raise Refused("alias_loop") when mail for a source would come back to an address it has passed, and
    Refused("alias_too_deep") when it passes more than MAX_DEPTH of them. Only addresses that are `own` are named."""
    for source in sorted(sources):
        # A walk in depth with the path in hand; each address is left once all below it has been seen.
        path: dict[str, None] = {}
        done: set[str] = set()
        circle = _walk(source, links, path, done)
        if circle and not tolerates(circle):
            raise Refused(
                "alias_loop",
                "targets",
                gettext("Mail would go in circles: %(circle)s.") % {"circle": _shown(circle, own(set(circle)))},
            )


def _shown(way: list[str], own: set[str]) -> str:
    """Return the way for people; however many addresses of others follow each other, they are one word."""
    steps = [display_address(address) if address in own else OTHERS for address in way]
    return " → ".join(step for step, before in zip(steps, [None, *steps], strict=False) if step != before)


def _walk(address: str, links: Links, path: dict[str, None], done: set[str]) -> list[str] | None:
    """Return the first circle at or below this address, if there is one."""
    if address in path:
        return [*list(path)[list(path).index(address) :], address]
    if len(path) > MAX_DEPTH:
        raise _too_deep()
    if address in done:
        return None
    path[address] = None
    for target in sorted(links.get(address, ())):
        circle = _walk(target, links, path, done)
        if circle:
            return circle
    del path[address]
    done.add(address)
    return None


def _too_deep() -> Refused:
    return Refused(
        "alias_too_deep",
        "targets",
        gettext("Aliases may lead to aliases at most %(max_depth)s times in a row.") % {"max_depth": MAX_DEPTH},
    )
