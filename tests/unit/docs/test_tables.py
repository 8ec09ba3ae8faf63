"""docs/tables.md says what the table metadata says."""

from warehouse import dictionary
from warehouse.tables import metadata
from warehouse.tables.base import Text, column, table


def test_the_dictionary_is_up_to_date() -> None:
    assert dictionary.PAGE.read_text() == dictionary.page(), "run `make docs`"


def test_the_dictionary_names_every_table_and_column() -> None:
    page = dictionary.page()
    for one in (t for t in metadata.tables.values() if t.schema != "raw"):
        section = page.split(f"\n### {one.fullname}\n")[1].split("\n### ")[0]
        rows = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert rows == [c.name for c in one.columns], one.fullname


def test_the_dictionary_is_the_same_every_time_and_leaves_the_metadata_alone() -> None:
    before = set(metadata.tables)
    assert dictionary.page() == dictionary.page()
    assert set(metadata.tables) == before


def test_a_changed_comment_changes_the_dictionary() -> None:
    """The comparison above can fail."""
    before = dictionary.page()
    one = table("ops", "probe", "Holds a | and <angle>", column("probe_id", Text, "Key", key=True), distribution=None)
    try:
        after = dictionary.page()
    finally:
        metadata.remove(one)
    assert after != before
    assert "Holds a \\| and &lt;angle>" in after
