"""The check of plain words finds each of them, and nothing inside other words."""

import pytest

from meeting_rooms.dev.plain_words import found_in


@pytest.mark.parametrize(
    "text",
    ["it begins anew", "who was outrun", "nobody vouches", "whoever asks", "def _told(x)",
     "told_minutes", "a stretch of time", "stretches", "let_go(tx)", "import wholes",
     "a rule goes round", "who comes by"],
)  # fmt: skip
def test_word__in_prose_or_a_name__is_found_with_a_plain_one(text: str):
    [(line, word, plain)] = found_in(text)
    assert line == 1
    assert word in text
    assert plain


@pytest.mark.parametrize("text", ["a whole day", "Bartold", "outstretched", "the manewer"])
def test_word__inside_another__is_left(text: str):
    assert list(found_in(text)) == []
