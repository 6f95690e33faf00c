"""The signers' state as metrics, read from the database at each scrape, so that every process gives one answer."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dns.signers import SignerState

GAUGES = {
    "mailhost_signer_lag_seconds": (
        "For how long at least the running OpenDKIM has not had the newest tables; 0 when it has them",
        lambda state: state.lag_seconds,
    ),
    "mailhost_signer_generations_behind": (
        "Changes of keys and domains that the running OpenDKIM does not have yet",
        lambda state: state.generations_behind,
    ),
    "mailhost_signer_alarm": ("1 when somebody must look at this signer", lambda state: bool(state.alarm)),
    "mailhost_signer_domains": ("Domains whose mail is signed", lambda state: state.domains),
    "mailhost_signer_checked_timestamp_seconds": (
        "When database, files and daemon were last compared",
        lambda state: state.checked_at.timestamp() if state.checked_at else 0,
    ),
}


class Signers(Collector):
    """Turns states into gauges with the label `signer`, the name of the mail host."""

    def __init__(self, states: list[SignerState]) -> None:
        self.states = states

    def collect(self) -> Iterator[Metric]:
        for name, (sentence, value) in GAUGES.items():
            gauge = GaugeMetricFamily(name, sentence, labels=["signer"])
            for state in self.states:
                gauge.add_metric([state.name], float(value(state)))
            yield gauge


def metrics_text(states: list[SignerState]) -> bytes:
    """Return the states in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Signers(states))
    return generate_latest(registry)
