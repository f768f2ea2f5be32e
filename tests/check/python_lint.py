# SPDX-License-Identifier: MIT
"""A strict look at Python files with nothing but the standard library."""

import ast
import warnings

LONGEST_LINE = 100


def _names_read(tree):
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and
            not isinstance(n.ctx, ast.Store)}
    # What __all__ names is there for others.
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__"
                                                for t in node.targets):
            read |= {c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant)}
    return read


def _imports(tree, read):
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = (alias.asname or alias.name).split(".")[0]
                if alias.name == "*":
                    yield node.lineno, "imports everything by *"
                elif name not in read:
                    yield node.lineno, f"imports {name}, which is not used"


def _own_nodes(function):
    """The nodes of a function without those of functions and classes inside it."""
    stack = list(ast.iter_child_nodes(function))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))


def _function(node):
    for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
        if isinstance(default, (ast.List, ast.Dict, ast.Set)):
            yield default.lineno, f"{node.name}() has a default that calls share"
    elsewhere = {n for o in ast.walk(node) if isinstance(o, (ast.Global, ast.Nonlocal))
                 for n in o.names}
    read = _names_read(node)
    for inner in _own_nodes(node):
        if isinstance(inner, ast.Assign):
            for target in inner.targets:
                if (isinstance(target, ast.Name) and not target.id.startswith("_")
                        and target.id not in read | elsewhere):
                    yield inner.lineno, f"assigns {target.id}, which is not used"


def _statement(node):
    if isinstance(node, ast.ExceptHandler) and node.type is None:
        yield node.lineno, "catches everything, expected the exceptions' names"
    elif isinstance(node, ast.Compare):
        for operator, value in zip(node.ops, node.comparators):
            if (isinstance(operator, (ast.Eq, ast.NotEq)) and isinstance(value, ast.Constant)
                    and any(value.value is v for v in (None, True, False))):
                yield node.lineno, f"compares with {value.value} by ==, expected 'is'"
    elif isinstance(node, ast.Assert):
        yield node.lineno, "asserts, which -O leaves out"
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from _function(node)


def _format_strings(tree):
    # A format specification is a JoinedStr of its own, below a FormattedValue.
    inner = {id(n.format_spec) for n in ast.walk(tree) if isinstance(n, ast.FormattedValue)}
    for node in ast.walk(tree):
        if (isinstance(node, ast.JoinedStr) and id(node) not in inner
                and not any(isinstance(v, ast.FormattedValue) for v in node.values)):
            yield node.lineno, "is an f-string without a value in it"


def check(name, text):
    """All problems of one file, as 'NAME:LINE: PROBLEM'."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compile(text, name, "exec", dont_inherit=True)
        tree = ast.parse(text, name)
    except (SyntaxError, SyntaxWarning, DeprecationWarning) as e:
        return [f"{name}: {e}"]
    found = [*_imports(tree, _names_read(tree)), *_format_strings(tree)]
    for node in ast.walk(tree):
        found += _statement(node)
    if not ast.get_docstring(tree):
        found.append((1, "has no docstring that says what it is for"))
    quoted = {number for node in ast.walk(tree) if isinstance(node, (ast.Constant, ast.JoinedStr))
              for number in range(node.lineno + 1, node.end_lineno + 1)}
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LONGEST_LINE:
            found.append((number, f"is {len(line)} columns long, expected at most {LONGEST_LINE}"))
        if "\t" in line[:len(line) - len(line.lstrip())] and number not in quoted:
            found.append((number, "begins with a tab"))
    return [f"{name}:{line}: {problem}" for line, problem in sorted(set(found))]
