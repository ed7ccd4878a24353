"""The plots: whole files in both languages, whatever the cases are called."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from edge_slm.bench import plots, results
from edge_slm.bench.record import Case
from edge_slm.errors import MissingError
from tests.bench.cases import CASE, a_case

ESTIMATE = {"joules_method": "estimate", "joules_scope": "cpu"}


def drawn(folder: Path, *cases: Case) -> dict[str, str]:
    """Return the names of the files and, of the SVGs, all text."""
    pytest.importorskip("matplotlib")
    texts = {}
    for path in plots.draw(cases, folder):
        if path.suffix == ".svg":
            tree = ElementTree.fromstring(path.read_bytes())
            texts[path.name] = "\n".join("".join(node.itertext()) for node in tree.iter())
        else:
            assert path.read_bytes().startswith(b"\x89PNG")
            texts[path.name] = ""
    assert sorted(texts) == sorted(path.name for path in folder.iterdir())
    return texts


def test_a_suite_gets_its_cost_and_its_quality(tmp_path: Path) -> None:
    found = drawn(tmp_path, CASE, a_case(case="b", contender="peer", **ESTIMATE))
    assert sorted(found) == [
        *("tasks-cost.png", "tasks-cost.svg", "tasks-quality.png", "tasks-quality.svg")
    ]
    assert "joules: rapl, package" in found["tasks-cost.svg"]
    assert "joules: estimate, cpu" in found["tasks-cost.svg"]
    assert "CPU-seconds" in found["tasks-cost.svg"]
    assert "joules per correct answer" in found["tasks-quality.svg"]
    assert "1: hr, edge-slm, small [rapl, package]" in found["tasks-quality.svg"]
    assert "2: b, peer, small [estimate, cpu]" in found["tasks-quality.svg"]


def test_the_plots_speak_french(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    found = drawn(tmp_path, a_case(**ESTIMATE))
    assert "coût d'une exécution" in found["tasks-cost.svg"]
    assert "joules par réponse juste" in found["tasks-quality.svg"]
    assert "estimation, cpu" in found["tasks-quality.svg"]


def test_without_joules_the_plots_are_of_cpu_seconds(tmp_path: Path) -> None:
    none: dict[str, Any] = dict.fromkeys(
        ("joules", "joules_low", "joules_high", "joules_method", "joules_scope")
    )
    found = drawn(tmp_path, a_case(**none))
    assert "joules" not in found["tasks-cost.svg"]
    assert "CPU-seconds per correct answer" in found["tasks-quality.svg"]


def test_what_was_not_judged_has_no_plot_of_quality(tmp_path: Path) -> None:
    assert len(drawn(tmp_path / "a", a_case(answers=None, correct=None))) == 2
    assert len(drawn(tmp_path / "b", a_case(correct=0))) == 2


def test_two_measures_of_quality_have_a_panel_each(tmp_path: Path) -> None:
    found = drawn(tmp_path, CASE, a_case(case="b", quality=55.0, quality_name="chrf"))
    assert "accuracy" in found["tasks-quality.svg"] and "chrf" in found["tasks-quality.svg"]


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize(
    "name", ["$x^{", "../../up", "a\0b\n", "日本" * 60, "<b>&", "%s {x} \\frac", ""]
)
def test_no_name_breaks_a_plot_or_leaves_the_folder(tmp_path: Path, name: str) -> None:
    case = a_case(suite=name, case=name, model=name, contender=name, joules_scope=name)
    assert len(drawn(tmp_path / "plots", case, CASE)) == 8 - 4 * (name == "tasks")
    assert [path.name for path in tmp_path.iterdir()] == ["home", "plots"] or not list(
        path for path in tmp_path.iterdir() if path.name not in ("home", "plots")
    )


def test_many_cases_and_a_case_of_nothing_are_drawn(tmp_path: Path) -> None:
    many = [a_case(case=f"case {n}", seconds=0.0, joules=0.0, cpu_seconds=0.0) for n in range(40)]
    assert len(drawn(tmp_path, *many)) == 4


def test_without_matplotlib_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingError, match=r"edge-slm\[plot\]"):
        plots.draw([CASE], tmp_path)


def test_the_plots_stand_beside_the_results(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert len(results.write_all(tmp_path, [CASE])) == 7
