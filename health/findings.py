"""What a look at one part of the installation found."""

from dataclasses import dataclass

OK, WAITING, PROBLEM = "ok", "waiting", "problem"
WORST_LAST = (OK, WAITING, PROBLEM)


@dataclass(frozen=True)
class Finding:
    """How a part is: `state` ok, waiting (somebody should look) or problem (it does not work), and `fact`, what was
    seen, in a sentence for the operator."""

    state: str
    fact: str


def worst(states: list[str]) -> str:
    return max(states, key=WORST_LAST.index, default=OK)
