"""RedisStore: Valkey that services coordinate through, or that they cache in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.base import Component, Refusal
from components.cluster import Place
from components.naming import physical
from components.network import NetworkOutputs
from components.redis_access import LOADER
from components.redis_alarms import alarms
from components.redis_elasticache import elasticache_store, iam_users, may_connect, user_name
from components.redis_functions import SignIn, libraries, load_functions, signs_in
from components.specs import RedisSpec, Safety, Target
from components.valkey import PORT, SENTINEL_PORT, FoundBy, RedisOutputs
from components.valkey_nodes import valkey_store

__all__ = ["RedisOutputs", "RedisStore"]


class RedisStore(Component, token="tollgate:data:RedisStore"):
    """One Valkey store, for coordination or as a cache.

    Declares, on aws: ElastiCache subnet group, parameter group, a user per service and their group, replication group
    of one shard; log groups; per service the right to sign in; alarms on memory and evictions (coordination), lag and
    processor of each node. On kubernetes and edge: ConfigMaps named by a digest of their content, headless Service,
    NetworkPolicy, StatefulSet of data nodes, each with an exporter; with replicas also a PodDisruptionBudget, and the
    same again for three Sentinels. For coordination, on all: the Job that loads the Valkey Functions, its name carrying
    their digest, with its ConfigMap and NetworkPolicy (on aws also its role, pod identity and ServiceAccount).

    Units: memory in MiB, storage in GiB, windows in UTC.

    Guarantees: TLS only; each service signs in as itself and reaches its own key prefixes with its own commands. For
    coordination nothing is ever evicted (an evicted lock or fence would open the way to a double spend): a full store
    refuses writes; with ``durable_writes`` no acknowledged write is lost; without, on kubernetes, a failover can lose
    what was acknowledged in the last moments, and a primary that is cut off stops writing before it is replaced. A node
    never takes itself for the primary, but asks a majority of Sentinels; one that has lost its data does not lead. A
    cache evicts, keeps nothing, and is never full.

    Passwords: on aws there are none: a token of IAM, good for 15 minutes, is asked for at each sign-in, so it rotates
    by itself. On kubernetes and edge they come from Secrets that others make; to change one, docs/how-to/run-valkey.md.

    Errors: Refusal when the target cannot keep a promise of the spec, or a dependency of the target is missing.

    Source: pulumi_aws.elasticache 7.51 (defaults), ElastiCache user guide, Valkey 9.1 documentation.
    """

    def __init__(
        self,
        name: str,
        spec: RedisSpec,
        *,
        target: Target,
        safety: Safety,
        place: Place,
        network: NetworkOutputs | None = None,
        key_arn: pulumi.Input[str] | None = None,
        roles: Mapping[str, pulumi.Input[str]] | None = None,
        tell: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self.refuse(spec.refused_by(target))
        self._name, self._spec, self._place = physical(name), spec, place
        if target is Target.AWS:
            if network is None or key_arn is None or roles is None:
                raise Refusal(f"{name}: on aws a Valkey store needs a network, a KMS key and the roles of its services")
            outputs = self._on_aws(safety, network, key_arn, roles, tell)
        else:
            outputs = self._on_kubernetes()
        self.outputs = self.register(outputs)

    def _on_aws(
        self,
        safety: Safety,
        network: NetworkOutputs,
        key_arn: pulumi.Input[str],
        roles: Mapping[str, pulumi.Input[str]],
        tell: Sequence[pulumi.Input[str]],
    ) -> RedisOutputs:
        called, spec = self._name, self._spec
        self.refuse((f"users.{who}", "has no role to sign in with") for who in spec.users if who not in roles)
        users = iam_users(self, called, spec)
        store = elasticache_store(self, called, spec, safety=safety, network=network, key_arn=key_arn, users=users)
        for service in spec.users:
            may_connect(self, service, roles[service], store, users[service])
        alarms(self, called, spec, tell=tell)
        if spec.purpose == "coordination":
            sign_in = signs_in(self, called, place=self._place, region=network.region, store=store, user=users[LOADER])
            self._load("cluster", store.configuration_endpoint_address, store, sign_in)
        return RedisOutputs(
            purpose=spec.purpose,
            found_by="cluster",
            host=store.configuration_endpoint_address,
            port=PORT,
            store=called,
            signs_in_by="iam",
            users={service: user_name(called, service) for service in spec.users},
            functions=_names(spec),
        )

    def _on_kubernetes(self) -> RedisOutputs:
        called, spec = self._name, self._spec
        host, store = valkey_store(self, called, spec, place=self._place)
        found_by: FoundBy = "sentinel" if spec.replicas else "address"
        if spec.purpose == "coordination":
            self._load(found_by, host, store)
        return RedisOutputs(
            purpose=spec.purpose,
            found_by=found_by,
            host=host,
            port=SENTINEL_PORT if spec.replicas else PORT,
            store=called,
            signs_in_by="password",
            users={service: service for service in spec.users},
            functions=_names(spec),
        )

    def _load(
        self, found_by: FoundBy, host: pulumi.Output[str], store: pulumi.Resource, sign_in: SignIn | None = None
    ) -> None:
        load_functions(
            self,
            self._name,
            self._spec,
            place=self._place,
            found_by=found_by,
            host=host,
            after=store,
            sign_in=sign_in,
        )


def _names(spec: RedisSpec) -> list[str]:
    return [name.removesuffix(".lua") for name in libraries(spec)]
