"""Measure the code: sizes, strict typing, imports between packages, mocks. Run by ``make shape``.

``--sample 60 30 --seed S`` draws names and docstrings for a reading test instead. Tests are the
files in tests/, integration/ and testing/, and conftest.py; migrations are left out everywhere.
Lines include blank lines and comments; a function's lines include its docstring.
"""

import argparse
import ast
import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

TESTS = {"tests", "integration", "testing", "conftest.py"}
MOCKS = {"monkeypatch", "patch", "Mock", "MagicMock", "AsyncMock", "create_autospec"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file; `path` is relative to the project."""

    path: Path
    lines: int
    nodes: list[ast.AST]

    @property
    def is_test(self) -> bool:
        return not TESTS.isdisjoint(self.path.parts)

    @property
    def package(self) -> str:
        """The top-level package, or the package inside orders/."""
        folders = self.path.parts[:-1]
        return ".".join(folders[: 2 if folders[:1] == ("orders",) else 1])


def read_modules(root: Path) -> list[Module]:
    """Return every Python file outside hidden directories and migrations."""
    modules = []
    for directory, names, files in root.walk():
        names[:] = sorted(n for n in names if not n.startswith(".") and n != "migrations")
        for path in (directory / name for name in sorted(files) if name.endswith(".py")):
            text = path.read_text()
            nodes = list(ast.walk(ast.parse(text)))
            modules.append(Module(path.relative_to(root), len(text.splitlines()), nodes))
    return modules


def summarize_lengths(lengths: list[int]) -> str:
    """Return count, sum, median, 95th percentile and maximum as one line."""
    p95 = quantiles(lengths, n=20, method="inclusive")[-1]
    return (
        f"{len(lengths):,} with {sum(lengths):,} lines: median {median(lengths):g}, "
        f"95th percentile {p95:.0f}, longest {max(lengths)}"
    )


def describe_functions(modules: list[Module]) -> str:
    functions = [node for m in modules for node in m.nodes if isinstance(node, Function)]
    spans = [(f.end_lineno or f.lineno) - f.lineno + 1 for f in functions]
    return f"{summarize_lengths(spans)}, over 50 lines: {sum(n > 50 for n in spans)}"


def strict_share(code: list[Module], files: list[Path], package: str) -> str:
    """Return the share of the lines of a package that mypy checks in strict mode."""
    modules = [m for m in code if m.path.parts[0] == package]
    checked = sum(m.lines for m in modules if any(m.path.is_relative_to(f) for f in files))
    total = sum(m.lines for m in modules)
    return f"{package} {checked:,} of {total:,} ({checked / total:.0%})"


def package_imports(code: list[Module]) -> set[tuple[str, str]]:
    """Return (importing package, imported package) for each import between two packages."""
    packages = {m.package for m in code} - {""}
    arrows: set[tuple[str, str]] = set()
    for module in (m for m in code if m.package):
        for parts in (name.split(".") for name in imported_names(module)):
            found = [p for n in (2, 1) if (p := ".".join(parts[:n])) in packages]
            arrows.update((module.package, target) for target in found[:1])
    return {(source, target) for source, target in arrows if source != target}


def imported_names(module: Module) -> list[str]:
    """Return the dotted names: "a.b.c" for ``from a.b import c``, since c may be a module."""
    names: list[str] = []
    for node in module.nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def print_report(modules: list[Module], root: Path) -> None:
    """Print every figure."""
    code, tests = [m for m in modules if not m.is_test], [m for m in modules if m.is_test]
    orders = [m.lines for m in code if m.path.parts[0] == "orders"]
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    files = [Path(name) for name in settings["tool"]["mypy"]["files"]]
    calls = [node.func for m in tests for node in m.nodes if isinstance(node, ast.Call)]
    mocks = sum(not MOCKS.isdisjoint(ast.unparse(call).split(".")) for call in calls)
    functions = [node for m in tests for node in m.nodes if isinstance(node, Function)]
    count = sum(function.name.startswith("test_") for function in functions)
    print(f"orders/           {len(orders)} modules with {sum(orders):,} lines")
    print(f"files of code     {summarize_lengths([m.lines for m in code])}")
    print(f"files of tests    {summarize_lengths([m.lines for m in tests])}")
    print(f"functions         {describe_functions(code)}")
    print(f"functions, tests  {describe_functions(tests)}")
    print(f"tests : code      {sum(m.lines for m in tests) / sum(m.lines for m in code):.2f}")
    for package in ("orders", "goody", "emulator"):
        print(f"mypy strict       {strict_share(code, files, package)}")
    print(f"import arrows     {len(package_imports(code))} between packages")
    print(f"mocks a test      {mocks / count:.3f} ({mocks} in {count:,} test functions)")


def print_sample(modules: list[Module], *, names: int, docstrings: int, seed: int) -> None:
    """Print public names of functions, classes and modules, and docstrings, drawn at random.

    A method is printed with its class, as it is read.
    """
    found, texts = [], []
    for module in (m for m in modules if not m.is_test):
        for name, node in qualified_names(module.nodes[0], module.path.stem):
            place = f"{module.path}:{getattr(node, 'lineno', 1)} {name}"
            found += [] if name.rpartition(".")[2].startswith("_") else [place]
            texts += [f"{place}\n{text}\n"] if (text := ast.get_docstring(node)) else []
    draw = random.Random(seed)  # noqa: S311
    print("\n".join(draw.sample(found, names)), end="\n\n")
    print("\n".join(draw.sample(texts, docstrings)))


def qualified_names(node: ast.AST, name: str) -> Iterator[tuple[str, Documented]]:
    """Yield (name, node) of a module and of every class and function in it.

    The name of a module is `name`. Names of methods and nested functions begin with those of their
    class or function: "Deadline.remaining".
    """
    if isinstance(node, Documented):
        yield name, node
    prefix = "" if isinstance(node, ast.Module) else f"{name}."
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            yield from qualified_names(child, f"{prefix}{child.name}")
        else:
            inner = ((n, c) for n, c in qualified_names(child, name) if c is not child)
            yield from inner


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the code, or draw a sample of it.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--sample", type=int, nargs=2, metavar=("NAMES", "DOCSTRINGS"))
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    modules = read_modules(args.root)
    if args.sample:
        print_sample(modules, names=args.sample[0], docstrings=args.sample[1], seed=args.seed)
    else:
        print_report(modules, args.root)


if __name__ == "__main__":
    main()
