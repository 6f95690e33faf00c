"""Proof of ownership as DNS shows it (called by `domains` by name)."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from dns.answers import Sight
from dns.lookup import Asker, run_many
from dns.records import challenge_name, challenge_value
from domains.proof import Proof, Seen

AT_ONCE = 32


def look_for_proof(claims: Sequence[tuple[str, str]]) -> list[Seen]:
    """Look for the challenges of these (domain name, challenge), asking the authoritative servers first."""

    async def one(name: str, challenge: str, asker: Asker) -> Seen:
        return judge_proof(await asker.sight(challenge_name(name), "TXT"), name, challenge)

    return run_many(
        [lambda asker, name=name, challenge=challenge: one(name, challenge, asker) for name, challenge in claims],
        at_once=AT_ONCE,
    )


def judge_proof(sight: Sight, name: str, challenge: str) -> Seen:
    """Say whether the sight of a domain's ownership record proves the claim with this challenge.

    An alias (CNAME) proves nothing: whoever serves its end would own every domain that a wildcard leads there.
    """
    answers = dict(sight.by_server) if sight.is_authoritative else {"": sight.recursive}
    definite = {server: answer for server, answer in answers.items() if not answer.is_temporary}
    if not definite:
        return Seen(Proof.UNKNOWN, next(iter(answers.values())).detail.translated)
    value = challenge_value(challenge)
    showing = {server for server, answer in definite.items() if value in answer.values and not answer.aliases}
    if len(showing) == len(definite):
        return Seen(Proof.STANDS)
    if showing:
        silent = ", ".join(sorted(set(definite) - showing))
        return Seen(Proof.PARTLY, _("Not all name servers show it: %(servers)s.") % {"servers": silent})
    if any(answer.aliases for answer in definite.values()):
        said = _("%(name)s is an alias (CNAME); the record must stand there itself.")
        return Seen(Proof.LACKING, said % {"name": challenge_name(name)})
    return Seen(Proof.LACKING)
