"""Front matter: the YAML, TOML or JSON that stands before the text of a post."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, NamedTuple

import yaml

from blog_graphql.errors import BadUserInput

_YAML = re.compile(r"\s*^---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_TOML = re.compile(r"\s*^\+\+\+[ \t]*\n(.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_JSON = re.compile(r'\s*(?=\{\s*["}])')
_UNCLOSED = re.compile(r"\s*^(---|\+\+\+)[ \t]*$", re.MULTILINE)

# The C parser has no limit of its own and overflows the stack of the process.
_MAX_DEPTH = 50


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"


def _construct_text(loader: Any, node: yaml.ScalarNode) -> str:
    """What old exporters marked as binary because it was not ASCII."""
    data: bytes = yaml.SafeLoader.construct_yaml_binary(loader, node)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        problem = "a binary value is not UTF-8 text"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error


class _TextLoader(_Loader):  # type: ignore[misc] # chosen at run time: C where it is built
    """Constructs mappings, lists and null; every other scalar stays text as it is written."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own hook
        first: [(tag, pattern) for tag, pattern in resolvers if tag == _NULL]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors = {  # noqa: RUF012 - the same
        "tag:yaml.org,2002:map": yaml.SafeLoader.construct_yaml_map,
        "tag:yaml.org,2002:seq": yaml.SafeLoader.construct_yaml_seq,
        _NULL: yaml.SafeLoader.construct_yaml_null,
        "tag:yaml.org,2002:binary": _construct_text,
        "!binary": _construct_text,  # as Ruby's Psych wrote it
        None: yaml.SafeLoader.construct_scalar,
    }


class Parts(NamedTuple):
    """A file taken apart."""

    fields: dict[str, Any]
    """The front matter, its names in lower case: Hugo's are read in any case."""
    content: str


def split_front_matter(text: str) -> Parts | None:
    """Take a text with LF line ends apart, or None when it has no front matter.

    Scalars of YAML stay text, except null: ``1.10`` is a tag, not a number.

    Raises:
        BadUserInput: the front matter is not closed, malformed, or not a mapping.
    """
    if match := _YAML.match(text):
        return _parts(_parse_yaml(match[1]), text[match.end() :])
    if match := _TOML.match(text):
        return _parts(_parse_toml(match[1]), text[match.end() :])
    if match := _JSON.match(text):
        value, end = _parse_json(text, match.end())
        return _parts(value, text[end:])
    if match := _UNCLOSED.match(text):
        raise BadUserInput(f"the front matter is not closed by a second line of {match[1]}")
    return None


def _parts(value: Any, content: str) -> Parts:
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise BadUserInput("the front matter is not a mapping of names to values")
    return Parts({str(name).lower(): item for name, item in value.items()}, content)


def _parse_toml(text: str) -> Any:
    try:
        return tomllib.loads(text, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise BadUserInput(f"the TOML front matter is malformed: {error}") from None


def _parse_json(text: str, start: int) -> tuple[Any, int]:
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
    try:
        return decoder.raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        raise BadUserInput(f"the JSON front matter is malformed: {error}") from None


def _parse_yaml(text: str) -> Any:
    try:
        _check_depth(text)
        return yaml.load(text, _TextLoader)  # noqa: S506 - it constructs text, lists and mappings
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f" (line {error.problem_mark.line + 2})"
        reason = f"{error.problem}{line}"
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
    raise BadUserInput(f"the YAML front matter is malformed: {reason}")


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, _TextLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise BadUserInput(f"the YAML front matter is nested over {_MAX_DEPTH} levels deep")
