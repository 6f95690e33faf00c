"""The tables of this app, in rooms by what they are about; everything else imports them from here."""

from dns.models.choices import DmarcPolicy, Logo, MtaSts, mta_sts_modes
from dns.models.host import HostRecord, HostState
from dns.models.keys import DkimKey, KeyState, key_states
from dns.models.publishing import Publication, PublishingIntent, WrittenRecord, ZoneAccess, ZoneHold
from dns.models.records import (
    CheckSchedule,
    DnsRecord,
    ExpectedRow,
    LameServer,
    Necessity,
    Purpose,
    RecordChange,
    Status,
    necessities,
    purposes,
    statuses,
)
from dns.models.signers import Signer, SigningChange, SigningGeneration

__all__ = [
    "CheckSchedule",
    "DkimKey",
    "DmarcPolicy",
    "DnsRecord",
    "ExpectedRow",
    "HostRecord",
    "HostState",
    "KeyState",
    "LameServer",
    "Logo",
    "MtaSts",
    "Necessity",
    "Publication",
    "PublishingIntent",
    "Purpose",
    "RecordChange",
    "Signer",
    "SigningChange",
    "SigningGeneration",
    "Status",
    "WrittenRecord",
    "ZoneAccess",
    "ZoneHold",
    "key_states",
    "mta_sts_modes",
    "necessities",
    "purposes",
    "statuses",
]
