"""What the operations of a process share besides the database."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

from blog_graphql.api.fan_out import FanOut
from blog_graphql.api.limits import Limits
from blog_graphql.api.quota import Quota
from blog_graphql.api.throttle import Throttle
from blog_graphql.security.passwords import Passwords
from blog_graphql.security.secret_key import SecretKeys, load_secret_keys
from blog_graphql.security.tokens import AccessTokens
from blog_graphql.settings import Settings


class Services:
    """Limits, throttles, passwords and tokens, made from the settings.

    Raises:
        StartupError: a server database needs a secret key, and there is none.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.limits = Limits.of(settings)
        self.fan_out = FanOut(settings)
        self.sockets = Quota("sockets", settings.max_sockets, settings.max_sockets_by_address)
        self.subscriptions = Quota(
            "subscriptions", settings.max_subscriptions, settings.max_subscriptions_by_address
        )
        self.throttle = Throttle(settings)
        self.passwords = Passwords(settings)
        if not settings.is_embedded:
            self.prepare()

    def prepare(self) -> None:
        """Have everything that may be missing, such as the secret key beside an SQLite file.

        Raises:
            StartupError: there is no secret key, and none can be made.
        """
        _ = self.tokens

    @cached_property
    def keys(self) -> SecretKeys:
        """What sessions are signed with; read, or made, when first used."""
        return load_secret_keys(self.settings)

    @cached_property
    def tokens(self) -> AccessTokens:
        """Issues and reads access tokens."""
        return AccessTokens(self.keys, timedelta(minutes=self.settings.access_token_minutes))
