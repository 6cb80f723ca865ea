"""Valid and invalid TLS certificates for tests, created by the openssl command."""

import ssl
import subprocess
import tempfile
import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

from requests.utils import DEFAULT_CA_BUNDLE_PATH


@dataclass(frozen=True)
class Certificates:
    """PEM files created by `make_certificates`; clients must trust `ca`."""

    directory: Path
    ca: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ca", self.directory / "ca.pem")

    def context(self, name: str) -> ssl.SSLContext:
        """Return a server's context with a good, expired, wrong_host or self_signed certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / f"{name}.pem", self.directory / f"{name}.key")
        return context

    def old_protocol(self) -> ssl.SSLContext:
        """Return a context with the good certificate that allows TLS 1.1 at most."""
        context = self.context("good")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        return context


def make_certificates(directory: Path) -> Certificates:
    """Create a certificate authority and its valid and invalid certificates for localhost."""
    _openssl(
        directory,
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=Test CA"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    _issue(directory, "good", host="localhost", days=30)
    # A certificate that expires in the second of its creation.
    _issue(directory, "expired", host="localhost", days=0)
    _issue(directory, "wrong_host", host="elsewhere.test", days=30)
    _openssl(
        directory,
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", "self_signed.key", "-out", "self_signed.pem", "-days", "30"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
    )
    return Certificates(directory)


def small_ca_bundle() -> Path:
    """Return a small CA bundle for clients without TLS: the usual one takes 20 ms to load."""
    return Path(_one_authority().name)


@cache
def _one_authority() -> IO[str]:
    mark = "-----END CERTIFICATE-----\n"
    bundle = tempfile.NamedTemporaryFile("w", suffix=".pem")  # noqa: SIM115  (gone at the end)
    bundle.write(Path(DEFAULT_CA_BUNDLE_PATH).read_text("utf-8").partition(mark)[0] + mark)
    bundle.flush()
    return bundle


def _issue(directory: Path, name: str, *, host: str, days: int) -> None:
    extensions = directory / f"{name}.ext"
    extensions.write_text(
        f"subjectAltName=DNS:{host}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    )
    _openssl(
        directory,
        *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}"),
    )
    _openssl(
        directory,
        *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
        *("-CAcreateserial", "-out", f"{name}.pem", "-days", str(days)),
        *("-extfile", extensions.name),
    )


def _openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)
