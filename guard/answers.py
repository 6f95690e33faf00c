"""What the guard says to Postfix: packets of the milter protocol, as bytes."""

from kilter.protocol.buffer import SimpleBuffer
from kilter.protocol.messages import ChangeHeader, Continue, InsertHeader, Negotiate, ReplyCode

Answer = ChangeHeader | Continue | InsertHeader | Negotiate | ReplyCode

# The longest reply to a client, and the longest change of a header that is ever sent, with its frame.
MAX_REPLY = 480
MAX_CHANGE = 400


def packed(*answers: Answer) -> bytes:
    """Return answers that are sent in one write: several small ones would each wake Postfix."""
    buffer = SimpleBuffer(MAX_REPLY * 2 + MAX_CHANGE * len(answers))
    for answer in answers:
        answer.pack(buffer)
    return bytes(buffer[:])


def reply(text: str) -> bytes:
    """Return an SMTP reply. Only ASCII may stand in it, and Postfix reads a percent sign twice (libmilter's way)."""
    plain = "".join(sign if " " <= sign <= "~" else "?" for sign in text)
    return packed(ReplyCode(plain[:MAX_REPLY].replace("%", "%%").encode() + b"\0"))
