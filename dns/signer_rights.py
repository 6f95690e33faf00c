"""What the database user of a further mail host's signer may do: read the keys that it signs with, and note how far
it is. `manage.py daemonusers` gives it this and nothing else."""

READS = {
    "dns_signinggeneration": ("id", "wanted"),
    "dns_signingchange": ("generation", "domain_name"),
    "dns_dkimkey": ("id", "domain_id", "selector", "private_key", "public_key", "fingerprint", "state"),
    "mail_domains": ("id", "domain_name", "verified_at", "deleted_at"),
    "dns_signer": (
        *("id", "name", "written", "written_at", "loaded", "checked_at"),
        *("domains", "paced_until", "problem", "failing_since"),
    ),
}
WRITES = {"dns_signer": READS["dns_signer"]}
