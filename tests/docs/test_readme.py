"""What the README promises: its size, its order, targets of make, seeds, and pictures that are small."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^## (.+)$", README, re.MULTILINE)


def test_it_has_at_most_1600_words() -> None:
    assert len(README.split()) <= 1_600


def test_its_parts_come_in_the_order_in_which_a_reader_needs_them() -> None:
    parts = ["How it fits together", "Start", "Connect your data", "Use it", "Operate it", "Reference"]
    assert parts == HEADINGS


def test_the_table_of_contents_names_every_part_in_order() -> None:
    contents = README.partition("\n## ")[0]
    anchors = [heading.lower().replace(" ", "-") for heading in HEADINGS]
    named = [anchor for anchor in re.findall(r"\]\(#([^)]+)\)", contents) if anchor in anchors]
    assert named == anchors


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in set(
            re.findall(r"\bmake ([a-z]+)(?:`|  |$)", page.read_text(encoding="utf-8"), re.MULTILINE)
        ):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page.name}: make {target}"


def test_every_seed_is_named() -> None:
    for path in (ROOT / "seeds").glob("*.csv"):
        assert f"`{path.name}`" in README, path.name


def test_pictures_have_a_text_and_are_small() -> None:
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", README)
    assert {target for _, target in pictures} == {"docs/architecture.svg", "docs/panel.png"}
    for text, target in pictures:
        assert len(text) > 40, target
        assert (ROOT / target).stat().st_size < 200_000, target


def test_the_drawing_has_colours_for_light_and_dark_and_loads_nothing() -> None:
    drawing = (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8")
    ET.fromstring(drawing)
    light, _, dark = drawing.partition("@media (prefers-color-scheme: dark)")
    for name in (".paper", ".box", ".step", ".area", ".line", "text"):
        assert f"{name} {{" in light, name
        assert f"{name} {{" in dark, name
    assert "<image" not in drawing
    assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "")
