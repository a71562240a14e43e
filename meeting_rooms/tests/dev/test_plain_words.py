"""The check of plain words finds each listed word, but not inside other words."""

import pytest

from meeting_rooms.dev.plain_words import found_in


@pytest.mark.parametrize(
    "text",
    ["it begins anew", "who was outrun", "no worker vouches", "whoever asks", "def _told(x)",
     "told_minutes", "a stretch of time", "stretches", "let_go(tx)", "import wholes",
     "a rule goes round", "who comes by", "who came by", "Nobody asks", "held by somebody",
     "Everybody reads", "no one else", "read afresh", "left out altogether", "two at the most",
     "it had its say", "one in its stead", "let go of a hold", "what was promised",
     "reckoned from it", "Say whether it is", "the very same room", "says what would do", "Wish"],
)  # fmt: skip
def test_word__in_prose_or_a_name__is_found_with_a_plain_word(text: str):
    [(line, word, plain)] = found_in(text)
    assert line == 1
    assert word in text
    assert plain


@pytest.mark.parametrize(
    "text",
    ["a whole day", "Bartold", "outstretched", "the manewer", 'accounts = ("nobody",)',
     "the account `nobody`", "outlet goods", "compromised", "at the moment"],
)  # fmt: skip
def test_word__inside_another__is_ignored(text: str):
    assert list(found_in(text)) == []
