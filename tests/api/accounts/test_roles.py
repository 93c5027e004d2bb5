"""``setUserRole`` and ``setUserActive``; the last active admin."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from blog_graphql.db.models import UserRole
from tests.api.accounts.accounts import PASSWORD, Accounts, moment, user_id
from tests.support.backends import only_postgresql
from tests.support.clock import Clock

# Each takes an admin's rights away.
DEMOTE = ("setUserRole", {"role": "EDITOR"})
DEACTIVATE = ("setUserActive", {"isActive": False})
REMOVE: tuple[str, dict[str, Any]] = ("deleteUser", {})

losing = pytest.mark.parametrize(("mutation", "values"), [DEMOTE, DEACTIVATE, REMOVE], ids=str)


async def admins(accounts: Accounts) -> set[int]:
    """The keys of the active admins."""
    users = (await accounts.rows())["users"]
    return {row.id for row in users if row.role is UserRole.ADMIN and row.is_active}


@pytest.mark.parametrize("role", ["EDITOR", "ADMIN"])
async def test_a_role_counts_at_once(accounts: Accounts, clock: Clock, role: str) -> None:
    ada, ann = await accounts.member("ada", UserRole.ADMIN), await accounts.member("ann")
    clock.advance(minutes=1)
    user = await accounts.done("setUserRole", ada.access, id=ann.id, role=role)
    assert (user["role"], user["updatedAt"]) == (role, moment(clock.now))
    delete_tag = 'mutation { deleteTag(input: {id: "VGFnOjE="}) { errors { code } } }'
    data = await accounts.client.execute(delete_tag, token=ann.access)
    assert data == {"deleteTag": {"errors": [{"code": "NOT_FOUND"}]}}


async def test_a_role_that_one_has_already_moves_nothing(accounts: Accounts, clock: Clock) -> None:
    ada, ann = await accounts.member("ada", UserRole.ADMIN), await accounts.member("ann")
    before = await accounts.rows()
    clock.advance(minutes=1)
    assert (await accounts.done("setUserRole", ada.access, id=ann.id, role="AUTHOR"))[
        "id"
    ] == ann.id
    assert (await accounts.done("setUserRole", ada.access, id=ada.id, role="ADMIN"))["id"] == ada.id
    assert await accounts.rows() == before


async def test_who_is_deactivated_is_out_at_once(accounts: Accounts, clock: Clock) -> None:
    ada, ann = await accounts.member("ada", UserRole.ADMIN), await accounts.member("ann")
    clock.advance(minutes=1)
    user = await accounts.done("setUserActive", ada.access, id=ann.id, isActive=False)
    assert (user["isActive"], user["updatedAt"]) == (False, moment(clock.now))
    assert await accounts.viewer(ann.access) == "UNAUTHENTICATED"
    assert await accounts.sessions(ann.key) == set()
    assert await accounts.sessions(ada.key) == {ada.session_id}
    problems = await accounts.problems("login", identifier="ann", password=PASSWORD)
    assert problems == [("INVALID_CREDENTIALS", None)]


async def test_who_is_let_in_again_signs_in_anew(accounts: Accounts, clock: Clock) -> None:
    ada, ann = await accounts.member("ada", UserRole.ADMIN), await accounts.member("ann")
    await accounts.done("setUserActive", ada.access, id=ann.id, isActive=False)
    clock.advance(minutes=1)
    user = await accounts.done("setUserActive", ada.access, id=ann.id, isActive=True)
    assert (user["isActive"], user["updatedAt"]) == (True, moment(clock.now))
    assert await accounts.viewer(ann.access) == "UNAUTHENTICATED"
    tokens = await accounts.sign_in("ann")
    assert await accounts.viewer(tokens.access) == "ann"


async def test_sessions_of_those_who_were_inactive_do_not_come_back(
    accounts: Accounts, clock: Clock
) -> None:
    ada, ann = await accounts.member("ada", UserRole.ADMIN), await accounts.member("ann")
    clock.advance(days=2)
    ada_again = await accounts.sign_in("ada")
    await accounts.send("deactivateInactiveUsers", ada_again.access, inactiveForDays=1)
    await accounts.done("setUserActive", ada_again.access, id=ann.id, isActive=True)
    assert await accounts.sessions(ann.key) == set()
    assert await accounts.sessions(ada.key) == {ada.session_id, ada_again.session_id}


@pytest.mark.parametrize("is_active", [False, True])
async def test_what_one_is_already_moves_nothing(
    accounts: Accounts, clock: Clock, *, is_active: bool
) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    ann = await accounts.member("ann")
    if not is_active:
        await accounts.done("setUserActive", ada.access, id=ann.id, isActive=False)
    before = await accounts.rows()
    clock.advance(minutes=1)
    user = await accounts.done("setUserActive", ada.access, id=ann.id, isActive=is_active)
    assert user["isActive"] is is_active
    assert await accounts.rows() == before


@losing
async def test_the_last_active_admin_stays(
    accounts: Accounts, mutation: str, values: dict[str, Any]
) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    await accounts.user("ida", role=UserRole.ADMIN, is_active=False)
    await accounts.user("eve", role=UserRole.EDITOR)
    before = await accounts.rows()
    payload = await accounts.send(mutation, ada.access, id=ada.id, **values)
    assert payload["errors"] == [
        {
            "message": "This is the last active admin: make somebody else an admin first.",
            "code": "CONFLICT",
            "field": ["id"],
        }
    ]
    assert await accounts.rows() == before


@losing
async def test_an_admin_may_go_when_another_stays(
    accounts: Accounts, mutation: str, values: dict[str, Any]
) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    ben = await accounts.user("ben", role=UserRole.ADMIN)
    payload = await accounts.send(mutation, ada.access, id=ada.id, **values)
    assert payload["errors"] == []
    assert await admins(accounts) == {ben}


@losing
async def test_an_inactive_admin_is_none(
    accounts: Accounts, mutation: str, values: dict[str, Any]
) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    ida = await accounts.user("ida", role=UserRole.ADMIN, is_active=False)
    payload = await accounts.send(mutation, ada.access, id=user_id(ida), **values)
    assert payload["errors"] == []
    assert await admins(accounts) == {ada.key}


@pytest.mark.parametrize(("mutation", "values"), [DEMOTE, DEACTIVATE])
@pytest.mark.parametrize("role", [None, UserRole.AUTHOR, UserRole.EDITOR])
async def test_they_are_for_admins(
    accounts: Accounts, mutation: str, values: dict[str, Any], role: UserRole | None
) -> None:
    ben = await accounts.user("ben")
    token = role and (await accounts.member("ann", role)).access
    before = await accounts.rows()
    assert await accounts.refusal(mutation, token, id=user_id(ben), **values) == (
        ("FORBIDDEN", "Only admins may do this.")
        if role
        else ("UNAUTHENTICATED", "Sign in first: this is for users.")
    )
    assert await accounts.rows() == before


@losing
async def test_nobody(accounts: Accounts, mutation: str, values: dict[str, Any]) -> None:
    ada = await accounts.member("ada", UserRole.ADMIN)
    before = await accounts.rows()
    for unknown in (user_id(999), "?"):
        problems = await accounts.problems(mutation, ada.access, id=unknown, **values)
        assert problems == [("NOT_FOUND", ["id"])]
    assert await accounts.rows() == before


@only_postgresql
@losing
async def test_admins_who_act_on_each_other_at_once(
    accounts: Accounts, mutation: str, values: dict[str, Any]
) -> None:
    ada, ben = [await accounts.member(name, UserRole.ADMIN) for name in ("ada", "ben")]
    responses = await asyncio.gather(
        accounts.post(mutation, ada.access, id=ben.id, **values),
        accounts.post(mutation, ben.access, id=ada.id, **values),
    )
    answers = [response.json() for response in responses]
    done = [answer for answer in answers if "errors" not in answer]
    refused = [answer["errors"] for answer in answers if "errors" in answer]
    assert len(done) == 1
    ((error,),) = refused
    assert error["extensions"]["code"] in {"FORBIDDEN", "UNAUTHENTICATED"}
    assert len(await admins(accounts)) == 1


@only_postgresql
@losing
async def test_admins_who_leave_at_once(
    accounts: Accounts, mutation: str, values: dict[str, Any]
) -> None:
    members = [await accounts.member(name, UserRole.ADMIN) for name in ("ada", "ben", "cleo")]
    payloads = await asyncio.gather(
        *(accounts.send(mutation, one.access, id=one.id, **values) for one in members)
    )
    refused = [payload["errors"][0]["code"] for payload in payloads if payload["errors"]]
    assert refused == ["CONFLICT"]
    assert len(await admins(accounts)) == 1


@only_postgresql
async def test_who_is_deactivated_while_signing_in_at_once(accounts: Accounts) -> None:
    ada, ann = await accounts.member("ada", UserRole.ADMIN), await accounts.user("ann")
    _, *payloads = await asyncio.gather(
        accounts.done("setUserActive", ada.access, id=user_id(ann), isActive=False),
        *(accounts.send("login", identifier="ann", password=PASSWORD) for _ in range(6)),
    )
    assert await accounts.sessions(ann) == set()
    for payload in payloads:
        if token := payload["accessToken"]:
            assert await accounts.viewer(token) == "UNAUTHENTICATED"
