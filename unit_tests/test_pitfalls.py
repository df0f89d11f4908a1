"""docs/pitfalls.md is whole, resolves every citation, and names the tests that hold what it says."""

from __future__ import annotations

import re

import pytest

from unit_tests.pitfall_citations import Found, cited, collected, functions, texts, unresolved, untested
from unit_tests.pitfalls_page import PAGE, Pitfall, anchors, contents, faults, keys_in_order, read, table

TEXT = PAGE.read_text("utf-8")
PITFALLS = read(TEXT)
KEYS = [pitfall.key for pitfall in PITFALLS]
EACH = pytest.mark.parametrize("pitfall", PITFALLS, ids=KEYS)
OLDER = re.compile(r"\btraps? [A-N]\d")
LINK = re.compile(r"pitfalls\.md#([\w-]*)")

GOOD = """<a id="c5"></a>

### C5 — A listener is rewritten

- **Symptom**: Users
  get 503.
- **AWS says**: `must be behind listener`
- **Design**: The listener never changes.
- **Source**:
  [a page](https://docs.aws.amazon.com/)
- **Test**: Walked into by `test_walks`. Held by `c5_rule`,
  `test_holds`.
"""
KNOWN = (
    Found("test_walks", frozenset({"C5"}), "pitfall C5: users get 503"),
    Found("c5_rule", frozenset({"C5"})),
    Found("test_holds", frozenset({"C1", "C5"})),
    Found("test_of_another", frozenset({"C1"})),
    Found("test_of_two_modules", frozenset({"C5"})),
    Found("test_of_two_modules", frozenset({"C5"})),
)
TEST = GOOD.partition("- **Test**: ")[2]


@EACH
def test_each_pitfall_has_its_five_parts_and_a_source(pitfall: Pitfall) -> None:
    assert list(faults(pitfall)) == []


@EACH
def test_each_test_that_a_pitfall_names_exists_and_cites_it(pitfall: Pitfall) -> None:
    assert list(untested(pitfall, collected())) == []


@EACH
def test_each_pitfall_is_met_by_a_test_or_says_why_not(pitfall: Pitfall) -> None:
    assert any(pitfall.key in each.cites for each in collected()) or pitfall.reason, pitfall.title


@EACH
def test_each_reason_is_a_sentence_for_a_pitfall_that_no_test_walks_into(pitfall: Pitfall) -> None:
    if pitfall.reason:
        assert not any(pitfall.key in each.walks_into for each in collected())
        assert len(pitfall.reason.split()) > 4


def test_the_keys_are_in_order_and_none_is_left_out() -> None:
    assert keys_in_order(TEXT) == KEYS
    assert len(KEYS) == len(set(KEYS))
    letters = re.findall(r"^## ([A-Z])\. ", TEXT, re.M)
    assert letters == [chr(ord("A") + number) for number in range(len(letters))]


def test_each_test_that_walks_into_a_pitfall_says_first_which_it_is() -> None:
    on_purpose = [each for each in collected() if each.docstring is not None]
    assert on_purpose
    silent = [each.name for each in on_purpose if not each.walks_into]
    assert not silent, "their docstrings are to begin as `pitfall D1: what happens`"


def test_the_page_says_how_each_pitfall_is_tested() -> None:
    walked_into = {key for each in collected() for key in each.walks_into}
    held = {pitfall.key for pitfall in PITFALLS if pitfall.holders}
    right = table(KEYS, walked_into, held)
    assert right in TEXT, f"docs/pitfalls.md is to say:\n{right}"


def test_the_contents_list_every_section_and_pitfall() -> None:
    assert contents(TEXT) in TEXT, f"docs/pitfalls.md is to say:\n{contents(TEXT)}"


def test_every_pitfall_that_is_cited_anywhere_is_on_the_page() -> None:
    assert unresolved(texts(), set(KEYS)) == set()


def test_no_citation_is_of_the_older_form() -> None:
    """It would resolve to nothing, unnoticed."""
    assert re.search(OLDER, "(traps C5)")
    assert [path for path, text in texts().items() if re.search(OLDER, text)] == []


def test_every_link_to_a_pitfall_resolves() -> None:
    links = {(path, anchor) for path, text in texts().items() for anchor in LINK.findall(text)}
    links |= {("docs/pitfalls.md", anchor) for anchor in re.findall(r"\]\(#([^)]*)\)", TEXT)}
    assert {f"{path}: #{anchor}" for path, anchor in links if anchor not in anchors(TEXT)} == set()


def test_every_page_that_the_page_links_to_is_there_with_its_heading() -> None:
    links = re.findall(r"\]\(([^)#:]+\.md)#?([\w-]*)\)", TEXT)
    assert links
    for name, anchor in links:
        page = (PAGE.parent / name).read_text("utf-8")
        assert not anchor or anchor in anchors(page), f"{name}#{anchor}"


def test_a_whole_entry_is_read_and_has_no_fault() -> None:
    (pitfall,) = read(GOOD)
    assert (pitfall.key, pitfall.title, pitfall.anchor) == ("C5", "A listener is rewritten", "c5")
    assert pitfall.parts["Symptom"] == "Users get 503."
    assert (pitfall.walkers, pitfall.holders) == (["test_walks"], ["c5_rule", "test_holds"])
    assert [*faults(pitfall), *untested(pitfall, KNOWN)] == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("C5 — A", "A", "is not of the form"),
        ('id="c5"', 'id="c6"', "has the anchor 'c6'"),
        ('<a id="c5"></a>\n\n', "", "has the anchor ''"),
        ("- **Design**: The listener never changes.\n", "", "has the parts"),
        ("**Symptom**: Users\n  get 503.", "**Symptom**:", "has the parts"),
        ("**AWS says**", "**ECS says**", "has the parts"),
        ("https://docs.aws.amazon.com/", "page.md", "links to no source"),
        (TEST, "`test_walks`.\n", "names no test, and does not say why"),
        ("`test_holds`", "`test_gone`", "names test_gone, of which there are 0"),
        ("`test_holds`", "`test_of_two_modules`", "of which there are 2"),
        ("`test_holds`", "`test_of_another`", "which does not cite it"),
        ("`c5_rule`", "`test_walks`", "says that test_walks holds it, which is not so"),
        ("`test_walks`", "`c5_rule`", "says that c5_rule walks into it, which is not so"),
        ("Walked into by `test_walks`. ", "", "does not say that test_walks walks into it"),
        (TEST, "None: nothing is wrong here at all.\n", "no test walks into it, but test_walks does"),
    ],
)
def test_a_broken_entry_is_noticed(old: str, new: str, fault: str) -> None:
    assert old in GOOD
    (pitfall,) = read(GOOD.replace(old, new))
    said = [*faults(pitfall), *untested(pitfall, KNOWN)]
    assert any(fault in one for one in said), said


def test_a_pitfall_that_is_left_out_or_moved_is_noticed() -> None:
    first, second = GOOD.replace("C5", "A1").replace("c5", "a1"), GOOD.replace("C5", "A3").replace("c5", "a3")
    assert keys_in_order(f"## A. One\n\n{first}\n{second}") == ["A1", "A2"]
    assert contents(f"## A. One, two\n\n{first}") == "- [A. One, two](#a-one-two): [A1](#a1)"


@pytest.mark.parametrize("text", ["# pitfall C99", '"""Why (pitfalls C5, Z1)."""', "(pitfalls B6, B77)"])
def test_a_citation_that_the_page_does_not_have_is_noticed(text: str) -> None:
    assert len(unresolved({"a.py": text}, set(KEYS))) == 1


def test_a_citation_has_one_of_two_forms() -> None:
    assert cited("(pitfall C5), (pitfalls C1, C10) and pitfall L") == {"C5", "C1", "C10", "L"}
    assert cited("a pitfall of AWS, pitfalls of AWS, trap C5") == frozenset()


@pytest.mark.parametrize(
    ("source", "cites"),
    [
        ('def test_x():\n    """Why (pitfall C5)."""', {"C5"}),
        ('def test_x():\n    """Why (trap C5)."""', set()),
        ("def test_x():\n    pass  # pitfalls C1, C2", {"C1", "C2"}),
        ("@mark('pitfall D1')\ndef test_x():\n    pass", {"D1"}),
        ("def test_x():\n    pass\n# pitfall C5", set()),
        ('"""pitfall C5"""\ndef helper():\n    """pitfall C5"""', set()),
        ('def test_x():\n    """What no pitfall is (pitfall L)."""', {"L"}),
    ],
)
def test_only_what_stands_in_a_test_is_a_citation(source: str, cites: set[str]) -> None:
    assert {key for each in functions(source) for key in each.cites} == cites


def test_a_rule_is_named_after_its_pitfall() -> None:
    rules = functions("def d1_the_image(): ...\ndef fargate_accepts(): ...", rules=True)
    assert [each.cites for each in rules] == [{"D1"}]
    assert list(functions("def d1_the_image(): ...")) == []


def test_a_test_walks_into_what_its_docstring_begins_with() -> None:
    source = 'def test_x():\n    """pitfalls D1, D2: the image is not read (pitfall C5)."""'
    (found,) = functions(source, on_purpose=True)
    assert found.walks_into == {"D1", "D2"}
    assert found.cites == {"D1", "D2", "C5"}
    (elsewhere,) = functions(source)
    assert elsewhere.walks_into == frozenset()
