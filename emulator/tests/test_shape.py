"""The emulator stands alone, and its README tells the truth."""

import ast
import re
import sys
from pathlib import Path

from emulator.churn import KINDS as CHURN
from emulator.control import ROUTES
from emulator.spoil import KINDS
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


def test_it_imports_werkzeug_the_standard_library_and_itself() -> None:
    modules = list(HERE.glob("*.py"))
    assert len(modules) > 10
    used = set().union(*(imported(path) for path in modules))
    assert used - sys.stdlib_module_names == {"werkzeug", "emulator"}


def test_readme_shows_every_switch_with_its_values() -> None:
    shown = re.findall(r"^\| `(\w+)` \| (`[^|]*`) \| (.+) \|$", README, flags=re.MULTILINE)
    told = [(name, values, question) for name, values, question in shown if name in SWITCHES]
    assert told == [
        (name, ", ".join(f"`{value}`" for value in switch.values), switch.question)
        for name, switch in SWITCHES.items()
    ]


def test_readme_shows_every_fault_with_its_options() -> None:
    for name, kind in KINDS.items():
        rows = [row for row in README.splitlines() if row.startswith(f"| `{name}` ")]
        assert rows, name
        for option in kind.options.keys() - {"status", "headers", "body", "text"}:
            assert any(f"`{option}`" in row for row in rows), f"{name} {option}"


def test_readme_shows_every_control_route() -> None:
    for rule in ROUTES.iter_rules():
        assert rule.rule.replace("<order_id>", "$ID") in README


def test_readme_says_first_what_is_not_imitated() -> None:
    headings = re.findall(r"^## (.+)$", README, flags=re.MULTILINE)
    assert headings == ["What it does not imitate", "Running it", "Our guesses", "Control routes"]


def test_readme_shows_every_kind_of_churn() -> None:
    (told,) = re.findall(r"Kinds: (.+?)\.\n", README, flags=re.DOTALL)
    names = re.findall(r"`(\w+)`", told.replace("`failed`", ""))
    assert names == list(CHURN)
