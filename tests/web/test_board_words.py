"""Words of the board's pages that no page is needed for."""

from hub.web.board_page import minutes_more


def test_a_change_of_hours_is_told_in_hours():
    """A stop that brought a route forward by half a morning said "leaves 207 min earlier"."""
    told = [minutes_more(60 * n) for n in (0, 12, -5, 207, -60)]
    assert told == ["±0 min", "+12 min", "−5 min", "+3 h 27 min", "−1 h 00 min"]
