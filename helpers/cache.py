"""When may a kept result be used again? The one rule: same clips, same settings, same code."""

import ast
import dataclasses
import dis
import functools
import hashlib
import inspect
import json
import sys
import textwrap
import types
from pathlib import Path

from helpers import files


def key(function, *facts):
    """Name a result by what decides it: eight digits for a file's name.

    They change with the code of the function and of all that it calls in the notebook, the script
    or this package, with the objects that it uses from outside (settings, tables, clips, networks),
    and with the facts. They do not change with docstrings, comments or the layout of the code.
    Of other libraries only the names count, and of a tf.data.Dataset only the shapes: hand on as
    facts what it is made from.

    Args:
        function: makes the result when it is called.
        *facts: all else that the result depends on.

    Returns:
        8 hexadecimal digits.

    >>> key(lambda: 1) == key(lambda: 1), key(lambda: 1) == key(lambda: 2)
    (True, False)
    """
    found = _Found()
    facts = [found.of(function), found.of(facts), found.modules_code()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:8]


class _Found:
    """What was met on the way from a function to all that it uses."""

    def __init__(self):
        self.seen, self.modules = {}, set()

    def of(self, value):
        """A value's content in words: the same in every session, whatever the address."""
        if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
            return repr(value)
        if id(value) in self.seen:  # a function that calls itself, a list that holds itself
            return f"number {self.seen[id(value)][0]}"
        self.seen[id(value)] = len(self.seen), value  # kept, so that no other gets its address
        return self._content(value)

    def _content(self, value):
        kind = value if isinstance(value, type) else type(value)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if isinstance(value, types.ModuleType):
            self._note(value.__name__)
            return value.__name__
        if isinstance(value, (list, tuple)):
            return [name, *map(self.of, value)]
        if isinstance(value, (set, frozenset)):
            return [name, *sorted(map(str, map(self.of, value)))]
        if isinstance(value, dict):
            return [name, *([self.of(k), self.of(v)] for k, v in value.items())]
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return ["method", self.of(value.__self__), self.of(value.__func__)]
        if isinstance(value, functools.partial):
            return ["partial", *map(self.of, (value.func, value.args, value.keywords))]
        if hasattr(value, "__wrapped__"):  # functools.cache and its kin
            return self.of(value.__wrapped__)
        if isinstance(value, type):
            return self._class(value, name)
        if isinstance(value, Path):
            return str(value)
        if dataclasses.is_dataclass(value):
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            return [name, self.of(kind), self.of(fields)]
        return [name, self._of_libraries(value, kind)]

    def _of_libraries(self, value, kind):
        """The content of what NumPy, pandas, scikit-learn, Keras and TensorFlow make."""
        if hasattr(value, "columns") and "path" in value.columns and hasattr(value, "itertuples"):
            return [
                self.of([files.digest(p) for p in value.path]),
                value.to_csv(columns=_rest(value)),
            ]
        if hasattr(value, "to_csv"):
            return value.to_csv()
        if hasattr(value, "dtype") and hasattr(value, "tobytes"):
            return [str(value.dtype), str(value.shape), hashlib.sha256(value.tobytes()).hexdigest()]
        if hasattr(value, "get_params"):
            return self.of(value.get_params(deep=False))
        if hasattr(value, "layers") or hasattr(value, "get_weights"):
            layers = getattr(value, "layers", [value])
            made = [[type(layer).__name__, _nameless(layer.get_config())] for layer in layers]
            return [json.dumps(made, default=str), self.of(list(map(self.of, value.get_weights())))]
        if hasattr(value, "element_spec"):
            return str(value.element_spec)
        if self._ours(kind) and hasattr(value, "__dict__"):
            return [self.of(kind), self.of(vars(value))]
        return str(getattr(value, "__name__", ""))  # a function in C

    def _function(self, function):
        whole = self._note(function.__module__)  # then all that its module uses counts
        if not whole and not self._ours(function):
            return function.__qualname__
        outside = inspect.getclosurevars(function).nonlocals
        given = [function.__defaults__, function.__kwdefaults__]
        said = [function.__qualname__, _code(function), self.of(outside), self.of(given)]
        if not whole:
            used = sorted(set(self._names(function.__code__)) & set(function.__globals__))
            said += [[name, self.of(function.__globals__[name])] for name in used]
        return said

    def _class(self, kind, name):
        if self._note(kind.__module__) or not self._ours(kind):
            return name
        parts = {k: v for k, v in vars(kind).items() if not k.startswith("__") or callable(v)}
        return [name, *map(self.of, kind.__bases__), self.of(parts)]

    def _names(self, code):
        """Names from outside that a code object looks up; modules of ours that it imports."""
        origin = ""
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                yield step.argval
            elif step.opname == "IMPORT_NAME":
                origin = step.argval
                self._note(origin)
            elif step.opname == "IMPORT_FROM":
                self._note(f"{origin}.{step.argval}")
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                yield from self._names(inner)

    def _ours(self, thing):
        """Whether a function or class is the caller's: not Python's, nor a library's."""
        path = getattr(sys.modules.get(thing.__module__), "__file__", None)
        if thing.__module__ == "__main__" or path is None:
            return thing.__module__ not in sys.builtin_module_names
        return not any(Path(path).is_relative_to(folder) for folder in _libraries())

    def _note(self, module):
        """Count a module of this package, and those that it imports: whether it is one."""
        path = _file(module or "")
        if path is None:
            return False
        if module not in self.modules:
            self.modules.add(module)
            for one in _parsed(path, path.stat().st_mtime_ns)[1]:
                self._note(one)
        return True

    def modules_code(self):
        paths = [(name, _file(name)) for name in sorted(self.modules)]
        return [[name, _parsed(path, path.stat().st_mtime_ns)[0]] for name, path in paths]


def _file(module):
    """The file of a module of this package, or None."""
    if module.split(".")[0] != "helpers":
        return None
    path = Path(__file__).parent.joinpath(*module.split(".")[1:])
    found = [p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()]
    return found[0] if found else None


@functools.lru_cache(maxsize=256)
def _parsed(path, _):
    """A file's code without docstrings, and the modules of this package that it imports."""
    tree, modules = ast.parse(path.read_text("utf-8")), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return _bare(tree), sorted(name for name in modules if _file(name))


def _bare(tree):
    """A syntax tree as text, without its docstrings, comments and line numbers."""
    for node in ast.walk(tree):
        with_docstring = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        if isinstance(node, with_docstring) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def _code(function):
    """A function's code without its docstring; of a lambda, what it was compiled to."""
    if function.__name__ != "<lambda>":
        try:
            return _bare(ast.parse(textwrap.dedent(inspect.getsource(function))))
        except (OSError, SyntaxError, TypeError):  # there is no source, or it stands in an argument
            pass
    return _compiled(function.__code__)


def _compiled(code):
    parts = [_compiled(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return [code.co_code.hex(), code.co_names, code.co_varnames, code.co_freevars, parts]


@functools.cache
def _libraries():
    """Where Python and what was installed for it lie."""
    import sysconfig

    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return {Path(sysconfig.get_path(name)) for name in names}


def _rest(clips):
    """What counts of a catalog besides the files' content; the folder they lie in does not."""
    return [name for name in clips.columns if name != "path"]


def _nameless(config):
    """A layer's settings without its name, which counts how many there were in this session."""
    if isinstance(config, dict):
        return {k: _nameless(v) for k, v in config.items() if k != "name"}
    return [_nameless(v) for v in config] if isinstance(config, (list, tuple)) else config
