"""The one settings module. Every value comes from the environment; `.env.example` explains each.

Beside a platform that ``manage.py up`` runs, the environment needs nothing: what is not set is read from
``<data folder>/secrets.env`` and ``runtime.env``, which the launcher writes.
"""

import os
import re
from datetime import timedelta
from pathlib import Path

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy

from core.observability.logs import is_unforeseen

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("GAMEPLATFORM_DATA") or BASE_DIR / "var").resolve()

env = environ.Env()
for env_file in (BASE_DIR / ".env", DATA_DIR / "secrets.env", DATA_DIR / "runtime.env"):
    if env_file.is_file():
        env.read_env(env_file, overwrite=False)
    # Set to nothing is not set: a copy of `.env.example` must not hide what the launcher has made.
    for made in (
        *("SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEYS", "SEAL_KEYS"),
        *("DATABASE_URL", "REDIS_URL", "DEFAULT_SYMBOL_GAME_ROOM", "PLATFORM_URL"),
    ):
        if os.environ.get(made) == "":
            del os.environ[made]


def secret(name: str, default: str) -> str:
    """A secret from the file that NAME_FILE points to, or from NAME. An empty file is an operator's mistake."""
    path = env.str(f"{name}_FILE", default="")
    if not path:
        return str(env.str(name, default=default))
    try:
        content = Path(path).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}") from None
    if not content:
        raise ImproperlyConfigured(f"{name}_FILE names an empty file: {path}")
    return content


# --- What is being run -------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
# Where commands that play over HTTP find the platform.
PLATFORM_URL = env.str("PLATFORM_URL", default="http://127.0.0.1:8000")
# HS256 wants a key as long as its digest (RFC 7518, section 3.2).
SIGNING_KEY_LENGTH_MIN = 32
DEVELOPMENT_SECRET = "development-only-secret-never-use-in-production"
SECRET_KEY = secret("SECRET_KEY", default=DEVELOPMENT_SECRET)
JWT_SIGNING_KEY = secret("JWT_SIGNING_KEY", default=f"jwt:{SECRET_KEY}")
FIELD_ENCRYPTION_KEYS = secret("FIELD_ENCRYPTION_KEYS", default=f"field:{SECRET_KEY}").split(",")
SEAL_KEYS = secret("SEAL_KEYS", default=f"seal:{SECRET_KEY}").split(",")
LOCAL_HOSTS = frozenset({"localhost", ".localhost", "127.0.0.1", "[::1]"})
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
WEBSOCKET_ORIGINS = env.list("WEBSOCKET_ORIGINS", default=[])
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

if not DEBUG and SECRET_KEY == DEVELOPMENT_SECRET:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Set it to a long random text (or SECRET_KEY_FILE to a file that holds one), start the"
        " platform with ./bin/up, which makes its own, or set DEBUG=true on a development machine."
    )
if not DEBUG and len(JWT_SIGNING_KEY) < SIGNING_KEY_LENGTH_MIN:
    raise ImproperlyConfigured(f"JWT_SIGNING_KEY must have {SIGNING_KEY_LENGTH_MIN} characters or more.")
if not DEBUG and "*" in {*ALLOWED_HOSTS, *WEBSOCKET_ORIGINS}:
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS and WEBSOCKET_ORIGINS must name hosts: '*' would let any page in and any name stand in links."
    )
if DEBUG and not LOCAL_HOSTS.issuperset(ALLOWED_HOSTS):
    raise ImproperlyConfigured(
        "DEBUG shows settings and source to whoever meets an error: it is for a platform that only this machine"
        " reaches. Unset DEBUG, or take the other names out of ALLOWED_HOSTS."
    )

# --- Django ------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # Before the theme, whose templates and site it fits to the platform.
    "backoffice",
    "gameplatform.operations",
    "unfold.apps.BasicAppConfig",
    "backoffice.apps.PlatformAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "backoffice.apps.SignInsConfig",
    "core",
    "accounts",
    "gameplatform.launcher",
    "gameplatform.demo",
    "webhooks",
    "payments",
    "rounds",
    "chat",
    "rooms",
]

MIDDLEWARE = [
    "core.observability.request_id.RequestIdMiddleware",
    "gameplatform.operations.metrics.ProbesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "backoffice.middleware.record_client_address",
    "backoffice.middleware.content_security_policy",
    "backoffice.middleware.localize",
    "backoffice.middleware.UnavailablePageMiddleware",
    # Last: it turns what the login answers to somebody locked out into the page that says so.
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "gameplatform.urls"
WSGI_APPLICATION = "gameplatform.wsgi.application"
ASGI_APPLICATION = "gameplatform.asgi.application"
# Every API route takes an optional trailing slash in its own pattern: a redirect would lose a POST body.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- PostgreSQL and the Redis-compatible server ------------------------------------------------------------------

DATABASES = {"default": env.db_url_config(secret("DATABASE_URL", default="postgres://localhost/gameplatform"))}
if "postgresql" not in DATABASES["default"]["ENGINE"]:
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database: its row locks hold the money rules.")
# libpq's way to name the folder of a Unix socket (?host=/folder&port=5432) is put where Django's own commands look.
for _part in DATABASES["default"].get("OPTIONS", {}).keys() & {"host", "port"}:
    DATABASES["default"][_part.upper()] = DATABASES["default"]["OPTIONS"].pop(_part)
DATABASES["default"] |= {
    # Request threads live long and keep their connection; a broken one is dropped after the request that met it.
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE_SECONDS", default=600),
    "CONN_HEALTH_CHECKS": True,
    "DISABLE_SERVER_SIDE_CURSORS": True,
    # A host that does not answer must not hold a thread for minutes.
    "OPTIONS": {"connect_timeout": 5, **DATABASES["default"].get("OPTIONS", {})},
    "TEST": {"NAME": env.str("TEST_DATABASE_NAME", default=None)},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = secret("REDIS_URL", default="redis://localhost:6379/0")

# --- Celery: hints only; correctness stands in the database ------------------------------------------------------


def broker_url(redis_url: str) -> str:
    """The same server in kombu's words, which differ from redis-py's for a Unix socket and for a database behind it."""
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60, "socket_timeout": 10, "socket_connect_timeout": 5}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    # A tick that waited longer than its period is worthless: the next one does its work.
    "rooms-advance": {"task": "rooms.tasks.advance", "schedule": 1.0, "options": {"expires": 1.0}},
    "pots-advance": {"task": "payments.tasks.advance", "schedule": 1.0, "options": {"expires": 1.0}},
    "webhooks-advance": {"task": "webhooks.tasks.advance", "schedule": 1.0, "options": {"expires": 1.0}},
    "ledger-seal": {"task": "payments.tasks.seal_ledger", "schedule": 60.0, "options": {"expires": 60.0}},
    # A long list as a file: written in a thread of the worker, one at a time.
    "exports-advance": {
        "task": "backoffice.tasks.advance_exports",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    # By the hour of the day and not by an interval, which would begin anew with each start of beat.
    "prune": {"task": "gameplatform.operations.tasks.prune", "schedule": crontab(hour="4", minute="10")},
    "ledger-reconcile": {"task": "rooms.tasks.reconcile", "schedule": 3600.0, "options": {"expires": 3600.0}},
}

# --- Time, language, files ---------------------------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
CLOCK_SOURCE = env.str("CLOCK_SOURCE", default="database")
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = ["gameplatform.formats"]
LANGUAGES = [("en", "English"), ("vi", "Tiếng Việt")]
# Our own words, and those of libraries that the pages show and that lack Vietnamese.
LOCALE_PATHS = [BASE_DIR / "gameplatform" / folder for folder in ("locale", "locale_of_libraries")]
STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default="") or str(DATA_DIR / "static")
WHITENOISE_USE_FINDERS = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# A request body that leaves stray numbers of fields is an attack, not a form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# --- Who is asking -----------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "core.security.hashing.Argon2PasswordHasher",
    "core.security.hashing.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ISSUER": "gameplatform",
    "UPDATE_LAST_LOGIN": False,
}
# A code of the authenticator app gives staff its rights over the API for so long.
STEP_UP_SECONDS = env.int("STEP_UP_SECONDS", default=300)
# A refresh token that comes again so soon gets the same successor: a lost answer and a second tab sign nobody out.
REFRESH_REPEAT_SECONDS = env.int("REFRESH_REPEAT_SECONDS", default=10)
# A regular expression that new wallet addresses must match as a whole, besides [A-Za-z0-9:._-]{3,128}.
WALLET_ADDRESS_PATTERN = re.compile(env.str("WALLET_ADDRESS_PATTERN", default=".*"))
# Sign-ins at games (GameFuse): so long after the last use, and so long in all.
GAME_TOKEN_IDLE_DAYS = env.int("GAME_TOKEN_IDLE_DAYS", default=30)
GAME_TOKEN_DAYS = env.int("GAME_TOKEN_DAYS", default=180)
# Guessing passwords: so many wrong ones for a name from one address lock that pair out, of the back-office and of the
# API's sign-in together, for so long. By name and address: nobody can lock a colleague out from elsewhere.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_ENABLED = True
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURES_MAX", default=10)
AXES_COOLOFF_TIME = timedelta(seconds=env.int("LOGIN_LOCKOUT_SECONDS", default=900))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# Who goes on trying while locked out does not prolong it, and writes nothing.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "accounts.login_guard.address_of"
AXES_USERNAME_CALLABLE = "accounts.login_guard.name_of"
AXES_LOCKOUT_CALLABLE = "accounts.pages.signing_in.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code", "again_password", "again_code", "csrfmiddlewaretoken"]
AXES_VERBOSE = False
# Its pages come in the back-office's own look.
AXES_ENABLE_ADMIN = False
# Staff without a second factor is led to set one up and can do nothing else before.
STAFF_TOTP_REQUIRED = env.bool("STAFF_TOTP_REQUIRED", default=False)
# Acts that move money ask for the password again when it was last given longer ago than this; 0: never.
MONEY_REAUTHENTICATION_SECONDS = env.int("MONEY_REAUTHENTICATION_SECONDS", default=600)
# Only the back-office has sessions; they end this long after the last page.
SESSION_COOKIE_AGE = env.int("BACKOFFICE_SESSION_SECONDS", default=3600)
SESSION_SAVE_EVERY_REQUEST = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=not DEBUG)

# --- HTTPS -------------------------------------------------------------------------------------------------------

# One switch for a platform on the internet; the loopback address of `./bin/up` has no certificate.
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=False)
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY and env.bool("HSTS_INCLUDE_SUBDOMAINS", default=True)
if TRUSTED_PROXY_COUNT > 0:
    # Our own proxy overwrites the header; without one, any caller could claim that it came by TLS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Preloading is a promise about a whole domain, made by its owner at its apex.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

UNFOLD = {
    "SITE_TITLE": "gameplatform",
    "SITE_HEADER": "gameplatform",
    "SITE_SUBHEADER": gettext_lazy("Back-office"),
    "SITE_SYMBOL": "casino",
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {"action": "gameplatform.operations.site.language_link"},
    "ACCOUNT": {"navigation": "gameplatform.operations.site.account_links"},
    "BORDER_RADIUS": "6px",
    "STYLES": ["gameplatform.operations.site.stylesheet"],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "gameplatform.operations.site.favicon"}],
    "DASHBOARD_CALLBACK": "gameplatform.operations.dashboard.dashboard",
    "SIDEBAR": {"show_search": True, "navigation": "gameplatform.operations.navigation.navigation"},
}

REST_FRAMEWORK = {
    # Each contract sets its own renderer, parser, authentication and error shape (core.wire); a view that
    # forgets to is closed to everybody.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.wire.strict_json.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "core.wire.declared.DeclaredSchema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "gameplatform",
    "VERSION": "1",
    "DESCRIPTION": (
        "Game rooms with timed sessions, entry fees and prizes, and the wallets behind them.\n\n"
        "A success is `{message, data?, pagination?}`, a refusal `{statusCode, message, error}`. Every route takes an"
        " optional trailing slash. Amounts are whole tokens with at most two decimals, as a number or as a text: each"
        " endpoint says which. POSTs that move money take an `Idempotency-Key`."
    ),
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": r"/api/v[0-9]+",
    "PREPROCESSING_HOOKS": ["core.wire.openapi.declared_operations"],
    # Enumerations stay where they are used: as components they would be named by a hash of their values.
    "POSTPROCESSING_HOOKS": [],
    "TAGS": [
        {"name": "auth", "description": "Signing in, and the signed-in user."},
        {"name": "games", "description": "The catalogue, open to everybody."},
        {"name": "rooms", "description": "Masters make rooms, everybody looks at them."},
        {"name": "participation", "description": "Joining a session, leaving it, and who took part."},
        {"name": "sessions", "description": "A session's terms, its results and the proof of its draw."},
        {"name": "wallet", "description": "What a player owns, and staff adjustments."},
        {
            "name": "webhooks",
            "description": "Where an API client (by a key of the scope `webhooks`) or a master is told of its events.",
        },
        {"name": "chat rooms", "description": "Rooms of a tenant and their participants (ChatAPI)."},
        {"name": "chat messages", "description": "Messages, threads and search; live ones come by `/ws/{room_id}`."},
        {"name": "chat moderation", "description": "Mutes, bans and kicks, by the tenant, moderators and owners."},
        {
            "name": "pots",
            "description": "For PLYR's clients: rooms that players pay into and earn from. A POST is a task.",
        },
        {"name": "pot players", "description": "For PLYR's clients: players' sessions, allowances and balances."},
        {
            "name": "GameFuse v3",
            "description": "For GameFuse's client libraries: parameters in the query, as JSON or as a form; an error is"
            " one sentence of text.",
        },
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    # The pages' scripts come from this server: the documentation works without the internet.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # How well the routes are described says nothing about whether a server may go on the internet.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    # On a public host Swagger UI would show the document's address to its makers' validator.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
}

# --- How often ---------------------------------------------------------------------------------------------------

RATE_LIMITS_ENABLED = env.bool("RATE_LIMITS_ENABLED", default=True)
# Times per s, m, h or d. A scope limits a user; its `_ip` limits an address, which many users may share.
RATE_LIMITS = {
    scope: env.str(f"RATE_LIMIT_{scope.upper()}", default=rate)
    for scope, rate in {
        "reads": "600/m",
        "reads_ip": "60000/m",
        "writes": "300/m",
        "writes_ip": "30000/m",
        "joins": "60/m",
        "joins_ip": "12000/m",
        # Every password costs a hash: below the five a second that one process can do.
        "auth": "20/m",
        "auth_ip": "120/m",
        # A tenant's server speaks for all its users, with one key and from one address.
        "chat": "12000/m",
        "chat_ip": "60000/m",
        # Looking up a receiver's name may keep a thread for two seconds.
        "webhooks": "30/m",
        "webhooks_ip": "300/m",
        "servers": "12000/m",
        "servers_ip": "60000/m",
    }.items()
}

# --- Money -------------------------------------------------------------------------------------------------------

# Decimal text in whole tokens, a sum of 24 hours; empty: one person may adjust any amount.
ADJUSTMENT_APPROVAL_ABOVE = env.str("ADJUSTMENT_APPROVAL_ABOVE", default="10000")

# --- Exports and retention ---------------------------------------------------------------------------------------

# A list of at most so many rows is sent at once; a longer one is written by a worker.
EXPORT_ROWS_AT_ONCE = env.int("EXPORT_ROWS_AT_ONCE", default=10_000)
EXPORT_DIR = env.str("EXPORT_DIR", default="") or str(DATA_DIR / "exports")
EXPORT_KEEP_DAYS = env.int("EXPORT_KEEP_DAYS", default=7)
# Days that `prune` leaves chat messages; 0: for ever.
CHAT_MESSAGES_KEEP_DAYS = env.int("CHAT_MESSAGES_KEEP_DAYS", default=0)

# --- Rooms -------------------------------------------------------------------------------------------------------

DEFAULT_SYMBOL_GAME_ROOM = env.str("DEFAULT_SYMBOL_GAME_ROOM", default="")
ROOM_TOKEN_SYMBOL = env.str("ROOM_TOKEN_SYMBOL", default="GOLD")
# Decimal text in whole tokens: money settings are never floats.
ROOM_MAX_PARTICIPATION_AMOUNT = env.str("ROOM_MAX_PARTICIPATION_AMOUNT", default="100")
ROOM_MAX_PARTICIPANTS = env.int("ROOM_MAX_PARTICIPANTS", default=100)
ROOM_JOIN_WINDOW_SECONDS = env.int("ROOM_JOIN_WINDOW_SECONDS", default=180)
ROOM_RUN_SECONDS = env.int("ROOM_RUN_SECONDS", default=60)
ROOM_GAP_SECONDS = env.int("ROOM_GAP_SECONDS", default=10)

# --- Logging: one line per event on stderr; request bodies, tokens and keys are never logged ----------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="line")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "core.observability.logs.LineFormatter"},
        "json": {"()": "core.observability.logs.JSONFormatter"},
    },
    "filters": {"unforeseen": {"()": "django.utils.log.CallbackFilter", "callback": is_unforeseen}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # A 4xx is the caller's business and the access log's, not an alarm.
        "django.request": {"level": "ERROR", "filters": ["unforeseen"]},
        "httpx": {"level": "WARNING"},
        # Its other lines say for each login that a login took place.
        "axes": {"level": "WARNING"},
        # Two lines for each of the ticks of every second would bury the rest.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}

# --- Watching ----------------------------------------------------------------------------------------------------

# Whoever scrapes /metrics sends it as a bearer token; without one there is no /metrics.
METRICS_TOKEN = secret("METRICS_TOKEN", default="")
# Where the worker, which has no web server, answers the same question; 0 is nowhere.
WORKER_METRICS_PORT = env.int("WORKER_METRICS_PORT", default=0)

# Errors to Sentry and traces to an OpenTelemetry collector (core.observability.telemetry); empty is nowhere.
SENTRY_DSN = secret("SENTRY_DSN", default="")
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", default="production")
SENTRY_RELEASE = env.str("SENTRY_RELEASE", default="")
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")

# --- Pots --------------------------------------------------------------------------------------------------------

# Basis points (1/100 %) of each earning that go to the house, rounded down.
POT_HOUSE_FEE_BP = env.int("POT_HOUSE_FEE_BP", default=0)
if not 0 <= POT_HOUSE_FEE_BP <= 10_000:
    raise ImproperlyConfigured("POT_HOUSE_FEE_BP must be from 0 to 10000 basis points.")

# --- Outgoing webhooks -------------------------------------------------------------------------------------------

WEBHOOKS_PORTS = [int(port) for port in env.list("WEBHOOKS_PORTS", default=["443", "8443"])]
# Takes the guard away that keeps requests out of this network: whoever makes an endpoint could reach the database.
WEBHOOKS_ALLOW_PRIVATE = env.bool("WEBHOOKS_ALLOW_PRIVATE", default=False)
if WEBHOOKS_ALLOW_PRIVATE and not DEBUG:
    raise ImproperlyConfigured("WEBHOOKS_ALLOW_PRIVATE is for development: it works with DEBUG only.")

# --- Rounds ------------------------------------------------------------------------------------------------------

# Routes that make and delete throw-away games, for the test suites of GameFuse client libraries; never in production.
GAMEFUSE_TEST_SUITE = env.bool("GAMEFUSE_TEST_SUITE", default=False)
