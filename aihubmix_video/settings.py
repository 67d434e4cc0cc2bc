"""The session's options, checked once and frozen."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, get_args
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import attrs

from aihubmix_video.capabilities import BUILT_IN, CapabilitySet, Validate, load
from aihubmix_video.capabilities.field_rules import is_number
from aihubmix_video.errors import ConfigurationError, shown
from aihubmix_video.references.addresses import is_loopback, is_never_contacted

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Secret", "Settings", "proxy_for", "settings_from"]

DEFAULT_BASE_URL = "https://aihubmix.com"
KEY_VARIABLE = "AIHUBMIX_API_KEY"
URL_VARIABLE = "AIHUBMIX_BASE_URL"

MAX_RATE = 1000.0  # requests per second; far above what the gateway is known to accept
MAX_BURST = 1000
MAX_IN_FLIGHT = 1_000_000
MAX_DOWNLOADS = 256
MAX_SECONDS = 30 * 86400.0  # of an interval or a deadline: no gateway keeps a video for longer
MAX_PORT = 65535


class Secret:
    """The API key: only `reveal` shows it; no repr, format, copy or pickle does."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself, for the one header it belongs in."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('…')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is not pickled")


@attrs.frozen(kw_only=True)
class Settings:
    """What a session was opened with; see `VideoSession` for the meaning of each option."""

    api_key: Secret
    base_url: str
    rate: float = 10.0
    burst: int = 1
    poll_interval: float = 15.0
    max_in_flight: int = 1000
    max_downloads: int = 8
    deadline: float = 1800.0
    shared_rate: str | None = attrs.field(default=None, repr=False)  # may hold credentials
    fallback_share: float = 0.1
    validate: Validate = "known"
    capabilities: CapabilitySet = attrs.field(default=BUILT_IN, repr=False)
    proxy: str | None = attrs.field(default=None, repr=False)  # may hold credentials

    @property
    def origin_is_local(self) -> bool:
        """Whether the gateway is on this machine, as the sandbox is."""
        return is_loopback(urlsplit(self.base_url).hostname or "")


def settings_from(
    *,
    api_key: str | None,
    base_url: str | None,
    trust_env: bool,
    environ: Mapping[str, str] | None = None,
    **options: object,
) -> Settings:
    """Check the options of a session and return them.

    Args:
        api_key: The key, or None for ``$AIHUBMIX_API_KEY``.
        base_url: The gateway, or None for ``$AIHUBMIX_BASE_URL``, or else the public one.
        trust_env: Whether the proxy variables are used.
        environ: The environment; None for that of the process.
        **options: The fields of `Settings` that are numbers and words.

    Raises:
        ConfigurationError: The first option that cannot be used; it names what is allowed.
    """
    env = os.environ if environ is None else environ
    url = _base_url(base_url or env.get(URL_VARIABLE) or DEFAULT_BASE_URL)
    _check_certificates(env)
    key = Secret(_key(api_key, env))
    rate, shared_rate = _rate(options["rate"], options.get("rate_limit"))
    return Settings(
        api_key=key,
        base_url=url,
        proxy=proxy_for(url) if trust_env else None,
        rate=rate,
        shared_rate=shared_rate,
        fallback_share=_number("fallback_share", options.get("fallback_share", 0.1), 1.0, "a share of the rate"),
        burst=_count("burst", options["burst"], MAX_BURST),
        poll_interval=_number("poll_interval", options["poll_interval"], MAX_SECONDS, "seconds"),
        max_in_flight=_count("max_in_flight", options["max_in_flight"], MAX_IN_FLIGHT),
        max_downloads=_count("max_downloads", options["max_downloads"], MAX_DOWNLOADS),
        deadline=_number("deadline", options["deadline"], MAX_SECONDS, "seconds"),
        validate=_validate(options["validate"]),
        capabilities=_capabilities(options.get("capabilities")),
    )


def _rate(rate: object, rate_limit: object) -> tuple[float, str | None]:
    """Return the rate, and the place where it is shared; a `rate_limit` that is a number is the rate."""
    if isinstance(rate_limit, (str, os.PathLike)):
        place = os.fspath(rate_limit)
        if not isinstance(place, str) or not place or "\0" in place:
            raise ConfigurationError("rate_limit: give a number, the path of a file, or redis://host:6379/0.")
        return _number("rate", rate, MAX_RATE, "requests per second"), place
    if rate_limit is not None:
        return _number("rate_limit", rate_limit, MAX_RATE, "requests per second"), None
    return _number("rate", rate, MAX_RATE, "requests per second"), None


def _number(name: str, value: object, largest: float, unit: str) -> float:
    if not (is_number(value) and 0 < value <= largest):
        raise ConfigurationError(f"{name}={shown(value)}: give {unit} as a number above 0 and up to {largest:g}.")
    return float(value)


def _count(name: str, value: object, largest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
        raise ConfigurationError(f"{name}={shown(value)}: give a whole number from 1 to {largest}.")
    return value


def _validate(value: object) -> Validate:
    for allowed in get_args(Validate):
        if value == allowed:
            return allowed  # type: ignore[no-any-return]
    raise ConfigurationError(f'validate={shown(value)}: give "known", "strict" or "off".')


def _capabilities(value: object) -> CapabilitySet:
    if value is None:
        return BUILT_IN
    if isinstance(value, (str, os.PathLike)):
        return load(value)
    if isinstance(value, CapabilitySet):
        return value
    raise ConfigurationError(f"capabilities={shown(value)}: give a CapabilitySet, or the path of a file of tables.")


# The key. Its value is never shown, not even in part: messages end in logs and screenshots.

KEY_FAULTS = (
    (re.compile(r"\s*"), "is empty"),
    (re.compile(r"AIHUBMIX_API_KEY|\$.*|<.*>"), "is a placeholder, not a key"),
    (re.compile(r"""(['"]).*\1"""), "has quotes around it; remove them"),
    (re.compile(r"(?i)bearer\s.*"), "begins with 'Bearer'; give the key alone"),
    (re.compile(r".*\s.*", re.DOTALL), "has a space or a line break in it"),
    (re.compile(r".*[^!-~].*"), "has a character that no key has; was it pasted from a formatted text?"),
)


def _key(given: str | None, env: Mapping[str, str]) -> str:
    key = given if given is not None else env.get(KEY_VARIABLE)
    where = "api_key" if given is not None else f"${KEY_VARIABLE}"
    if key is None:
        raise ConfigurationError(f"No API key: set {KEY_VARIABLE}, or pass api_key.")
    if not isinstance(key, str):
        raise ConfigurationError(f"{where} must be a string, not {type(key).__name__}.")
    key = key.rstrip("\r\n")  # what `cat key.txt` and editors leave at the end
    for pattern, fault in KEY_FAULTS:
        if pattern.fullmatch(key):
            raise ConfigurationError(f"{where} {fault}.")
    return key


# The base URL.


def _base_url(text: str) -> str:
    """Return scheme, host, port and path prefix, without a trailing slash or ``/v1``."""

    def wrong(why: str) -> ConfigurationError:
        return ConfigurationError(f"base_url={shown(text)}: {why}, such as {DEFAULT_BASE_URL}.")

    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigurationError(f"base_url: give a plain ASCII URL, such as {DEFAULT_BASE_URL}.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong("its host or port cannot be read; give a URL") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("base_url has credentials in it; pass the key as api_key and give the plain URL.")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise wrong("give a full URL with https:// and a host")
    try:
        parts.hostname.encode("ascii").decode("idna")
    except UnicodeError:
        raise wrong("its host is not a name that can be looked up; give a URL") from None
    if "v1" in _prefix(parts).lower().split("/"):
        raise wrong("give the address up to the host, without what follows /v1")
    if parts.query or parts.fragment or port == 0:
        raise wrong("a query, a fragment or port 0 cannot be used; give a plain URL")
    if is_never_contacted(parts.hostname):
        raise wrong("a link-local address or a cloud metadata service is never contacted; give the gateway's URL")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise wrong("plain http would show the key to the network; give an https URL")
    return f"{parts.scheme}://{parts.netloc.lower()}{_prefix(parts)}"


def _prefix(parts: SplitResult) -> str:
    path = parts.path.rstrip("/")
    while path.endswith("/v1"):
        path = path.removesuffix("/v1").rstrip("/")
    return path


# The environment.


def _check_certificates(env: Mapping[str, str]) -> None:
    """Refuse a certificate file that does not exist; the TLS library would trust no server and not say why."""
    for variable, exists in (("SSL_CERT_FILE", Path.is_file), ("SSL_CERT_DIR", Path.is_dir)):
        if (path := env.get(variable)) and not exists(Path(path)):
            raise ConfigurationError(f"${variable} names {path!r}, which does not exist.")


def proxy_for(base_url: str) -> str | None:
    """Return the proxy for the gateway that the system and the environment name (`urllib.request.getproxies`)."""
    parts = urlsplit(base_url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or not parts.hostname or is_loopback(parts.hostname) or proxy_bypass(parts.hostname):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        split = urlsplit(proxy)
        _ = split.port
    except ValueError:
        raise ConfigurationError("the proxy variable for the base URL cannot be read as a URL.") from None
    if split.scheme not in {"http", "https"} or not split.hostname:
        raise ConfigurationError(f"{split.scheme} proxies are not supported; give an http:// proxy.")
    return proxy
