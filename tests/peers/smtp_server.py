"""A real SMTP server (aiosmtpd) for the tests: keeps each mail as a file, demands TLS and a login.

usage: smtp_server.py FOLDER PORT starttls|tls USER PASSWORD
Writes FOLDER/ca.pem, prints {"port": N} when ready. Each mail is FOLDER/N.eml, written whole before it is acknowledged.
"""

import asyncio
import datetime
import ipaddress
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder):
    """A CA of its own and a server certificate under it: a certificate that is its own CA is refused by rustls."""
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)

    def build(name, key, issuer, issuer_key, ca):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    ca = build(ca_name, ca_key, ca_name, ca_key, True)
    leaf = build(name, key, ca_name, ca_key, False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "leaf.pem").write_bytes(leaf.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem", folder / "key.pem")
    return context


class Keep:
    def __init__(self, folder):
        self.folder = folder
        self.count = len(list(folder.glob("*.eml")))

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        head = f"X-Rcpt: {','.join(envelope.rcpt_tos)}\r\n".encode()
        (self.folder / f"{self.count}.eml").write_bytes(head + envelope.content)
        return "250 kept"


async def main():
    folder, port, kind, user, password = pathlib.Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
    folder.mkdir(parents=True, exist_ok=True)
    context = certificate(folder)
    keep = Keep(folder)

    def authenticate(server, session, envelope, mechanism, data):
        good = data.login == user.encode() and data.password == password.encode()
        return AuthResult(success=good)

    def protocol():
        common = {"authenticator": authenticate, "auth_required": True}
        if kind == "tls":
            return SMTP(keep, auth_require_tls=False, **common)
        return SMTP(keep, tls_context=context, require_starttls=True, **common)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", port, ssl=context if kind == "tls" else None)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


asyncio.run(main())
