"""Measuring on a machine that is not quiet: one core for both ends, rounds in turn, medians of ratios."""

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median


def threads(pid: int) -> list[int]:
    return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]


@contextmanager
def one_core(*pids: int) -> Iterator[bool]:
    """Keep these processes, and this one with all it starts, on one core; say whether the machine allowed it.

    Two processes that answer each other are up to three times slower on two cores than on one, because an idle
    virtual processor must be woken for each answer: where the scheduler happens to put them would decide.
    """
    allowed = os.sched_getaffinity(0)
    core = {max(allowed)}
    tasks = [0, *(task for pid in pids for task in threads(pid))]
    try:
        for task in tasks:
            os.sched_setaffinity(task, core)
        is_pinned = True
    except OSError:
        is_pinned = False
    try:
        yield is_pinned
    finally:
        for task in [0, *(task for pid in pids for task in threads(pid))]:
            try:
                os.sched_setaffinity(task, allowed)
            except OSError:
                continue


def processor_seconds(pid: int) -> float:
    """Return the processor time of that process, and of all that this one started and saw end."""
    # Linux numbers a process's clock so (clock_getcpuclockid(3)); the nanoseconds of /proc end with each thread.
    of_process = time.clock_gettime((~pid << 3) | 2)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return of_process + children.ru_utime + children.ru_stime


def tree_seconds(*roots: int) -> float:
    """Return the processor time of these processes and all below them, those that ended included."""
    parents, seconds = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        pid = int(path.parent.name)
        # proc(5): the parent, then user and system time, then the same of children waited for, in clock ticks.
        parents[pid] = int(fields[1])
        seconds[pid] = sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    below = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    return sum(seconds.get(pid, 0) for pid in below)


def in_turn(rounds: int, contenders: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Run every contender once per round, each round beginning with another one; return their values by round."""
    values: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for turn in range(rounds):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            values[name].append(contenders[name]())
    return values


def ratio(values: list[float], floor: list[float]) -> float:
    """Return the median of the ratios within each round, so that a slow minute touches both sides."""
    return median(value / base for value, base in zip(values, floor, strict=True))


def spread(values: list[float]) -> float:
    """Return how far the middle half of the values lies apart, as a share of their median."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    return (ordered[-1 - quarter] - ordered[quarter]) / median(ordered)
