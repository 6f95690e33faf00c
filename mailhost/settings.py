"""Every setting, from the environment. MAILHOST_ENV_FILE names a file that is read first (KEY=value lines)."""

import os
from datetime import datetime
from pathlib import Path

import environ
import structlog
from django.db.backends.mysql.base import django_conversions
from MySQLdb.constants import FIELD_TYPE

from mailhost.request_id import add_request_id

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
if env_file := os.environ.get("MAILHOST_ENV_FILE"):
    environ.Env.read_env(env_file)

# --- the installation ------------------------------------------------------------------------------------------

SECRET_KEY = env("MAILHOST_SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("MAILHOST_SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("MAILHOST_DEBUG", default=False)
MAILHOST_URL = env("MAILHOST_URL", default="http://127.0.0.1:8000")
MAILHOST_HOSTNAME = env("MAILHOST_HOSTNAME", default="mail.mailhost.example")
# The mail host's public addresses; where none is named, those that DNS shows of it.
MAILHOST_ADDRESSES = env.list("MAILHOST_ADDRESSES", default=[])
# A file with the certificate or public key (PEM) to which the mail host's changes next: its TLSA record comes first.
MAILHOST_TLS_NEXT_KEY = env("MAILHOST_TLS_NEXT_KEY", default="")
# Fernet keys; the first encrypts, all decrypt. DKIM private keys have keys of their own, so that the signer
# can be given these and nothing else.
MAILHOST_DKIM_KEYS = env.list("MAILHOST_DKIM_KEYS", default=[])
# Fernet keys as above, for credentials that the panel must use again, such as those of customers' name servers.
MAILHOST_VAULT_KEYS = env.list("MAILHOST_VAULT_KEYS", default=[])
# Further names of the installation's own (the panel's host, zones of the operator's) that no customer may claim.
MAILHOST_OWN_NAMES = env.list("MAILHOST_OWN_NAMES", default=[])
# How long a domain whose ownership record is gone goes on, and how long a contested name waits for its decision.
MAILHOST_PROOF_GRACE_DAYS = env.int("MAILHOST_PROOF_GRACE_DAYS", default=7)
# Whether the owner of a proven domain must agree before another tenant proves a name above or below it.
MAILHOST_CONSENT = env.list("MAILHOST_CONSENT", default=["above", "below"])
# Networks that are not public and may be told by webhooks all the same, e.g. 10.0.0.0/8; http:// is for these alone.
MAILHOST_WEBHOOK_NETWORKS = env.list("MAILHOST_WEBHOOK_NETWORKS", default=[])
# Where DNS checks ask, as address@port.
MAILHOST_NAMESERVERS = env.list("MAILHOST_NAMESERVERS", default=[])
# The port of authoritative servers, and networks whose name servers may be asked although they are not public ones:
# for a private name server, as in the demo.
MAILHOST_AUTHORITATIVE_PORT = env.int("MAILHOST_AUTHORITATIVE_PORT", default=53)
MAILHOST_DNS_NETWORKS = env.list("MAILHOST_DNS_NETWORKS", default=[])
# The port at which policies of MTA-STS are fetched: for a private web server, as in the demo.
MAILHOST_POLICY_PORT = env.int("MAILHOST_POLICY_PORT", default=443)
# Where the APIs of providers of DNS are.
MAILHOST_CLOUDFLARE_API = env("MAILHOST_CLOUDFLARE_API", default="https://api.cloudflare.com/client/v4")
MAILHOST_DIGITALOCEAN_API = env("MAILHOST_DIGITALOCEAN_API", default="https://api.digitalocean.com/v2")
# The operator's zone for customers' signing keys: their domains have aliases (CNAME) into it, and later keys need no
# act of theirs. It takes dynamic updates (RFC 2136) at `server`, address@port, signed by the key (TSIG).
MAILHOST_DKIM_ZONE = env("MAILHOST_DKIM_ZONE", default="").rstrip(".").lower()
MAILHOST_DKIM_ZONE_SERVER = env("MAILHOST_DKIM_ZONE_SERVER", default="127.0.0.1@53")
MAILHOST_DKIM_ZONE_KEY_NAME = env("MAILHOST_DKIM_ZONE_KEY_NAME", default="")
MAILHOST_DKIM_ZONE_KEY_ALGORITHM = env("MAILHOST_DKIM_ZONE_KEY_ALGORITHM", default="hmac-sha256")
MAILHOST_DKIM_ZONE_KEY_SECRET = env("MAILHOST_DKIM_ZONE_KEY_SECRET", default="")
# Whether the keys of new domains stand there ("cname") or in the domains themselves ("txt"); each may change it.
MAILHOST_DKIM_NEW_DOMAINS = env("MAILHOST_DKIM_NEW_DOMAINS", default="cname")
# Block lists that the DNS tools ask about an address.
MAILHOST_BLOCKLISTS = env.list(
    "MAILHOST_BLOCKLISTS", default=["zen.spamhaus.org", "bl.spamcop.net", "b.barracudacentral.org"]
)
# What customers' records point to; what is empty is not offered here, and no record asks for it.
MAILHOST_SPF_INCLUDE = env("MAILHOST_SPF_INCLUDE", default="")
MAILHOST_SETUP_HOST = env("MAILHOST_SETUP_HOST", default="")
MAILHOST_MTA_STS_MODE = env("MAILHOST_MTA_STS_MODE", default="")
MAILHOST_TLS_REPORTS = env("MAILHOST_TLS_REPORTS", default="")
MAILHOST_DMARC_REPORTS = env("MAILHOST_DMARC_REPORTS", default="")
MAILHOST_CAA_ISSUER = env("MAILHOST_CAA_ISSUER", default="")
# The mailbox that takes DMARC and TLS reports, read over IMAP; without a login none is read.
MAILHOST_REPORTS_LOGIN = env("MAILHOST_REPORTS_LOGIN", default="")
MAILHOST_REPORTS_PASSWORD = env("MAILHOST_REPORTS_PASSWORD", default="")
MAILHOST_REPORTS_IMAP_HOST = env("MAILHOST_REPORTS_IMAP_HOST", default=MAILHOST_HOSTNAME)
MAILHOST_REPORTS_IMAP_PORT = env.int("MAILHOST_REPORTS_IMAP_PORT", default=993)
# An authority beside the machine's own, for a certificate of a private one.
MAILHOST_REPORTS_CA_FILE = env("MAILHOST_REPORTS_CA_FILE", default="")
# What Apple's set-up profiles are signed with: the mail host's certificate, with its chain, and its key.
MAILHOST_PROFILE_CERT = env(
    "MAILHOST_PROFILE_CERT", default=env("MAILHOST_CONFIG_TLS_CERT_FILE", default="/etc/mailhost/tls/fullchain.pem")
)
MAILHOST_PROFILE_KEY = env(
    "MAILHOST_PROFILE_KEY", default=env("MAILHOST_CONFIG_TLS_KEY_FILE", default="/etc/mailhost/tls/privkey.pem")
)

# How long a removed domain can be restored, and a deleted tenant before it is purged.
MAILHOST_GRACE_DAYS = env.int("MAILHOST_GRACE_DAYS", default=30)

ALLOWED_HOSTS = env.list("MAILHOST_ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
HTTPS = MAILHOST_URL.startswith("https:")
# How many proxies of ours stand between the client and this process; each adds one entry to X-Forwarded-For.
MAILHOST_PROXIES = env.int("MAILHOST_PROXIES", default=0)

# --- apps ------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "heroicons",
    "csp",
    "mailhost",
    "mailhost.api",
    "longwork",
    "tenants",
    "audit",
    "accounts",
    "domains",
    "mailboxes",
    "dns",
    "mailconfig",
    "guard",
    "selfservice",
    "clientsetup",
    "reports",
    "webhooks",
    "billing",
    "health",
    # After ours, so that our templates stand in for theirs.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "mailhost.request_id.RequestIdMiddleware",
    "mailhost.proxies.ClientAddressMiddleware",
    "mailhost.hosts.HostMiddleware",
    "tenants.hosts.BrandHostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mailhost.web.language.LanguageMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.ActorMiddleware",
    "mailboxes.web.notices.ImportNotices",
    "mailhost.request_log.RequestLogMiddleware",
]

ROOT_URLCONF = "mailhost.urls"
WSGI_APPLICATION = "mailhost.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "mailhost" / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
            "builtins": ["mailhost.web.tags", "django.templatetags.i18n"],
        },
    }
]

FORM_RENDERER = "mailhost.web.forms.Renderer"
CSRF_FAILURE_VIEW = "mailhost.web.errors.stale_form"

# Tenant paths are ASCII, so 700 characters fit an index of InnoDB's many times over.
# MariaDB has no conditional unique constraints; accounts/migrations holds allauth's by generated columns.
SILENCED_SYSTEM_CHECKS = ["mysql.W003", "models.W036"]

# --- database --------------------------------------------------------------------------------------------------

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": env("MAILHOST_DATABASE_NAME", default="mailhost"),
        "USER": env("MAILHOST_DATABASE_USER", default="mailhost"),
        "PASSWORD": env("MAILHOST_DATABASE_PASSWORD", default=""),
        # Django takes a host that begins with a slash for a Unix socket.
        "HOST": env("MAILHOST_DATABASE_SOCKET", default="") or env("MAILHOST_DATABASE_HOST", default="127.0.0.1"),
        "PORT": env("MAILHOST_DATABASE_PORT", default=""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "connect_timeout": 2,
            # The driver takes ten times as long to read a time, and a page of a list has a hundred.
            "conv": {**django_conversions, FIELD_TYPE.DATETIME: datetime.fromisoformat},
            "init_command": (
                "SET sql_mode='STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
                # MySQL cuts what a group is put together to after 1,024 signs (mail_routes).
                "NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout=5, group_concat_max_len=1048576"
            ),
        },
        "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The daemons' own database users: `manage.py daemonusers` creates them, `manage.py mailconfig` writes them out.
DAEMON_DATABASE_USERS = {
    daemon: {
        "user": env(f"MAILHOST_{daemon.upper()}_DB_USER", default=f"mailhost_{daemon}"),
        "password": env(f"MAILHOST_{daemon.upper()}_DB_PASSWORD", default=""),
    }
    for daemon in ("postfix", "dovecot", "signer")
}

# --- background work -------------------------------------------------------------------------------------------

REDIS_URL = env("MAILHOST_REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "mailhost.cache.SteadyRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "serializer": "mailhost.cache.JsonSerializer",
            "socket_connect_timeout": 0.5,
            "socket_timeout": 2,
        },
    }
}

# --- people ----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "mailhost.hashers.Argon2idPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"

ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "reauthenticate": "accounts.forms.ConfirmForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# People come by invitation, which proves their address.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
PASSWORD_RESET_TIMEOUT = 60 * 60
# Guessed passwords are counted by accounts.attempts; these hold floods and guessed codes. Addresses are those that
# mailhost.proxies has set, so a header counts behind our own proxy only.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "30/m/ip,5/5m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "reset_password_from_key": "20/m/ip",
}
MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.CodeForm",
    "reauthenticate": "accounts.forms.ConfirmCodeForm",
    "activate_totp": "accounts.forms.ActivateAppForm",
    "add_webauthn": "accounts.forms.AddPasskeyForm",
    "edit_webauthn": "accounts.forms.RenamePasskeyForm",
}
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Mailhost"
# Clocks of phones differ: the codes before and after count too, each once (accounts.forms).
MFA_TOTP_TOLERANCE = 1
# Browsers themselves give passkeys to https and to http://localhost, and to nothing else.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
# Roles that must have a second factor in every tenant ("owner", "admin" …); a tenant may ask for more of its own.
MAILHOST_SECOND_FACTOR_ROLES = env.list("MAILHOST_SECOND_FACTOR_ROLES", default=[])

# Sessions live in the database, so that people stay signed in while Redis is away.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# The __Host- prefix is refused by browsers without TLS, and the demo has none.
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
CSRF_COOKIE_HTTPONLY = True

# --- mail of our own -------------------------------------------------------------------------------------------

# Invitations, password resets and notices go to Postfix where it takes mail from this machine (mailconfig: reinject).
EMAIL_HOST = env("MAILHOST_SMTP_HOST", default="127.0.0.1")
EMAIL_PORT = env.int("MAILHOST_SMTP_PORT", default=env.int("MAILHOST_CONFIG_REINJECT_PORT", default=10026))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env("MAILHOST_MAIL_FROM", default=f"Mailhost <no-reply@{MAILHOST_HOSTNAME}>")

# --- what browsers are told ------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS
# Asked by load balancers and monitors on this side of the proxy.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.bool("MAILHOST_BEHIND_PROXY", default=HTTPS):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}

# --- files, words, time ----------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = env("MAILHOST_STATIC_ROOT", default=str(BASE_DIR / "var" / "static"))
STATICFILES_DIRS = [BASE_DIR / "mailhost" / "web" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False
LANGUAGE_CODE = "en"
# Each by its own name. Catalogues stand in locale/; docs/languages.md says how texts are marked.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_COOKIE_NAME = "language"
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- API -------------------------------------------------------------------------------------------------------

# Requests in a minute; 0 is no limit.
MAILHOST_API_REQUESTS_PER_MINUTE_OF_KEY = env.int("MAILHOST_API_REQUESTS_PER_MINUTE_OF_KEY", default=1200)
MAILHOST_API_REQUESTS_PER_MINUTE_OF_TENANT = env.int("MAILHOST_API_REQUESTS_PER_MINUTE_OF_TENANT", default=6000)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api_keys.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["mailhost.api.permissions.HasActor"],
    "DEFAULT_RENDERER_CLASSES": ["mailhost.api.rendering.Renderer"],
    "DEFAULT_PARSER_CLASSES": ["mailhost.api.parsers.StrictJSONParser"],
    "EXCEPTION_HANDLER": "mailhost.api.errors.problem",
    "DEFAULT_SCHEMA_CLASS": "mailhost.api.schema.EndpointSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Mailhost",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+",
    # A change is a shape of its own, not another shape with nothing required.
    "COMPONENT_SPLIT_PATCH": False,
    # Choices stand where they belong, not as components named after each other.
    "POSTPROCESSING_HOOKS": [
        "mailhost.api.schema.without_marks",
        "mailhost.api.examples.with_examples",
        "mailhost.api.headers.with_headers",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# --- logs ------------------------------------------------------------------------------------------------------

# The id is checked and, where it has to be, replaced before django-structlog reads it.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
_shared_processors = [
    structlog.contextvars.merge_contextvars,
    add_request_id,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
structlog.configure(
    processors=[*_shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer(),
            "foreign_pre_chain": _shared_processors,
        }
    },
    "filters": {"without_tokens": {"()": "mailhost.request_log.WithoutTokens"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["without_tokens"]},
    },
    "root": {"handlers": ["stderr"], "level": env("MAILHOST_LOG_LEVEL", default="INFO")},
}
