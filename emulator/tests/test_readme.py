"""The emulator imports nothing of the project, and its README is complete."""

import ast
import re
import sys
from pathlib import Path

from emulator.control import ROUTES
from emulator.fault_kinds import FAULT_KINDS
from emulator.random_changes import CHANGE_KINDS
from emulator.switches import SWITCHES

HERE = Path(__file__).parent.parent
README = (HERE / "README.md").read_text()


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def test_imports_are_werkzeug_and_the_standard_library() -> None:
    modules = list(HERE.glob("*.py"))
    assert len(modules) > 10
    used = set().union(*(imported(path) for path in modules))
    assert used - sys.stdlib_module_names == {"werkzeug", "emulator"}


def test_readme_has_every_switch_with_its_values() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`[^|]*`) \| (.+) \|$", README, flags=re.MULTILINE)
    switches = [(name, values, question) for name, values, question in rows if name in SWITCHES]
    assert switches == [
        (name, ", ".join(f"`{value}`" for value in switch.values), switch.question)
        for name, switch in SWITCHES.items()
    ]


def test_readme_has_every_fault_with_its_options() -> None:
    for name, kind in FAULT_KINDS.items():
        rows = [row for row in README.splitlines() if row.startswith(f"| `{name}` ")]
        assert rows, name
        for option in kind.options.keys() - {"status", "headers", "body", "text"}:
            assert any(f"`{option}`" in row for row in rows), f"{name} {option}"


def test_readme_has_every_control_route() -> None:
    for rule in ROUTES.iter_rules():
        assert rule.rule.replace("<order_id>", "$ID") in README


def test_readme_begins_with_what_is_not_imitated() -> None:
    headings = re.findall(r"^## (.+)$", README, flags=re.MULTILINE)
    assert headings == ["What it does not imitate", "Running it", "Our guesses", "Control routes"]


def test_readme_has_every_kind_of_churn() -> None:
    (kinds,) = re.findall(r"Kinds: (.+?)\.\n", README, flags=re.DOTALL)
    names = re.findall(r"`(\w+)`", kinds.replace("`failed`", ""))
    assert names == list(CHANGE_KINDS)
