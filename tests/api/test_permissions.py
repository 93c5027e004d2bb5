"""The table of ``docs/permissions.md``, cell by cell, with real access tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from graphql import GraphQLEnumType, GraphQLInputObjectType
from graphql import build_schema as build_graphql_schema
from strawberry.types.base import get_object_definition

from blog_graphql.api.mutation import Guard, Permission
from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, Tag, User, UserRole
from blog_graphql.schema import Mutation, print_schema
from blog_graphql.security.tokens import (
    new_refresh_token,
    new_session_id,
    session_id_of,
)
from tests.support.blog import NOW, session_of
from tests.support.client import Client

DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"
PASSWORD = "correct horse battery"

MUTATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "login": ("LoginInput", {"identifier": "{viewer_name}", "password": PASSWORD}),
    "refreshSession": ("RefreshSessionInput", {"refreshToken": "{refresh_token}"}),
    "logout": ("LogoutInput", {}),
    "createUser": (
        "CreateUserInput",
        {"username": "new", "email": "new@blog.example", "password": PASSWORD},
    ),
    "updateUser": ("UpdateUserInput", {"id": "{user}", "bio": "New"}),
    "changePassword": (
        "ChangePasswordInput",
        {"currentPassword": PASSWORD, "newPassword": "staple battery horse"},
    ),
    "setUserRole": ("SetUserRoleInput", {"id": "{user}", "role": "EDITOR"}),
    "setUserActive": ("SetUserActiveInput", {"id": "{user}", "isActive": False}),
    "deleteUser": ("DeleteUserInput", {"id": "{user}"}),
    "bulkCreateUsers": (
        "BulkCreateUsersInput",
        {"users": [{"username": "new", "email": "new@blog.example"}]},
    ),
    "deactivateInactiveUsers": ("DeactivateInactiveUsersInput", {"inactiveForDays": 30}),
    "createPost": ("CreatePostInput", {"title": "New", "content": "New"}),
    "createPost with authorId": (
        "CreatePostInput",
        {"title": "New", "content": "New", "authorId": "{user}"},
    ),
    "updatePost": ("UpdatePostInput", {"id": "{post}", "title": "New"}),
    "deletePost": ("DeletePostInput", {"id": "{post}"}),
    "addTagToPost": ("TagPostInput", {"postId": "{post}", "name": "new"}),
    "removeTagFromPost": ("TagPostInput", {"postId": "{post}", "name": "word"}),
    "recordPostView": ("RecordPostViewInput", {"id": "{post}"}),
    "renameTag": ("RenameTagInput", {"id": "{tag}", "name": "new"}),
    "deleteTag": ("DeleteTagInput", {"id": "{tag}"}),
}
KINDS = ("public", "draft")
QUERIES = {
    "viewer": "{ viewer { id } }",
    "User.email": '{ user(by: {id: "%(user)s"}) { email } }',
    "User.lastLoginAt": '{ user(by: {id: "%(user)s"}) { lastLoginAt } }',
    "post": '{ post(by: {id: "%(post)s"}) { title } }',
    "tag": '{ tag(by: {id: "%(tag)s"}) { name } }',
}


def cells() -> list[Any]:
    """Every cell with an expectation: field, column, answer."""
    text = DOCUMENT.read_text(encoding="utf-8")
    table = re.search(r"<!-- permissions.*?-->\n(.*)<!-- end of permissions", text, re.DOTALL)
    assert table is not None
    header, _, *rows = [
        [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        for line in table[1].split("\n")
        if line.startswith("|")
    ]
    return [
        pytest.param(row[0], column, answer, id=f"{row[0]}: {column}: {answer}")
        for row in rows
        for column, answer in zip(header[1:], row[1:], strict=True)
        if answer != "–"
    ]


@dataclass
class Scene:
    """A blog with somebody of each kind, signed in."""

    client: Client
    ids: dict[str, str]
    tokens: dict[str, str | None]
    refresh_tokens: dict[str, str]

    async def ask(self, field: str, column: str) -> Any:
        """What a field answers to somebody: ``yes``, ``value``, ``null`` or a code."""
        who, own = _who(column)
        whose = who if own else "other"
        kind = KINDS[field.endswith("of a draft")]
        values = {
            "user": self.ids[whose],
            "post": self.ids[f"{whose} {kind} post"],
            "tag": self.ids[f"{whose} {kind} tag"],
            "viewer_name": who,
            "refresh_token": self.refresh_tokens[who],
        }
        name = field.removesuffix(" of a draft")
        if name in QUERIES:
            response = await self.client.post(QUERIES[name] % values, token=self.tokens[who])
            return _answer_of_query(response.json())
        type_, template = MUTATIONS[name]
        mutation = name.split()[0]
        query = (
            f"mutation ($input: {type_}!) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
        )
        given = {
            key: value.format(**values) if isinstance(value, str) else value
            for key, value in template.items()
        }
        response = await self.client.post(query, {"input": given}, token=self.tokens[who])
        return _answer_of_mutation(response.json(), mutation)


def _who(column: str) -> tuple[str, bool]:
    """The user behind a column, and whether they deal with what is their own."""
    name = column.partition(",")[0].lower().replace(" ", "_")
    return name, column.endswith("own") or name == "deactivated"


def _answer_of_query(answer: Any) -> str:
    if "errors" in answer:
        return str(answer["errors"][0]["extensions"]["code"])
    (value,) = answer["data"].values()
    if isinstance(value, dict):
        (value,) = value.values()
    return "null" if value is None else "value"


def _answer_of_mutation(answer: Any, mutation: str) -> str:
    if "errors" in answer:
        assert (answer.get("data") or {}).get(mutation) is None
        return str(answer["errors"][0]["extensions"]["code"])
    errors = answer["data"][mutation]["errors"]
    return str(errors[0]["code"]) if errors else "yes"


ROLES = {
    "other": UserRole.AUTHOR,
    "author": UserRole.AUTHOR,
    "editor": UserRole.EDITOR,
    "admin": UserRole.ADMIN,
    "deactivated": UserRole.AUTHOR,
    "signed_out": UserRole.AUTHOR,
}


@pytest.fixture
async def scene(client: Client, app: FastAPI, database: Database) -> Scene:
    services = app.state.services
    hashed = await services.passwords.hash(PASSWORD)
    users = {name: _user(name, role, hashed) for name, role in ROLES.items()}
    refresh_tokens = {name: new_refresh_token(new_session_id()) for name in ROLES}
    posts = {f"{name} {kind}": _post(users[name], kind) for name in ROLES for kind in KINDS}
    async with database.transaction() as session:
        session.add_all([*users.values(), *posts.values()])
        await session.flush()
        session.add_all(session_of(users[name].id, token) for name, token in refresh_tokens.items())
        ids: dict[str, str] = {name: encode_id("User", user.id) for name, user in users.items()}
        for name, post in posts.items():
            ids[f"{name} post"] = encode_id("Post", post.id)
            ids[f"{name} tag"] = encode_id("Tag", post.tags[0].id)
    tokens = {
        name: services.tokens.issue(users[name].id, session_id_of(token), NOW)[0]
        for name, token in refresh_tokens.items()
    }
    return Scene(client, ids, tokens | {"signed_out": None}, refresh_tokens)


def _user(name: str, role: UserRole, hashed_password: str) -> User:
    return User(
        username=name,
        email=f"{name}@blog.example",
        hashed_password=hashed_password,
        role=role,
        is_active=name != "deactivated",
        last_login_at=NOW - timedelta(days=1),
    )


def _post(user: User, kind: str) -> Post:
    name = f"{kind}-{user.username}"
    return Post(
        author=user,
        slug=name,
        title=name,
        content=name,
        is_published=kind == "public",
        published_at=NOW - timedelta(days=1),
        tags=[Tag(name=name)],
    )


@pytest.mark.parametrize("backend", ["memory", "postgresql"], indirect=True)
@pytest.mark.parametrize(("field", "column", "answer"), cells())
async def test_the_table(scene: Scene, field: str, column: str, answer: str) -> None:
    assert await scene.ask(field, column) == answer


def test_every_mutation_is_in_the_table() -> None:
    mutations = {field.split()[0] for field in MUTATIONS}
    assert mutations == _mutation_names()
    assert {cell.values[0].split()[0] for cell in cells()} >= mutations


def test_every_mutation_declares_a_permission() -> None:
    definition = get_object_definition(Mutation, strict=True)
    for field in definition.fields:
        guards = [each for each in field.extensions if isinstance(each, Guard)]
        assert len(guards) == 1, field.name
        assert isinstance(guards[0].permission, Permission)


def _mutation_names() -> set[str]:
    definition = get_object_definition(Mutation, strict=True)
    return {re.sub(r"_(.)", lambda m: m[1].upper(), field.name) for field in definition.fields}


def test_what_is_private_can_be_neither_filtered_nor_ordered_by() -> None:
    types = build_graphql_schema(print_schema()).type_map
    user_filter, order = types["UserFilter"], types["UserOrderField"]
    assert isinstance(user_filter, GraphQLInputObjectType)
    assert isinstance(order, GraphQLEnumType)
    assert set(user_filter.fields) == {"id", "isActive", "username", "createdAt"}
    assert set(order.values) == {"USERNAME", "CREATED_AT"}
