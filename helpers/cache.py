"""When may a kept result be used again? The one rule: same clips, same settings, same code."""

import ast
import dis
import functools
import hashlib
import inspect
import io
import json
import pickle
import re
import sys
import sysconfig
import textwrap
import time
import types
from pathlib import Path

import numpy as np
import psutil

from helpers import files

_BEGUN = psutil.Process().create_time() + 1  # which is known to the second
_FOLDERS = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platlib", "purelib")}


class Unkeyable(TypeError):
    """Something whose content cannot be told, so that no result may be kept under it."""


def key(function, *facts):
    """Name a result by what decides it: eight digits for a file's name.

    They change with the code of the function and of all that it calls in the notebook, the script
    or this package, with the objects that it uses from outside (settings, tables, clips, networks),
    and with the facts. They do not change with docstrings, comments or the layout of the code.
    Of other libraries, and of modules called by their name (module.function), only the names
    count, and of a tf.data.Dataset only the shapes: hand on as facts what it is made from.

    Args:
        function: makes the result when it is called.
        *facts: all else that the result depends on.

    Returns:
        8 hexadecimal digits.

    Raises:
        Unkeyable: the content of something used cannot be told (an open file, a generator), or a
            module of this package was edited after the session had begun, so that what runs is
            not what stands in the file.

    >>> key(lambda: 1) == key(lambda: 1), key(lambda: 1) == key(lambda: 2)
    (True, False)
    """
    content = _Content()
    try:
        content.dump([function, facts])
        said = content.stream.getvalue() + json.dumps(content.modules_code()).encode()
    except Unkeyable:
        raise
    except Exception as error:  # a library's object may raise anything when it is taken apart
        about = re.sub(r" at 0x[0-9a-f]+", "", str(error))  # the same words in every run
        raise Unkeyable(f"{type(error).__name__}: {about}") from error
    return hashlib.sha256(said).hexdigest()[:8]


class _Content(pickle.Pickler):
    """What a value holds, as bytes that are the same in every session.

    Pickle walks through it, and refuses what has no content of its own; what it would take by
    name or by address alone is taken apart here.
    """

    def __init__(self):
        self.stream, self.seen, self.modules = io.BytesIO(), {}, set()
        super().__init__(self.stream, protocol=5)
        self.fast = True  # no memory of addresses: equal values give equal bytes

    def persistent_id(self, value):
        """Called by pickle for each object: what stands for it, or None for pickle's own way."""
        if isinstance(value, (types.FunctionType, type)):
            if id(value) in self.seen:  # a function that calls itself
                return f"number {self.seen[id(value)][0]}"
            self.seen[id(value)] = len(self.seen), value  # kept: no other gets its address
            return self._class(value) if isinstance(value, type) else self._function(value)
        if isinstance(value, types.ModuleType):
            self._note(value.__name__)
            return value.__name__
        if isinstance(value, (set, frozenset)):
            return [type(value).__name__, *sorted(map(self._apart, value))]
        if isinstance(value, Path):
            return str(value)
        if isinstance(value, property):
            return ["property", value.fget, value.fset, value.fdel]
        if isinstance(value, functools.cached_property):
            return ["cached_property", value.func]
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:  # however it lies in memory
            return [value.dtype.str, value.shape, value.tobytes()]
        if isinstance(value, (staticmethod, classmethod)):
            return [type(value).__name__, value.__func__]
        if hasattr(value, "__wrapped__"):  # functools.cache and its kin
            return [type(value).__name__, value.__wrapped__]
        return self._of_libraries(value)

    def _of_libraries(self, value):
        """The content of what pandas, Keras and TensorFlow make, or None."""
        if hasattr(value, "to_csv"):
            table = value.to_frame() if value.ndim == 1 else value
            held = [
                [str(name), str(table[name].dtype), table[name].tolist()]
                for name in table.columns
                if name != "path"
            ]
            paths = table["path"] if "path" in table.columns else ()
            return [table.index.tolist(), held, [files.digest(p) for p in paths]]
        if hasattr(value, "element_spec"):
            return str(value.element_spec)
        if hasattr(value, "get_config") and hasattr(value, "get_build_config"):  # a layer, a model
            return self._layer(value)
        if hasattr(value, "get_config") and hasattr(value, "apply_gradients"):  # an optimizer
            held = [v.numpy() for v in value.variables]
            return [type(value), _nameless(value.get_config()), held]
        if hasattr(value, "get_config") and type(value).__module__.startswith("keras."):
            return [type(value), _nameless(value.get_config())]  # a loss, a metric
        if hasattr(value, "numpy") and hasattr(value, "assign"):  # a variable
            return value.numpy()
        return None

    def _layer(self, layer):
        """A network by its layers, their wiring, its weights and what it was compiled with."""
        config, number = json.loads(json.dumps(layer.get_config(), default=str)), {}
        if '"class_name": "function", "config"' in json.dumps(config):
            raise Unkeyable(f"{layer.name} calls a function whose code its settings do not hold")
        for name in [layer.name, *_names_of_layers(config)]:  # names count those of a session
            number.setdefault(name, f"layer {len(number)}")
        config, inner = _renamed(config, number), _layers(layer)
        compiled = getattr(layer, "get_compile_config", lambda: None)()
        return [[type(one) for one in inner], config, layer.get_weights(), _nameless(compiled)]

    def _apart(self, value):
        """The content of one of several values that stand in no order."""
        one = _Content()
        one.dump(value)
        self.modules |= one.modules
        return one.stream.getvalue()

    def _function(self, function):
        module = function.__globals__.get("__name__", "")  # __module__ may be another's, by wraps
        whole = self._note(module)  # then all that its module uses counts
        if not whole and not _ours(module):
            return [module, function.__qualname__]
        if not whole:
            path = Path(function.__code__.co_filename)
            _check_unedited(path, path.name)
        outside = inspect.getclosurevars(function).nonlocals
        given = [function.__defaults__, function.__kwdefaults__]
        said = [function.__qualname__, _code(function), outside, given]
        if not whole:
            used = sorted(set(self._names(function.__code__)) & set(function.__globals__))
            said += [[name, function.__globals__[name]] for name in used]
        return said

    def _class(self, kind):
        name = [kind.__module__, kind.__qualname__]
        there = sys.modules.get(kind.__module__)
        for part in kind.__qualname__.split("."):
            there = getattr(there, part, None)
        if there is kind and (self._note(kind.__module__) or not _ours(kind.__module__)):
            return name
        slots = (types.GetSetDescriptorType, types.MemberDescriptorType)
        parts = {
            k: v
            for k, v in vars(kind).items()
            if not isinstance(v, slots) and k != "_abc_impl" and (k[:2] != "__" or callable(v))
        }
        return [name, type(kind), kind.__bases__, parts]

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
        for name, path in paths:
            _check_unedited(path, name)
        return [[name, _parsed(path, path.stat().st_mtime_ns)[0]] for name, path in paths]


def _check_unedited(path, name):
    """Whether the code that runs is what the file holds; a notebook's cell lies in no file.

    One that is dated hours ahead, as by an archive's clock, does not count as edited: nothing can
    tell when it was. A disk's own clock may be ahead of ours, but by less than an hour.

    Raises:
        Unkeyable: it was edited after the session had begun.
    """
    if path.is_file() and _BEGUN < path.stat().st_mtime < time.time() + 3600:
        raise Unkeyable(f"{name} was edited after this session began: restart it")


def _layers(layer):
    """A layer and all that it holds, in their order."""
    held = getattr(layer, "layers", None) or [getattr(layer, "layer", None)]
    return [layer, *(inner for one in held if one is not None for inner in _layers(one))]


def _names_of_layers(config):
    """The names of a network's layers in its configuration, in their order."""
    if isinstance(config, list):
        return [name for one in config for name in _names_of_layers(one)]
    if not isinstance(config, dict):
        return []
    inner = config.get("config")
    named = isinstance(inner, dict) and config.get("class_name") != "DTypePolicy"
    own = [inner["name"]] if named and isinstance(inner.get("name"), str) else []
    return own + [name for one in config.values() for name in _names_of_layers(one)]


def _renamed(config, number):
    if isinstance(config, list):
        return [_renamed(one, number) for one in config]
    if isinstance(config, dict):
        return {k: _renamed(v, number) for k, v in config.items()}
    return number.get(config, config) if isinstance(config, str) else config


def _nameless(config):
    """A configuration without names, which count what a session has made."""
    if isinstance(config, (list, tuple)):
        return [_nameless(one) for one in config]
    if isinstance(config, dict):
        return {k: _nameless(v) for k, v in config.items() if k != "name"}
    return config


def _ours(module):
    """Whether the module of a function or class is the caller's: not Python's, nor a library's."""
    path = getattr(sys.modules.get(module), "__file__", None)
    if module == "__main__" or path is None:
        return module not in sys.builtin_module_names
    return not any(Path(path).is_relative_to(folder) for folder in _FOLDERS)


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
            return _bare(ast.parse(textwrap.dedent(inspect.getsource(function.__code__))))
        except (OSError, SyntaxError, TypeError):  # there is no source, or it stands in an argument
            pass
    return _compiled(function.__code__)


def _compiled(code):
    counts = [code.co_argcount, code.co_kwonlyargcount, code.co_flags]
    parts = [_compiled(one) if isinstance(one, types.CodeType) else one for one in code.co_consts]
    names = [code.co_names, code.co_varnames, code.co_freevars]
    return [code.co_code, code.co_exceptiontable, counts, names, parts]
