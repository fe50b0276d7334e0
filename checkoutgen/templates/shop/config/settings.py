"""Settings. What differs between machines comes from the environment; .env.example lists every variable."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from babel import Locale
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.installed import LANGUAGES as LANGUAGE_CODES
from config.installed import LOCAL_APPS
from config.shop import SHOP

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var")  # database, collected files, development mailbox
VAR_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = os.environ.get("DEBUG") == "1"
DEVELOPMENT = DEBUG  # stays as it is while tests turn DEBUG off
SECRET_KEY = os.environ.get("SECRET_KEY") or ("development-only-" * 4 if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY to at least 50 random characters, or DEBUG=1 for development.")

# The address that buyers see. Links in mails and to payment providers are built on it, never on the Host header.
PUBLIC_URL = (os.environ.get("PUBLIC_URL") or ("http://127.0.0.1:8000" if DEBUG else SHOP["shop"]["url"])).rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")
_host = urlsplit(PUBLIC_URL).hostname or "localhost"
ALLOWED_HOSTS = [*filter(None, os.environ.get("ALLOWED_HOSTS", "").split(",")), _host]
if DEBUG:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]", "testserver"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = [
    "backoffice.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "common",
    *LOCAL_APPS,
    # The agency's own apps: every package in custom/ that has an apps.py.
    *sorted(f"custom.{apps.parent.name}" for apps in (BASE_DIR / "custom").glob("*/apps.py")),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "common.policy.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "cart.middleware.CartMiddleware",
    *(["common.middleware.OwnNotFoundMiddleware"] if DEBUG else []),
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "custom" / "templates", BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "common.folding.Loader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "common.templatetags.shop"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "common.context.shop",
            ],
        },
    }
]


def _database(url: str | None) -> dict:
    if not url:
        return {
            "ENGINE": "common.sqlite",
            "NAME": VAR_DIR / "shop.sqlite3",
            "TEST": {"NAME": VAR_DIR / "test.sqlite3"},  # a file: connections in memory share one lock and hide races
            "CONN_MAX_AGE": None,
            "ATOMIC_REQUESTS": False,
            "OPTIONS": {
                # A deferred transaction that turns into a writer fails at once instead of waiting.
                "transaction_mode": "IMMEDIATE",
                "timeout": 10,
                # FULL: an order that was confirmed to the buyer survives a power cut.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;"
                "PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864; PRAGMA foreign_keys=ON;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://; leave it out for SQLite.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


DATABASES = {"default": _database(os.environ.get("DATABASE_URL"))}
# Parts of pages, per process: each key names all that its part depends on (catalogue.views, includes/shop_footer.html).
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 1000}},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = SHOP["shop"]["timezone"]
USE_I18N = True
LANGUAGES = [(code, Locale.parse(code, sep="-").get_display_name().capitalize()) for code in LANGUAGE_CODES]
LANGUAGE_CODE = LANGUAGE_CODES[0]
LOCALE_PATHS = [BASE_DIR / "custom" / "locale", BASE_DIR / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [path for path in (BASE_DIR / "custom" / "static", BASE_DIR / "static") if path.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "common.storage.StaticStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

# Sessions serve signed-in customers and staff only: the cart of a guest has its own signed cookie (cart.session).
_prefix = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_prefix}session"
CSRF_COOKIE_NAME = f"{_prefix}csrf"
CART_COOKIE_NAME = f"{_prefix}cart"
MARKET_COOKIE_NAME = f"{_prefix}market"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # Lax: the return from a payment page is cross-site
SESSION_COOKIE_AGE = 14 * 24 * 3600
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
CSRF_FAILURE_VIEW = "common.views.csrf_failure"

SECURE_SSL_REDIRECT = HTTPS and not DEBUG
# A webhook over http is refused by its view, a redirect would only hide the mistake.
SECURE_REDIRECT_EXEMPT = [r"^webhooks/"]
SECURE_HSTS_SECONDS = 63072000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"  # order links carry a token, which must not reach other sites
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if os.environ.get("TRUST_PROXY") == "1":
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

_csp: dict[str, list] = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF, NONCE],
    "img-src": [SELF, "data:"],
    "form-action": [SELF],  # orders.views.leave takes buyers to the payment providers
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
CONTENT_SECURITY_POLICY = {"DIRECTIVES": _csp | ({"upgrade-insecure-requests": True} if HTTPS else {})}

# In a shop without accounts too: a database with orders cannot change its user model when accounts come later.
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
# The back office wants a code from the staff's telephones too. Development does without, unless it is set to 1.
BACK_OFFICE_SECOND_FACTOR = os.environ.get("BACK_OFFICE_SECOND_FACTOR", "0" if DEBUG else "1") == "1"
OTP_TOTP_ISSUER = SHOP["shop"]["name"]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "accounts:home"
LOGOUT_REDIRECT_URL = "catalogue:home"

EMAIL_BACKEND = os.environ.get("EMAIL_BACKEND") or (
    "mails.backends.MailboxBackend" if DEBUG else "django.core.mail.backends.smtp.EmailBackend"
)
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "587" if HTTPS else "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("EMAIL_USE_TLS", "1" if EMAIL_PORT == 587 else "0") == "1"
EMAIL_TIMEOUT = 20

# Seconds until a provider is first asked how an open payment stands; later it is asked less and less often.
PAYMENTS_CHECK_AFTER = int(os.environ.get("PAYMENTS_CHECK_AFTER", "120"))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "common.logs.PlainFormatter", "fmt": "{levelname} {name}: {message}", "style": "{"},
        "json": {"()": "common.logs.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain" if DEBUG else "json"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {
        name: {"handlers": ["console"], "propagate": False, "level": "INFO"} for name in ("django", "django.server")
    },
}
