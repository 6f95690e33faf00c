"""The tree that owns everything: tenants and their members."""

from django.conf import settings
from django.db import models
from django.db.models import Case, F, When
from django.utils.translation import gettext_lazy as _

from mailhost.fields import ExactCharField, UidField
from mailhost.scope import TenantOwned


class Kind(models.TextChoices):
    OPERATOR = "operator"
    RESELLER = "reseller"
    CUSTOMER = "customer"


def kinds():
    return Kind.choices


class SecondFactor(models.TextChoices):
    """Of whom a tenant asks a second factor at sign-in."""

    OPTIONAL = "optional", _("Nobody: everybody decides for themselves")
    LEADERS = "leaders", _("Owners and admins")
    EVERYBODY = "everybody", _("Everybody")


def second_factors():
    return SecondFactor.choices


class Reason(models.TextChoices):
    """Why a tenant is suspended."""

    UNPAID = "unpaid", _("Unpaid")
    SPAM = "spam", _("Spam was sent")
    ABUSE = "abuse", _("Abuse was reported")
    SECURITY = "security", _("It may be in a stranger's hands")
    LEGAL = "legal", _("A legal order")
    REQUESTED = "requested", _("At its own request")
    OTHER = "other", _("Another reason")


def suspension_reasons():
    return Reason.choices


class Tenant(TenantOwned):
    """A node of the tree. `path` is the ids from the root down ("/1/5/"), so that a subtree is one index range.

    The `blocks_…` switches are this tenant's own suspension; the `may_…` flags follow from them and from every
    tenant above, and are written by `tenants.effective` alone.
    """

    tenant_path = "path"
    outlives_tenant = True
    unrecorded = frozenset({"path", "brand", "suspended_by_path", "may_sign_in", "may_send", "may_receive"})

    uid = UidField()
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    path = models.CharField(max_length=700, unique=True, db_collation="ascii_bin")
    kind = models.CharField(max_length=20, choices=kinds)
    name = models.CharField(max_length=120)
    second_factor = models.CharField(max_length=20, choices=second_factors, default="optional", db_default="optional")
    blocks_sign_in = models.BooleanField(default=False)
    blocks_sending = models.BooleanField(default=False)
    blocks_receiving = models.BooleanField(default=False)
    # The path of the tenant that suspended: nobody below it may lift or rewrite that.
    suspended_by_path = models.CharField(max_length=700, null=True, db_collation="ascii_bin")  # noqa: DJ001 - nobody
    suspension_reason = models.CharField(max_length=20, choices=suspension_reasons, default="", blank=True)
    # In the suspender's words, for whoever reads the reason.
    suspension_note = models.CharField(max_length=500, default="", db_default="", blank=True)
    suspended_at = models.DateTimeField(null=True)
    plan_version = models.ForeignKey("PlanVersion", models.PROTECT, null=True, related_name="tenants")
    # How much a tenant may sell of what it was granted itself: at 150 its customers' limits may add up to one and a
    # half times its own. What they use together never exceeds it.
    oversell_percent = models.PositiveIntegerField(default=100, db_default=100)
    # The brand that its people see: its own, or the nearest above. Written by `tenants.brand_operations`, by a
    # creation and by a move, so that no page looks for it.
    brand = models.ForeignKey("Brand", models.SET_NULL, null=True, related_name="+")
    may_sign_in = models.BooleanField(default=True)
    may_send = models.BooleanField(default=True)
    may_receive = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # A whole subtree is deleted together: `deleted_with` is the tenant that took this one along, so that restoring it
    # brings back what went with it and nothing that was deleted before.
    deleted_at = models.DateTimeField(null=True)
    deleted_with = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    # What remains after this bears the audit trail and nothing else.
    purged_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_suspended(self) -> bool:
        return self.blocks_sign_in or self.blocks_sending or self.blocks_receiving

    @property
    def stopped(self) -> list[str]:
        """Which of sign_in, sending, receiving are stopped now, by its own suspension or from above."""
        flags = {"sign_in": self.may_sign_in, "sending": self.may_send, "receiving": self.may_receive}
        return [name for name, allowed in flags.items() if not allowed]


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    MAIL_MANAGER = "mail_manager", _("Mail manager")
    SUPPORT = "support", _("Support")
    BILLING = "billing", _("Billing")
    READ_ONLY = "read_only", _("Read only")


def roles():
    return Role.choices


class Member(TenantOwned):
    """A person's place in a tenant."""

    tenant_path = "tenant__path"

    uid = UidField()
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=roles)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role}) at {self.tenant}"


class Limits(models.Model):
    """What a tenant and all below it may have together. NULL: nothing of its own, only what those above it have."""

    domains = models.PositiveBigIntegerField(null=True)
    mailboxes = models.PositiveBigIntegerField(null=True)
    aliases = models.PositiveBigIntegerField(null=True)
    storage_mb = models.PositiveBigIntegerField(null=True)
    members = models.PositiveBigIntegerField(null=True)
    sub_tenants = models.PositiveBigIntegerField(null=True)
    messages_per_hour = models.PositiveBigIntegerField(null=True)
    messages_per_day = models.PositiveBigIntegerField(null=True)
    api_requests_per_minute = models.PositiveBigIntegerField(null=True)

    class Meta:
        abstract = True


class Plan(TenantOwned):
    """What a tenant sells to those below it. The limits stand in its versions: a change makes a new one, and who
    has bought an older one keeps that until moved. `live_name` is NULL once the plan is no longer sold."""

    tenant_path = "owner__path"

    uid = UidField()
    owner = models.ForeignKey(Tenant, models.PROTECT, related_name="plans")
    name = ExactCharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    retired_at = models.DateTimeField(null=True)
    live_name = models.GeneratedField(
        expression=Case(When(retired_at=None, then=F("name")), default=None),
        output_field=ExactCharField(max_length=120, null=True),
        db_persist=True,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "live_name"], name="plan_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def present(self) -> "PlanVersion":
        """The version that is sold."""
        return max(self.versions.all(), key=lambda version: version.number)


class PlanVersion(Limits, TenantOwned):
    """One state of a plan's limits, once written never changed. `features` names what it switches on."""

    tenant_path = "plan__owner__path"

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    features = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="plan_version_once")]

    def __str__(self) -> str:
        return f"{self.plan} (version {self.number})"


class Allowance(Limits, TenantOwned):
    """A tenant's page in the book of what is in use: its limits, as its plan's version grants them, and what it uses
    itself. What a tenant uses with all below it is the sum of an index range (`tenants.usage`).

    Written by `tenants.limits` alone; these rows are locked, never those of tenants, so that one change does not
    keep another of the same tenant waiting for longer than the counting takes.
    """

    tenant_path = "path"
    outlives_tenant = True

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="allowance")
    path = models.CharField(max_length=700, db_collation="ascii_bin")
    # A deleted tenant uses nothing of those above it; restoring it takes its part again.
    is_live = models.BooleanField(default=True)
    used_domains = models.BigIntegerField(default=0)
    used_mailboxes = models.BigIntegerField(default=0)
    used_aliases = models.BigIntegerField(default=0)
    used_storage_mb = models.BigIntegerField(default=0)
    used_members = models.BigIntegerField(default=0)
    used_sub_tenants = models.BigIntegerField(default=0)
    # What Dovecot counted, brought here by the clock.
    stored_bytes = models.BigIntegerField(default=0)
    stored_messages = models.BigIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(
                fields=[
                    "path",
                    "is_live",
                    "used_domains",
                    "used_mailboxes",
                    "used_aliases",
                    "used_storage_mb",
                    "used_members",
                    "used_sub_tenants",
                    "stored_bytes",
                    "stored_messages",
                ],
                name="allowance_of_subtree",
            )
        ]

    def __str__(self) -> str:
        return f"what {self.path} may use"


class SentMessages(TenantOwned):
    """How many messages a tenant itself sent on a day (UTC), once for each recipient. What it sent with all below it
    is the sum of one index range for each day.

    A day has a second row where Redis, which counts, had lost its memory and begun a new `run`. Written by
    `tenants.messages` alone.
    """

    tenant_path = "tenant__path"

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+")
    path = models.CharField(max_length=700, db_collation="ascii_bin")
    day = models.DateField()
    run = models.CharField(max_length=16, db_collation="ascii_bin")
    messages = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "tenant", "run"], name="sent_once")]
        indexes = [models.Index(fields=["day", "path", "messages"], name="sent_by_subtree")]

    def __str__(self) -> str:
        return f"{self.messages} sent on {self.day} by {self.path}"


class Brand(TenantOwned):
    """The name, the colours and the texts under which a tenant shows the panel to everybody below it."""

    tenant_path = "tenant__path"
    unrecorded = frozenset({"challenge", "revision", "host_checked_at"})

    uid = UidField()
    tenant = models.OneToOneField(Tenant, models.CASCADE, related_name="own_brand")
    name = models.CharField(max_length=60)
    # "#rrggbb", for the light and for the dark theme; `tenants.colours` has held them to their contrast.
    light = models.CharField(max_length=7, db_collation="ascii_bin")
    dark = models.CharField(max_length=7, db_collation="ascii_bin")
    support_email = models.CharField(max_length=254, default="", blank=True)
    sign_in_text = models.CharField(max_length=300, default="", blank=True)
    mail_footer = models.CharField(max_length=300, default="", blank=True)
    # Of the logo's bytes, "" without one: it stands in the logo's address.
    logo_version = models.CharField(max_length=32, default="", blank=True, db_collation="ascii_bin")
    host_name = ExactCharField(max_length=253, null=True)
    challenge = models.CharField(max_length=32, default="", blank=True, db_collation="ascii_bin")
    host_verified_at = models.DateTimeField(null=True)
    host_checked_at = models.DateTimeField(null=True)
    # When its proof was first found gone, while it is in use.
    host_lapsed_at = models.DateTimeField(null=True)
    # Two may name a host; one has shown that it is theirs.
    live_host = models.GeneratedField(
        expression=Case(When(host_verified_at__isnull=False, then=F("host_name")), default=None),
        output_field=ExactCharField(max_length=253, null=True),
        db_persist=True,
        unique=True,
    )
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class BrandLogo(TenantOwned):
    """A brand's picture, apart from it: every page reads the brand, and browsers keep the picture."""

    tenant_path = "brand__tenant__path"
    unrecorded = frozenset({"image"})

    brand = models.OneToOneField(Brand, models.CASCADE, primary_key=True, related_name="logo")
    # PNG, drawn by `tenants.logos`.
    image = models.BinaryField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"the logo of {self.brand_id}"
