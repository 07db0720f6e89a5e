"""A mail server that takes mail only with STARTTLS and a password, in a manner that a file says.

mail.py FOLDER [at once | in the clear]: FOLDER holds server.crt, server.key and manner; what arrives is written to received, a line of JSON
each. The port is printed. Run by the integration tests.
"""

import asyncio
import email
import email.policy
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

FOLDER = pathlib.Path(sys.argv[1])
HOW = sys.argv[2] if len(sys.argv) > 2 else ""


def manner():
    return (FOLDER / "manner").read_text()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if manner() == "refuses " + address:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if manner() == "slow":
            await asyncio.sleep(600)
        if manner() == "greylists":
            note("later", envelope)
            return "451 4.7.1 greylisted, please try again later"
        if manner() == "repeats the password":
            return "554 5.7.1 no mail from " + (FOLDER / "password").read_text()
        assert session.authenticated and (HOW == "at once" or session.ssl is not None)
        note("taken", envelope)
        return "250 OK"


def note(outcome, envelope):
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    line = {
        "outcome": outcome,
        "recipients": envelope.rcpt_tos,
        "subject": mail["Subject"],
        "to": mail["To"],
        "from": mail["From"],
        "date": mail["Date"],
        "message_id": mail["Message-ID"],
        "auto_submitted": mail["Auto-Submitted"],
        "text": mail.get_content(),
    }
    with open(FOLDER / "received", "a") as received:
        received.write(json.dumps(line) + "\n")


def authenticate(server, session, envelope, mechanism, data):
    password = (FOLDER / "password").read_text()
    right = data.login == b"mailer" and data.password == password.encode()
    if right:
        return AuthResult(success=True)
    # As no server should, it repeats what it was given.
    given = data.password.decode()
    return AuthResult(success=False, handled=False, message=f"535 5.7.8 {given} is not it, mailer")


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "server.crt", FOLDER / "server.key")
    loop = asyncio.get_running_loop()

    def session():
        return SMTP(
            Handler(),
            hostname="localhost",
            tls_context=None if HOW == "in the clear" else context,
            require_starttls=HOW == "",
            auth_required=True,
            auth_require_tls=HOW == "",
            authenticator=authenticate,
            loop=loop,
        )

    at_once = context if HOW == "at once" else None
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=at_once)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
