"""``deactivateInactiveUsers``."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from blog_graphql.db.database import Database
from blog_graphql.db.models import UserRole
from tests.api.accounts.accounts import Accounts
from tests.support.backends import only_postgresql
from tests.support.blog import NOW
from tests.support.clock import Clock
from tests.support.statements import recorded_statements

LONG_AGO = NOW - timedelta(days=30, microseconds=1)


async def test_who_has_not_signed_in_for_some_time(accounts: Accounts, database: Database) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    inactive = await accounts.user("inactive", last_login_at=LONG_AGO)
    idle_admin = await accounts.user("idle", role=UserRole.ADMIN, last_login_at=LONG_AGO)
    others = [
        await accounts.user("recent", last_login_at=NOW - timedelta(days=30)),
        await accounts.user("never"),
        await accounts.user("gone", last_login_at=LONG_AGO, is_active=False),
    ]
    before = {row.id: row for row in (await accounts.rows())["users"]}
    with recorded_statements(database) as statements:
        payload = await accounts.send("deactivateInactiveUsers", ada.access, inactiveForDays=30)
    assert payload == {"deactivatedCount": 2, "errors": []}
    # Who asks, the admins, and one for all users.
    assert [one.split()[0] for one in statements] == ["SELECT", "SELECT", "UPDATE"]
    after = {row.id: row for row in (await accounts.rows())["users"]}
    for key in (inactive, idle_admin):
        changed = {"is_active": False, "updated_at": NOW}
        assert after[key]._asdict() == before[key]._asdict() | changed
    for key in (*others, ada.key):
        assert after[key] == before[key]


async def test_their_sessions_stop_at_once(accounts: Accounts, clock: Clock) -> None:
    ann = await accounts.member("ann")
    clock.advance(days=2)
    ada = await accounts.member("ada", UserRole.ADMIN)
    going_on = await accounts.refresh(ann.refresh)
    payload = await accounts.send("deactivateInactiveUsers", ada.access, inactiveForDays=1)
    assert payload == {"deactivatedCount": 1, "errors": []}
    assert await accounts.viewer(going_on.access) == "UNAUTHENTICATED"


async def test_never_oneself(accounts: Accounts, clock: Clock) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    clock.advance(days=20)
    tokens = await accounts.refresh(ada.refresh)
    before = await accounts.rows()
    payload = await accounts.send("deactivateInactiveUsers", tokens.access, inactiveForDays=1)
    assert payload == {"deactivatedCount": 0, "errors": []}
    assert await accounts.rows() == before


@pytest.mark.parametrize(("days", "count"), [(1, 1), (36_500, 0)], ids=["fewest days", "most days"])
async def test_bounds(accounts: Accounts, days: int, count: int) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    await accounts.user("inactive", last_login_at=LONG_AGO)
    payload = await accounts.send("deactivateInactiveUsers", ada.access, inactiveForDays=days)
    assert payload == {"deactivatedCount": count, "errors": []}


@pytest.mark.parametrize(
    ("days", "shown"), [(0, "0"), (-1, "-1"), (36_501, "36,501"), (2**31 - 1, "2,147,483,647")]
)
async def test_days_out_of_bounds(accounts: Accounts, days: int, shown: str) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    await accounts.user("inactive", last_login_at=LONG_AGO)
    before = await accounts.rows()
    payload = await accounts.send("deactivateInactiveUsers", ada.access, inactiveForDays=days)
    assert payload == {
        "deactivatedCount": 0,
        "errors": [
            {
                "message": f"inactiveForDays must be 1 to 36,500; it is {shown}.",
                "code": "INVALID",
                "field": ["inactiveForDays"],
            }
        ],
    }
    assert await accounts.rows() == before


async def test_it_is_for_admins(accounts: Accounts) -> None:
    eve = await accounts.member("eve", UserRole.EDITOR)
    await accounts.user("inactive", last_login_at=LONG_AGO)
    before = await accounts.rows()
    for token, expected in ((eve.access, "FORBIDDEN"), (None, "UNAUTHENTICATED")):
        code, _ = await accounts.refusal("deactivateInactiveUsers", token, inactiveForDays=1)
        assert code == expected
    assert await accounts.rows() == before


@only_postgresql
async def test_admins_who_deactivate_each_other_at_once(accounts: Accounts, clock: Clock) -> None:
    ada, ben = [await accounts.member(name, UserRole.ADMIN) for name in ("ada", "ben")]
    clock.advance(days=2)
    tokens = [await accounts.refresh(one.refresh) for one in (ada, ben)]
    responses = await asyncio.gather(
        *(accounts.post("deactivateInactiveUsers", one.access, inactiveForDays=1) for one in tokens)
    )
    answers = [response.json() for response in responses]
    (done,) = [answer["data"] for answer in answers if "errors" not in answer]
    assert done["deactivateInactiveUsers"]["deactivatedCount"] == 1
    ((error,),) = [answer["errors"] for answer in answers if "errors" in answer]
    assert error["extensions"]["code"] in {"FORBIDDEN", "UNAUTHENTICATED"}
    users = (await accounts.rows())["users"]
    assert sorted(row.is_active for row in users) == [False, True]
