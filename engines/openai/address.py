"""Where a server is, and the key to it: what users write, checked."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from steplabel.schemas import ConfigError

DEFAULT_PATH = "/v1"


def base_address(url: str) -> str:
    """The address below which the endpoints lie: `http://host:port` becomes `http://host:port/v1`.

    A path that is given is kept, without a slash or an endpoint's name at its end.

    Raises:
        ConfigError: no such address; one that holds a password or a query.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        port_is_number = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ConfigError(f"url {url!r} is no address: {error}") from error
    if parts.username is not None or parts.password is not None:
        # Not shown: configurations are saved and printed, and so would the password be.
        raise ConfigError("url holds a user name or password: put the key into the variable that api_key_env names")
    plain = url.isprintable() and not any(map(str.isspace, url))
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_number or not plain:
        raise ConfigError(f"url {url!r} must read http://host:port or https://host/path")
    if parts.query or parts.fragment:
        raise ConfigError(f"url {url!r} must end with the path, without ? or #")
    path = parts.path.rstrip("/")
    for endpoint in ("/chat/completions", "/completions"):
        path = path.removesuffix(endpoint)
    return f"{parts.scheme}://{parts.netloc}{path or DEFAULT_PATH}"


def api_key(variable: str) -> str:
    """The key in an environment variable; empty if it is not set.

    Raises:
        ConfigError: it holds what no header can.
    """
    key = os.environ.get(variable, "").strip() if variable else ""
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(f"the key in ${variable} holds characters that cannot be sent")
    return key
