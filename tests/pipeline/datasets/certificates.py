"""Certificates of 127.0.0.1, good and bad, for servers of tests."""

import datetime
import ipaddress
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_NOW = datetime.datetime(2026, 1, 1)
_PEM = serialization.Encoding.PEM


class Authority:
    """Signs certificates; `file` holds its own, for SSL_CERT_FILE."""

    def __init__(self, folder):
        self._folder = str(folder)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("authority")
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = _builder(self._name, self._key, datetime.timedelta(days=36500))
        builder = builder.issuer_name(self._name)
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        builder = builder.add_extension(usage, critical=True)
        self.file = self._write("authority", builder.sign(self._key, hashes.SHA256()))

    def tls(self, *, host="127.0.0.1", expired=False, self_signed=False):
        """A server's TLS context with a certificate for `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        days = -1 if expired else 36500
        issuer, issuer_key = (_name("server"), key) if self_signed else (self._name, self._key)
        builder = _builder(_name("server"), key, datetime.timedelta(days=days))
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = builder.issuer_name(issuer).add_extension(names, critical=False)
        builder = builder.add_extension(identifier, critical=False)
        file = self._write("server", builder.sign(issuer_key, hashes.SHA256()), key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _write(self, name, certificate, key=None):
        path = os.path.join(self._folder, f"{name}.pem")
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        with open(path, "wb") as file:
            file.write(certificate.public_bytes(_PEM))
            file.write(key.private_bytes(_PEM, *plain) if key else b"")
        return path


def _name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _builder(name, key, until):
    begin = _NOW - datetime.timedelta(days=3650)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(_NOW + until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
