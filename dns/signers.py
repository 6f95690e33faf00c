"""How far each mail host's signer is, and whether somebody must look: for the operator's page, metrics and commands."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dns.models import Signer, SigningGeneration

# The reconciler compares every minute; who was not heard of for so long does not work.
SILENT_AFTER = timedelta(minutes=3)
# A burst is written within seconds, and what a killed worker left within a minute.
LATE_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class SignerState:
    """One signer as it is now. `lag_seconds`: for how long its daemon has not had the newest tables, at least."""

    name: str
    domains: int
    wanted: int
    loaded: int
    lag_seconds: float
    checked_at: datetime | None
    failing_since: datetime | None
    alarm: str

    @property
    def generations_behind(self) -> int:
        return max(0, self.wanted - self.loaded)

    @property
    def sentence(self) -> str:
        if self.alarm:
            return self.alarm
        if self.generations_behind:
            return f"{self.generations_behind} changes are being written."
        return f"{self.domains} domains sign."


def signer_states(now: datetime) -> list[SignerState]:
    """Return the state of every signer, by name."""
    generation = SigningGeneration.objects.order_by("pk").first() or SigningGeneration()
    return [_state(signer, generation, now) for signer in Signer.objects.order_by("name")]


def _state(signer: Signer, generation: SigningGeneration, now: datetime) -> SignerState:
    is_behind = signer.loaded < generation.wanted
    lag = now - generation.wanted_at if is_behind and generation.wanted_at else timedelta()
    return SignerState(
        name=signer.name,
        domains=signer.domains,
        wanted=generation.wanted,
        loaded=signer.loaded,
        lag_seconds=max(0.0, lag.total_seconds()),
        checked_at=signer.checked_at,
        failing_since=signer.failing_since,
        alarm=_alarm(signer, lag, now),
    )


def _alarm(signer: Signer, lag: timedelta, now: datetime) -> str:
    if signer.checked_at is None or now - signer.checked_at > SILENT_AFTER:
        return "Nothing was heard of this signer for more than three minutes. Is its worker or agent running?"
    if signer.problem:
        return signer.problem
    if lag > LATE_AFTER:
        return "Its tables are more than a minute behind the database."
    return ""


def forget_signer(name: str) -> bool:
    """Forget a mail host that is no more. Returns whether there was one; a host that lives reports again."""
    return bool(Signer.objects.filter(name=name).delete()[0])
