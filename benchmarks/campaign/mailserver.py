"""python -m benchmarks.campaign.mailserver SOCKET FILE SEED: a mail server that fails as real ones do, until SIGUSR1.

SOCKET is the number of a listening socket that it was given.

It keeps a line for each mail it took: Message-ID, tab, receivers.
"""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import sys
from pathlib import Path
from typing import Any

FAULTS = {"refused": 0.1, "later": 0.05, "never": 0.01, "dropped": 0.02}


class MailServer:
    def __init__(self, path: Path, rnd: random.Random) -> None:
        self.path, self.rnd, self.faults = path, rnd, dict(FAULTS)

    def _happens(self, fault: str) -> bool:
        return self.rnd.random() < self.faults.get(fault, 0)

    async def handle_RCPT(self, server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self._happens("refused"):
            server.transport.abort()
        if self._happens("later"):
            return "451 4.7.1 try again later"
        if self._happens("never"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        header = envelope.content.split(b"\r\n\r\n", 1)[0].replace(b"\r\n ", b" ").decode(errors="replace")
        ids = [line.split(":", 1)[1].strip() for line in header.split("\r\n") if line.lower().startswith("message-id:")]
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{' '.join(ids)}\t{','.join(envelope.rcpt_tos)}\n")
        if self._happens("dropped"):  # taken, but the sender never hears it
            server.transport.abort()
        return "250 OK"


async def main(place: int, path: Path, seed: int) -> None:
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()
    mails = MailServer(path, random.Random(seed))
    loop.add_signal_handler(signal.SIGUSR1, mails.faults.clear)
    server = await loop.create_server(lambda: SMTP(mails, enable_SMTPUTF8=True), sock=socket.socket(fileno=place))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
