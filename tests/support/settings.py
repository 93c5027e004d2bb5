"""Settings for the tests: a small pool, no demo blog, passwords as cheap as Argon2 gets."""

from __future__ import annotations

from typing import Any

from blog_graphql.settings import Settings, load_settings

SECRET_KEY = "a secret key that only the tests have"


def settings_for(database_url: str, **changes: Any) -> Settings:
    """Settings for a database, whatever the environment says."""
    values: dict[str, Any] = {
        "demo": False,
        "pool_size": 2,
        "pool_max_overflow": 2,
        "secret_key": SECRET_KEY,
        "argon2_time_cost": 1,
        "argon2_memory_kib": 8,
        "login_rate_limit": "1000/minute",
        # For tests that send hundreds of operations at once to a busy machine.
        "operation_timeout": 60,
    }
    return load_settings(_env_file=None, database_url=database_url, **(values | changes))
