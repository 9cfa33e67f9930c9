"""The Job that loads the Valkey Functions of a coordination store: once for each change of what is shipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import eks, elasticache, iam
from pulumi_kubernetes.batch.v1 import Job
from pulumi_kubernetes.core.v1 import ConfigMap, ServiceAccount
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.access import assumed_by_pods
from components.base import Component
from components.cluster import RESTRICTED_CONTAINER, Place
from components.naming import digest_of, labels, opens
from components.redis_access import LOADER
from components.redis_elasticache import may_connect, user_name
from components.specs import RedisSpec
from components.valkey import PORT, SENTINEL_PORT, FoundBy, shipped
from components.valkey_pods import VALKEY_USER, environment, identity, passwords, surroundings
from components.valkey_settings import AUTHORITY, CERTIFICATES, PASSWORDS

SCRIPTS = "/functions"
SIZE = {"cpu": "100m", "memory": "64Mi"}  # a shell and valkey-cli, or Python for a moment
SCRATCH_SIZE = "1Mi"


@dataclass(frozen=True)
class SignIn:
    """How the Job signs in on aws: as an IAM-enabled user, with the role of a service account of its own."""

    service_account: pulumi.Input[str]
    user: str
    region: str
    ready: Sequence[pulumi.Resource]


def libraries(spec: RedisSpec) -> dict[str, str]:
    """The files of the libraries that a store has, by name. A cache has none: it may forget them."""
    return shipped("*.lua") if spec.purpose == "coordination" else {}


def load_functions(
    home: Component,
    called: str,
    spec: RedisSpec,
    *,
    place: Place,
    found_by: FoundBy,
    host: pulumi.Input[str],
    after: pulumi.Resource,
    sign_in: SignIn | None,
) -> None:
    """The Job, what it ships, and its way out. Loading replaces, so a run that is repeated changes nothing."""
    named = f"{called}-functions"
    files = {**shipped("common.sh", "load.sh"), **libraries(spec), **(shipped("sign_in.py") if sign_in else {})}
    revision = digest_of(files)
    scripts = ConfigMap(
        home.child("functions"),
        metadata={"name": f"{named}-{revision}", "namespace": place.namespace},
        immutable=True,
        data=files,
        opts=home.within(),
    )
    way_out = NetworkPolicy(
        home.child("functions-way-out"),
        metadata={"namespace": place.namespace},
        spec=_way_out(named),
        opts=home.within(),
    )
    told: dict[str, pulumi.Input[str]] = {
        **surroundings(called, spec, place.namespace),
        "FOUND_BY": found_by,
        "HOST": host,
    }
    pod = _pod(spec, scripts.metadata["name"], told, sign_in)
    Job(
        home.child("functions"),
        metadata={"name": f"{named}-{revision}", "namespace": place.namespace, "labels": labels(named)},
        spec={
            "parallelism": 1,
            "completions": 1,
            "backoffLimit": spec.loader.retries,
            "activeDeadlineSeconds": spec.loader.deadline_seconds,
            "ttlSecondsAfterFinished": spec.loader.kept_seconds,
            "template": {"metadata": {"labels": {**labels(named), **opens("redis")}}, "spec": pod},
        },
        opts=home.within(depends_on=[after, way_out, *(sign_in.ready if sign_in else ())]),
    )


def signs_in(
    home: Component,
    called: str,
    *,
    place: Place,
    region: str,
    store: elasticache.ReplicationGroup,
    user: elasticache.User,
) -> SignIn:
    """A role for the loader's pod, which may sign in to the store as the loader and do nothing else."""
    account = ServiceAccount(
        home.child(LOADER),
        metadata={"name": f"{called}-functions", "namespace": place.namespace},
        automount_service_account_token=False,
        opts=home.within(),
    )
    namespace = pulumi.Output.from_input(place.namespace)
    acts_as = iam.Role(
        home.child(LOADER),
        assume_role_policy=namespace.apply(lambda namespace: assumed_by_pods(namespace, f"{called}-functions")),
        opts=home.within(),
    )
    ready: list[pulumi.Resource] = [may_connect(home, LOADER, acts_as.arn, store, user)]
    if place.cluster is not None:
        ready.append(
            eks.PodIdentityAssociation(
                home.child(LOADER),
                cluster_name=place.cluster,
                namespace=place.namespace,
                service_account=account.metadata["name"],
                role_arn=acts_as.arn,
                opts=home.within(),
            )
        )
    return SignIn(account.metadata["name"], user_name(called, LOADER), region, ready)


def _pod(
    spec: RedisSpec, scripts: pulumi.Input[str], told: dict[str, pulumi.Input[str]], sign_in: SignIn | None
) -> dict[str, Any]:
    """Restricted (Pod Security Standards). On aws a container before it gets the token to sign in with."""
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": identity(VALKEY_USER),
        "containers": [_container("load", spec.image, ["/bin/sh", f"{SCRIPTS}/load.sh"], told)],
        "volumes": [{"name": "scripts", "configMap": {"name": scripts}}],
    }
    if sign_in is None:
        tls = {"secret": {"secretName": spec.tls_secret_ref, "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
        pod["volumes"] += [{"name": "passwords", **passwords(spec, [LOADER])}, {"name": "authority", **tls}]
        return pod
    asks = {"REGION": sign_in.region, "SIGNS_IN_AS": sign_in.user, "AUTHORITY": AUTHORITY}
    command = ["python3", f"{SCRIPTS}/sign_in.py"]
    pod["initContainers"] = [_container("sign-in", spec.loader.sign_in_image, command, {**told, **asks})]
    pod["serviceAccountName"] = sign_in.service_account
    scratch = {"emptyDir": {"medium": "Memory", "sizeLimit": SCRATCH_SIZE}}
    pod["volumes"] += [{"name": name, **scratch} for name in ("passwords", "authority")]
    return pod


def _container(name: str, image: str, command: list[str], told: dict[str, pulumi.Input[str]]) -> dict[str, Any]:
    return {
        "name": name,
        "image": image,
        "command": command,
        "env": environment(told),
        "resources": {"requests": SIZE, "limits": SIZE},
        "securityContext": RESTRICTED_CONTAINER,
        "volumeMounts": [
            {"name": "scripts", "mountPath": SCRIPTS, "readOnly": True},
            {"name": "passwords", "mountPath": PASSWORDS},
            {"name": "authority", "mountPath": CERTIFICATES},
        ],
    }


def _way_out(named: str) -> dict[str, Any]:
    """To DNS, to data nodes and to Sentinels; nothing calls the pod."""
    to_dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    to_store = [{"protocol": "TCP", "port": port} for port in (PORT, SENTINEL_PORT)]
    return {
        "podSelector": {"matchLabels": labels(named)},
        "policyTypes": ["Ingress", "Egress"],
        "egress": [{"ports": to_dns}, {"ports": to_store}],
    }
