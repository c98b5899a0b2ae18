"""The journal, on settings in memory."""

import journal
from fakes import Settings as Kept


class Board:
    reset_cause = "power on"

    def __init__(self, kept=None):
        self.kept = kept or Kept()

    def settings(self):
        return self.kept


def entries(board) -> list:
    buf = bytearray(600)
    found = []
    for k in range(4):
        n = board.kept.load("journal%d" % k, buf)
        if n >= 0:
            found.append(bytes(buf[:n]))
    return found


def test_entries_are_numbered_and_the_oldest_goes():
    board = Board()
    for k in range(6):
        journal.note(board, "text %d" % k)
    assert entries(board) == [b"4 text 4", b"5 text 5", b"2 text 2", b"3 text 3"]


def test_of_a_long_text_the_end_is_kept():
    board = Board()
    journal.note(board, "a" * 1000 + "the end")
    (entry,) = entries(board)
    assert len(entry) == 507
    assert entry[:3] == b"0 a"
    assert entry[-7:] == b"the end"


def test_an_exception_with_its_time_and_the_cause_of_the_start():
    board = Board()
    try:
        raise ValueError("of the test")
    except ValueError as error:
        journal.note_exception(board, error, 3605)
    (entry,) = entries(board)
    assert entry[:26] == b"0 up 3605 s since power on"
    assert b"ValueError: of the test" in entry


def test_what_cannot_be_kept_does_not_raise():
    class Full(Kept):
        def replace(self, name, buf, n):
            raise OSError(28)

    board = Board(Full())
    journal.note(board, "lost")
    assert entries(board) == []


def test_a_board_without_a_file_system():
    class Bare:
        def settings(self):
            raise OSError(19)

    journal.note(Bare(), "lost")
