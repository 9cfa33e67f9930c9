"""Three RabbitMQ nodes on this machine: own ports, own cookie, own port mapper, loopback only, gone afterwards."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pika

# The script itself: the one on PATH is Debian's wrapper, which insists on the user rabbitmq.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
ADMINISTRATOR = "guest"  # its password, too: RabbitMQ lets this one in from loopback only
PATIENCE = 120.0
ABSENT = "RabbitMQ is not on this machine: apt-get install rabbitmq-server (its service need not run)"


def installed() -> bool:
    return SERVER.exists() and shutil.which("epmd") is not None


@dataclass
class Node:
    """One broker of the cluster."""

    name: str
    amqp: int
    management: int
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    told_before: int = 0

    @property
    def up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def booted(self) -> bool:
        """It said so itself. Its API answers a little earlier and misses virtual hosts made meanwhile (3.10)."""
        return self.up and b"completed with" in self.log.read_bytes()[self.told_before :]

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.told_before = log.tell()
            # A group of its own, so that the script and the virtual machine below it end together.
            self.process = subprocess.Popen(
                [str(SERVER)], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """As a power cut does: no goodbye, nothing written any more."""
        if self.process is not None:
            if self.up:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Cluster:
    """The nodes, and the two ways to talk to them."""

    def __init__(self, nodes: list[Node], vhost: str) -> None:
        self.nodes = nodes
        self.vhost = vhost

    def node(self, name: str) -> Node:
        (found,) = [node for node in self.nodes if node.name == name]
        return found

    @property
    def living(self) -> list[Node]:
        return [node for node in self.nodes if node.up]

    def api(self, method: str, path: str, body: Any = None, *, node: Node | None = None) -> Any:
        """The management API of a living node. ``{v}`` in the path is the virtual host. Raises HTTPError."""
        port = (node or self.living[0]).management
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api{path.replace('{v}', quote(self.vhost, safe=''))}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": "Basic " + base64.b64encode(f"{ADMINISTRATOR}:{ADMINISTRATOR}".encode()).decode(),
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                text = answer.read()
        except urllib.error.HTTPError as refused:
            refused.msg = f"{refused.msg}: {refused.read().decode(errors='replace')[:500]}"
            raise
        return json.loads(text) if text else None

    @contextmanager
    def channel(
        self, user: str = ADMINISTRATOR, password: str = ADMINISTRATOR, *, node: Node | None = None
    ) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
        """An AMQP channel that asks for confirms."""
        parameters = pika.ConnectionParameters(
            host="127.0.0.1",
            port=(node or self.living[0]).amqp,
            virtual_host=self.vhost,
            credentials=pika.PlainCredentials(user, password),
        )
        connection = pika.BlockingConnection(parameters)
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            if connection.is_open:
                connection.close()

    def heal(self) -> None:
        """Start what is down, and wait until all nodes see each other and every queue has all its members."""
        for node in self.nodes:
            if not node.up:
                node.start()
        for node in self.nodes:
            until(lambda node=node: self._sees_all(node), f"{node.name} sees the whole cluster", node.log)

    def _sees_all(self, node: Node) -> bool:
        if not node.booted:
            return False
        try:
            seen = self.api("GET", "/nodes", node=node)
            queues = self.api("GET", "/queues", node=node)
        except (OSError, urllib.error.HTTPError, ValueError):
            return False
        whole = sum(one.get("running", False) for one in seen) == len(self.nodes)
        return whole and all(sorted(queue.get("online", [])) == sorted(queue.get("members", [])) for queue in queues)


def until(true: Callable[[], bool], what: str, log: Path | None = None) -> None:
    """Wait for something, and say what it was when it does not come."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            told = log.read_text(errors="replace")[-2000:] if log else ""
            raise TimeoutError(f"not within {PATIENCE:.0f} s: {what}\n{told}")
        time.sleep(0.1)


@contextmanager
def three_nodes(folder: Path, vhost: str) -> Iterator[Cluster]:
    """A running cluster of three, killed at the end whatever happens."""
    cookie = folder / ".erlang.cookie"
    cookie.write_text(secrets.token_hex(16))
    cookie.chmod(0o400)
    mapper = free_port()
    epmd = subprocess.Popen(["epmd", "-port", str(mapper), "-address", "127.0.0.1"])
    names = [f"tollgate-{letter}@localhost" for letter in "abc"]
    nodes = [_node(folder, name, names, mapper) for name in names]
    try:
        until(lambda: answers(mapper), "the port mapper listens")
        cluster = Cluster(nodes, vhost)
        cluster.heal()
        yield cluster
    finally:
        for node in nodes:
            node.kill()
        epmd.kill()
        epmd.wait()


def _node(folder: Path, name: str, names: list[str], mapper: int) -> Node:
    home = folder / name.partition("@")[0]
    home.mkdir()
    node = Node(name, amqp=free_port(), management=free_port(), environment={}, log=home / "console.log")
    discovery = [f"cluster_formation.classic_config.nodes.{index} = {one}" for index, one in enumerate(names, 1)]
    settings = [
        f"listeners.tcp.1 = 127.0.0.1:{node.amqp}",
        "management.tcp.ip = 127.0.0.1",
        f"management.tcp.port = {node.management}",
        "raft.wal_max_size_bytes = 16777216",
        "collect_statistics_interval = 1000",  # milliseconds; what the management API tells is as old
        "cluster_formation.peer_discovery_backend = classic_config",
        *discovery,
    ]
    (home / "rabbitmq.conf").write_text("\n".join(settings) + "\n")
    (home / "plugins").write_text("[rabbitmq_management].")
    node.environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(folder),  # where the cookie is
        "ERL_EPMD_PORT": str(mapper),
        "RABBITMQ_NODENAME": name,
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",  # not the machine's own
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(home / "data"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_PID_FILE": str(home / "pid"),
        # One scheduler each: three virtual machines share a small computer.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
    }
    return node


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
