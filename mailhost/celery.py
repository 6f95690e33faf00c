"""The Celery application and every periodic job, in one table."""

import os

import django
import structlog
from celery import Celery
from celery.signals import setup_logging, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailhost.settings")

from django.apps import apps
from django.conf import settings

if not apps.ready:
    # A worker and beat import this file before anything of Django.
    django.setup()

from mailhost.background import DEFAULT_QUEUE, RUN_JOB

log = structlog.get_logger(__name__)

app = Celery("mailhost")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    # A request must not wait for a broker that is away.
    broker_transport_options={"socket_connect_timeout": 0.5, "socket_timeout": 5, "max_retries": 0},
    task_ignore_result=True,
    task_default_queue=DEFAULT_QUEUE,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    timezone="UTC",
)

PERIODIC = "mailhost.run_periodic"

# name: (task, seconds). Everything that happens by the clock stands here.
EVERY = {
    "announce waiting jobs": ("mailhost.background.sweep", 10),
    "sessions whose time is over": ("accounts.tasks.forget_old_sessions", 3600),
    "old sign-ins of mailbox users": ("selfservice.tasks.forget_old_sessions", 3600),
    "DMARC and TLS reports": ("reports.tasks.read_mailbox", 300),
    "old reports": ("reports.tasks.forget_old", 86400),
    "old links to profiles": ("clientsetup.tasks.forget_old_links", 3600),
    "last sign-ins from Redis": ("mailboxes.tasks.store_last_logins", 30),
    "how full mailboxes are": ("mailboxes.tasks.note_fullness", 300),
    "tables that nobody imported": ("mailboxes.tasks.forget_imports", 3600),
    "answers of repeated requests": ("mailhost.api.tasks.forget_idempotency_keys", 3600),
    "expired app passwords": ("mailboxes.tasks.end_expired_app_passwords", 60),
    "DNS records that are due": ("dns.tasks.check_due_records", 15),
    "the mail host's own records": ("health.tasks.look_at_own_host", 3600),
    "DKIM keys retire and rotate": ("dns.tasks.turn_keys", 300),
    "publications that were cut off": ("dns.tasks.settle_publications", 300),
    "proof of ownership is settled": ("domains.tasks.settle_proofs", 300),
    "removed domains whose time is over": ("domains.tasks.forget_removed", 3600),
    "deleted tenants whose time is over": ("tenants.tasks.purge_deleted", 3600),
    "proof of resellers' host names": ("tenants.tasks.check_brand_hosts", 3600),
    "what was sent, from Redis": ("tenants.tasks.store_sent_messages", 30),
    "what is stored, by tenant": ("tenants.tasks.count_usage", 900),
    "days to bill": ("billing.tasks.close_days", 300),
    "operations that ended long ago": ("longwork.tasks.forget_old_works", 3600),
    "operations that nobody goes on with": ("longwork.tasks.end_orphans", 3600),
    "webhooks that are due": ("webhooks.tasks.send_due", 5),
    "signing tables follow the database": ("dns.tasks.reconcile_signing_tables", 60),
}
app.conf.beat_schedule = {
    name: {"task": PERIODIC, "schedule": seconds, "args": [task], "options": {"expires": seconds}}
    for name, (task, seconds) in EVERY.items()
}


@setup_logging.connect
def keep_django_logging(**_kwargs) -> None:
    """Celery must not replace the JSON logging that Django has set up."""


@worker_ready.connect
def announce_what_waits(**_kwargs) -> None:
    """A worker that was killed left its job waiting: the next one need not wait for the clock."""
    from django.db import DatabaseError

    from mailhost import background

    try:
        background.sweep()
    except DatabaseError:
        log.warning("no_sweep_at_start")


@app.task(name=RUN_JOB)
def run_job(job_id: int) -> None:
    from mailhost import background

    background.run(job_id)


@app.task(name=PERIODIC)
def run_periodic(task: str) -> None:
    from django.utils.module_loading import import_string

    from mailhost import heartbeat

    if task not in {name for name, _ in EVERY.values()}:
        raise ValueError(f"not a periodic job: {task}")
    heartbeat.note()
    import_string(task)()
