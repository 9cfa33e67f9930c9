"""RabbitCluster: the message broker, run by the RabbitMQ cluster operator or as Amazon MQ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pulumi
from pulumi_aws import ec2, mq, secretsmanager, vpc
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.base import Component, Refusal
from components.cluster import Place, custom_resource
from components.naming import labels, physical
from components.network import NetworkOutputs
from components.rabbit_nodes import CLIENT, cluster_manifest, disruption_budget, doors
from components.specs import AmazonMqSpec, BrokerSpec, Safety, Target
from components.specs.broker import COPIES_THAT_SURVIVE

ADMINISTRATOR = "platform"
AMAZON_DOORS = {"amqps": 5671, "management": 443}


@dataclass(frozen=True)
class RabbitOutputs:
    """How to reach the broker, with TLS. ``secret_ref`` names the Secret of its administrator in ``namespace``."""

    cluster: str
    namespace: pulumi.Input[str]
    host: pulumi.Output[str]
    port: int
    secret_ref: str


class RabbitCluster(Component, token="tollgate:messaging:RabbitCluster"):
    """A RabbitMQ cluster.

    Declares, with kind operator: RabbitmqCluster, NetworkPolicy, and with three nodes or more a PodDisruptionBudget
    (the operator makes none). With kind amazon-mq: the broker, a security group with a rule for clients and one for
    the topology operator, and the ExternalSecret by which that operator signs in.

    Guarantees, with kind operator: the image is pinned by its digest; no port without TLS; nodes on different hosts
    and zones; disks outlive the cluster object; new nodes get copies of existing quorum queues. The topology operator
    must trust the Secret's CA (its documentation, "TLS"). With kind amazon-mq: three nodes in three zones, private,
    encrypted with the platform's key, logged.

    Passwords: the operator makes its own, in the cluster. Amazon MQ takes its administrator's password only as an
    argument (pulumi_aws 7.51 has no write-only form), so it is read from Secrets Manager while the plan is made, by
    whoever deploys, and marked secret: the state holds it encrypted by the stack's secrets provider, never in plain
    text. A later change is ignored, as the provider ignores it: so rotate it in the broker and in Secrets Manager
    after the first deployment, and what the state holds opens nothing.

    Raises Refusal on edge, and where Amazon MQ cannot keep its promise.
    """

    def __init__(
        self,
        name: str,
        spec: BrokerSpec,
        *,
        target: Target,
        safety: Safety,
        place: Place,
        network: NetworkOutputs | None = None,
        key_arn: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self.refuse(spec.refused_by(target))
        self.spec = spec
        # What topology objects depend on, and how they name the broker.
        self.ready: pulumi.Resource
        self.reference: dict[str, Any]
        if spec.amazon_mq is None:
            outputs = self._operator(physical(name), spec, place)
        else:
            if network is None or key_arn is None:
                raise Refusal(f"{name}: Amazon MQ needs a network and a KMS key")
            if len(network.data_subnet_ids) < COPIES_THAT_SURVIVE:
                self.refuse([("kind", "with two zones, one holds most of the nodes; give the network three zones")])
            outputs = self._amazon_mq(physical(name), spec.amazon_mq, place, network, key_arn)
        self.outputs = self.register(outputs)

    def _operator(self, called: str, spec: BrokerSpec, place: Place) -> RabbitOutputs:
        self.ready = custom_resource(
            self.child("cluster"),
            "rabbitmq.com/v1beta1",
            "RabbitmqCluster",
            place=place,
            called=called,
            ready="condition=AllReplicasReady",
            spec=cluster_manifest(called, spec, place),
            opts=self.stateful(),
        )
        self.reference = {"name": called, "namespace": place.namespace}
        metadata = {"namespace": place.namespace, "labels": labels(called)}
        NetworkPolicy(self.child("doors"), metadata=metadata, spec=doors(called), opts=self.within())
        if spec.replicas > 1:
            PodDisruptionBudget(
                self.child("disruptions"), metadata=metadata, spec=disruption_budget(called), opts=self.within()
            )
        return RabbitOutputs(
            cluster=called,
            namespace=place.namespace,
            host=pulumi.Output.concat(f"{called}.", place.namespace, ".svc"),
            port=CLIENT,
            secret_ref=f"{called}-default-user",
        )

    def _amazon_mq(
        self, called: str, spec: AmazonMqSpec, place: Place, network: NetworkOutputs, key_arn: pulumi.Input[str]
    ) -> RabbitOutputs:
        password = secretsmanager.get_secret_version_output(
            secret_id=spec.password_secret_ref, opts=pulumi.InvokeOutputOptions(parent=self)
        ).secret_string
        broker = mq.Broker(
            self.child("broker"),
            broker_name=called,
            engine_type="RabbitMQ",
            engine_version=spec.engine_version,
            host_instance_type=spec.instance_type,
            deployment_mode="CLUSTER_MULTI_AZ",
            publicly_accessible=False,
            subnet_ids=network.data_subnet_ids,
            security_groups=[self._amazon_door(network)],
            encryption_options={"use_aws_owned_key": False, "kms_key_id": key_arn},
            logs={"general": True},
            auto_minor_version_upgrade=True,  # patch releases, in the window below; RabbitMQ brokers must take them
            apply_immediately=False,
            maintenance_window_start_time={
                "day_of_week": spec.maintenance_day,
                "time_of_day": spec.maintenance_time,
                "time_zone": "UTC",
            },
            users=[{"username": ADMINISTRATOR, "password": pulumi.Output.secret(password)}],
            opts=self.stateful(ignore_changes=["users"], additional_secret_outputs=["users"]),
        )
        connection = f"{called}-connection"
        self.ready = custom_resource(
            self.child("connection"),
            "external-secrets.io/v1",
            "ExternalSecret",
            place=place,
            called=connection,
            ready="condition=Ready",
            spec=_connection(connection, spec, broker.instances[0].console_url),
            opts=self.within(),
        )
        self.reference = {"connectionSecret": {"name": connection}}
        return RabbitOutputs(
            cluster=called,
            namespace=place.namespace,
            host=broker.instances[0].endpoints[0].apply(lambda url: str(urlsplit(url).hostname)),
            port=AMAZON_DOORS["amqps"],
            secret_ref=connection,
        )

    def _amazon_door(self, network: NetworkOutputs) -> pulumi.Output[str]:
        """A security group that only workloads may enter."""
        door = ec2.SecurityGroup(
            self.child("door"),
            vpc_id=network.vpc_id,
            description="Message broker: from workloads, with TLS; nothing goes out",
            revoke_rules_on_delete=True,
            opts=self.within(),
        )
        for use, port in AMAZON_DOORS.items():
            vpc.SecurityGroupIngressRule(
                self.child(f"{use}-in"),
                security_group_id=door.id,
                description=f"Workloads reach the broker ({use})",
                referenced_security_group_id=network.workloads,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                opts=self.within(),
            )
        group: pulumi.Output[str] = door.id
        return group


def _connection(called: str, spec: AmazonMqSpec, console_url: pulumi.Output[str]) -> dict[str, Any]:
    """The Secret that the topology operator asks for. External Secrets fills in the password, inside the cluster."""
    filled = {
        "uri": pulumi.Output.concat(console_url, ":443"),  # the operator's own default is RabbitMQ's port
        "username": ADMINISTRATOR,
        "password": "{{ .password }}",
    }
    return {
        "refreshInterval": "1h",
        "secretStoreRef": {"kind": "ClusterSecretStore", "name": spec.secret_store_ref},
        "target": {
            "name": called,
            "creationPolicy": "Owner",
            "deletionPolicy": "Retain",
            "template": {"engineVersion": "v2", "data": filled},
        },
        "data": [{"secretKey": "password", "remoteRef": {"key": spec.password_secret_ref}}],
    }
