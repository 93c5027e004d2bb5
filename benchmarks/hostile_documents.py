"""How long hostile documents hold the event loop: parsing, limits and validation.

    python benchmarks/hostile_documents.py [BYTES]

Prints the slowest first. A document that passes every limit is validated too,
and answered where it asks for nothing but the schema. The default is 1,000 bytes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from graphql import GraphQLError, execute_sync, get_introspection_query, specified_rules
from rich.console import Console
from rich.table import Table

from blog_graphql.api.limits import Limits, check_document, parse_document, validate_document
from blog_graphql.errors import QueryTooComplex
from blog_graphql.schema import build_schema
from blog_graphql.settings import load_settings

RUNS = 5

SCHEMA = build_schema()._schema  # noqa: SLF001 - Strawberry has no public way
LIMITS = Limits.of(load_settings(_env_file=None))


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TEN = "{" + "".join(f"...F{n}" for n in range(1, 11)) + "}"

Families = Iterator[tuple[str, str]]


def filled(size: int, head: str, unit: str, tail: str = "") -> str:
    """As many units as fit between; ``#`` is the number of each, ``%`` the one before."""
    room = size - len(head) - len(tail)
    units: list[str] = []
    for number in count(1):
        written = unit.replace("#", str(number)).replace("%", str(number - 1))
        room -= len(written)
        if room < 0:
            break
        units.append(written)
    return head + "".join(units) + tail


def nested(size: int, level: str) -> str:
    """As many levels inside of each other as fit, or as the parser reads."""
    depth = min(size // (len(level) + 1), 199)
    return level * depth + "a" + "}" * depth


def fragments(size: int) -> Families:
    """Fragments: spread often, in circles, in chains."""
    last = "fragment F0 on Query{__typename}"
    double = "fragment F# on Query{...F%...F%}"
    yield "2^n", filled(size, "{...F20}" + last, double)
    double = "fragment F# on Query{a:node(id:1){...F%}b:node(id:1){...F%}}"
    yield "2^n, of objects", filled(size, "{...F10}" + last, double)
    double = "fragment F# on __Schema{...F%...F%}"
    base = "fragment F0 on __Schema{description}"
    yield "2^n, of the schema", filled(size, "{__schema{...F15}}" + base, double)
    yield "in a chain", filled(size, "{...F20}" + last, "fragment F# on Query{...F%}")
    yield "unknown", filled(size, "{", "...F# ", "}")
    yield "many", filled(size, TEN, "fragment F# on Query{__typename}")
    yield "all in all", filled(size, TEN, f"fragment F# on Query{TEN}")
    yield "of one name", filled(size, "{...F0}", last)
    yield "inline", nested(size, "{...")


def fields(size: int) -> Families:
    """Fields: deep, unknown, misspelt, aliased."""
    yield "deep", nested(size, "{a")
    yield "deep and wide", nested(size, "{a b c d")
    yield "unknown", filled(size, "{", "f# ", "}")
    yield "misspelt", filled(size, "{", "statss ", "}")
    yield "misspelt everywhere", filled(size, "{", "node(id:1){...{pots usrs tgs pst usr}}", "}")
    yield "a long name", filled(size, "{", "a", "}")
    yield "aliases", filled(size, "{", "a#:__typename ", "}")
    yield "aliases of connections", filled(size, "{", "a#:posts{nodes{id}}", "}")


def overlaps(size: int) -> Families:
    """Fields of one response name: flat, nested, conflicting, in fragments."""
    different = "".join(f"a:{letter} " for letter in LETTERS)
    yield "flat", filled(size, "{", "a ", "}")
    yield "flat below", filled(size, "{stats{", "a ", "}}")
    yield "nested", filled(size, "{", "a{b}", "}")
    yield "nested below", filled(size, "{stats{", "a{b}", "}}")
    yield "wide and nested", filled(size, "{stats{", "a{b b b b b b b b}", "}}")
    yield "deep", filled(size, "{stats{", "a{a{a{a{a}}}}", "}}")
    yield "of known fields", filled(size, "{posts{", "nodes{id id}", "}}")
    yield "of arguments", filled(size, "{stats{", "a(b:1)", "}}")
    yield "of long arguments", filled(size, "{stats{", "a(b:{c:1 d:[1 2 3]})", "}}")
    yield "conflicting", filled(size, "{stats{", different, "}}")
    yield "just allowed", "{stats{" + "a{b}" * 51 + "}}"
    yield "just allowed, of arguments", "{stats{" + "a(b:1){b}" * 43 + "}}"
    yield "just allowed, conflicting", f"{{stats{{{different[:200]}}}}}"
    yield "in fragments", filled(size, f"{{stats{TEN}}}", "fragment F# on BlogStats{a{b}a{b}}")
    yield "of spreads", filled(size, f"{{{f'a{TEN}' * 4}}}", "fragment F# on Query{a{b}}")


def operations(size: int) -> Families:
    """Operations, their variables and directives."""
    shared = "".join(f"fragment F{n} on Query{{__typename}}" for n in range(1, 11))
    yield "many", filled(size, "", "query Q#{__typename}")
    yield "spreading all", filled(size, shared, f"query Q#{TEN}")
    yield "of one name", filled(size, "", "query Q{a}")
    yield "unused variables", filled(size, "query(", "$v#:Int ", "){__typename}")
    yield "undefined variables", filled(size, "{a(", "b:$v# ", ")}")
    yield "variables of one name", filled(size, "query(", "$v:Int ", "){__typename}")
    yield "variables of unknown types", filled(size, "query(", "$v#:Poss ", "){a}")
    misspelt = "$v#:DeactivateUsrsPayload "
    yield "variables of misspelt types", filled(size, "query(", misspelt, "){a}")
    yield "repeated directives", filled(size, "{a", "@skip(if:true)", "}")
    yield "unknown directives", filled(size, "{a", "@d#", "}")


def values(size: int) -> Families:
    """Arguments and their values, and types."""
    yield "unknown arguments", filled(size, "{posts(", "firs#:1 ", "){a}}")
    yield "arguments of one name", filled(size, "{posts(", "first:1 ", "){a}}")
    yield "a long list", filled(size, "{nodes(ids:[", "1 ", "]){id}}")
    yield "a list of wrong ones", filled(size, "{nodes(ids:[", "{}", "]){id}}")
    yield "a long object", filled(size, "{posts(filter:{", "k#:1 ", "}){a}}")
    yield "a misspelt object", filled(size, "{posts(filter:{", "autor:1 ", "}){a}}")
    yield "misspelt objects", filled(size, "{posts(orderBy:[", "{fild:1 drection:1}", "]){a}}")
    yield "misspelt enums", filled(size, "{posts(orderBy:[", "{field:TITEL}", "]){a}}")
    yield "deep", "{a(b:" + "[" * 190 + "]" * 190 + ")}"
    yield "a long number", filled(size, "{posts(first:", "9", "){a}}")
    yield "a long text", filled(size, '{node(id:"', "a", '"){id}}')
    yield "unknown types", filled(size, "{a}", "fragment F# on Poss{a}")
    yield "misspelt types", filled(size, "{a}", "fragment F on DeactivateInactiveUsersInpt{a}")
    yield "new types", filled(size, "", "type T#{a:T#}")
    yield "new types with defaults", filled(size, "input A{a:A={", "a:1 ", "}}")
    yield "comments", filled(size, "{a}", "#\n")


def introspection(size: int) -> Families:
    """The schema, again and again."""
    type_ = "fragment T on __Type{__typename name kind description isOneOf}"
    field = "fragment T on __Type{name fields{__typename name args{name} type{name kind}}}"
    yield "its types", filled(size, "{__schema{" + type_, "a#:types{...T}", "}}" + type_)
    some = "".join(f"a{n}:types{{...T}}" for n in range(15))
    yield "its types, some times", f"{{__schema{{{some}}}}}{type_}"
    yield "all of it", filled(size, "{", "a#:__schema{types{fields{name}}}", "}")
    some = "".join(f"a{n}:__schema{{types{{...T}}}}" for n in range(15))
    yield "all of it, some times", f"{{{some}}}{type_}"
    chain = "{...T ofType" * 4 + "{...T}" + "}" * 4
    yield "fields of types of fields", f"{{__schema{{types{{fields{{type{chain}}}}}}}}}{field}"
    yield "deep", "{__schema{types" + "{fields{type" * 14 + "{name}" + "}}" * 14 + "}}"
    yield "as tools ask for it", get_introspection_query()


@dataclass
class Timing:
    """What became of a document, and the milliseconds of each step."""

    outcome: str
    parse: float
    check: float = 0
    validate: float = 0
    answer: float = 0

    def __lt__(self, other: Timing) -> bool:
        return self.total < other.total

    @property
    def total(self) -> float:
        """Milliseconds in which the event loop did nothing else."""
        return self.parse + self.check + self.validate + self.answer


def timed(source: str) -> Timing:
    """Take a document through parsing, limits and validation, as the server does."""
    clock = Clock()
    try:
        document = parse_document(source, LIMITS)
    except (QueryTooComplex, GraphQLError) as error:
        return Timing(str(error).split("\n", 1)[0], clock.lap())
    timing = Timing("accepted", clock.lap())
    try:
        check_document(SCHEMA, document, LIMITS, None, None)
    except QueryTooComplex as refusal:
        timing.outcome = str(refusal)
        return timing
    finally:
        timing.check = clock.lap()
    try:
        errors = validate_document(SCHEMA, document, specified_rules, suggestions=True)
    except QueryTooComplex as refusal:
        timing.outcome = str(refusal)
        return timing
    finally:
        timing.validate = clock.lap()
    if errors:
        timing.outcome = f"{len(errors)} validation errors"
    elif "__schema" in source:
        execute_sync(SCHEMA, document)
        timing.answer = clock.lap()
        timing.outcome = "answered"
    return timing


class Clock:
    """A stop watch of processor time, which other programs do not stretch."""

    def __init__(self) -> None:
        self._started = time.process_time()

    def lap(self) -> float:
        """Milliseconds since the last lap."""
        started, self._started = self._started, time.process_time()
        return (self._started - started) * 1000


def main() -> None:
    """Time every family and print the table."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rows = [
        (f"{group.__name__}: {name}", len(source), min(timed(source) for _ in range(RUNS)))
        for group in (fragments, fields, overlaps, operations, values, introspection)
        for name, source in group(size)
    ]
    table = Table("document", "bytes", "ms", "parse", "check", "validate", "answer", "outcome")
    for name, length, timing in sorted(rows, key=lambda row: row[2], reverse=True):
        steps = (timing.total, timing.parse, timing.check, timing.validate, timing.answer)
        table.add_row(name, str(length), *(f"{step:.1f}" for step in steps), timing.outcome[:76])
    Console(width=170).print(table)


if __name__ == "__main__":
    main()
