"""Text from outside made fit for print: without the characters that documents cannot hold."""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


def printable(text: str) -> str:
    r"""The text with control characters and other unprintable ones replaced by a mark.

    Line and paragraph separators, marks that turn the direction of writing, and lone halves of
    characters go too: with them a name could rearrange the words around it.

    Examples
    --------
    >>> printable("a\x00b\u202ec")
    'a�b�c'
    """
    return _UNPRINTABLE.sub("\ufffd", text)
