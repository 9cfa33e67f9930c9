"""Cluster: the Kubernetes cluster of a platform on aws. Elsewhere there is one already, and somebody owns it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, ec2, eks, iam, vpc
from pulumi_kubernetes.storage.v1 import StorageClass

from components.access import assumed_by, assumed_by_pods, document, role
from components.base import Component
from components.naming import physical
from components.network import NetworkOutputs
from components.specs import ClusterSpec, Safety, Target

HTTPS = 443
# All that EKS can log (EKS user guide, "Control plane logs"); none is on by default.
LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
ADMINISTRATION = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
# The root disk of Amazon Linux 2023, which the encrypted disk has to stand in for.
ROOT_DISK = "/dev/xvda"


@dataclass(frozen=True)
class ClusterOutputs:
    """The cluster. ``administrators``: ARN of the one role that may do everything; ``roles``: ARN by service."""

    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    administrators: pulumi.Output[str]
    roles: dict[str, pulumi.Output[str]]


class Cluster(Component, token="tollgate:compute:Cluster"):
    """A Kubernetes cluster: EKS on aws. On kubernetes and edge it exists already, so this raises Refusal there.

    Declares: EKS cluster with its log group, role and security group; the role of administrators with its access
    entry; the node role, launch template and a managed node group per zone; the add-ons vpc-cni, kube-proxy,
    eks-pod-identity-agent, coredns and aws-ebs-csi-driver, with roles for those that call AWS; a role and a pod
    identity for each service; the StorageClass of encrypted disks that outlive their claims.

    Guarantees: the API has no public address (FSBP EKS.1); Secrets are encrypted under our own key (EKS.3); every kind
    of control-plane log is kept (EKS.8); who may do what is in access entries, none of which the cluster's maker gets
    unseen; no paid extended support begins by itself; nodes take metadata calls with a token only, and none from pods
    (EC2.8, EKS best practices); NetworkPolicies are enforced, which the vpc-cni add-on does not do by default.

    The first ``up`` of a stack takes two steps, because the API is private: network and cluster, then, from where the
    API can be reached (``api_ranges``), the rest.
    """

    def __init__(
        self,
        name: str,
        spec: ClusterSpec,
        *,
        target: Target,
        safety: Safety,
        network: NetworkOutputs,
        key_arn: pulumi.Input[str],
        namespace: str,
        services: Collection[str],
        storage_class: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self.refuse(spec.refused_by(target))
        self._spec = spec
        self._network = network
        self._key_arn = key_arn
        self._cluster = self._control_plane(physical(name), safety)
        administrators = self._administrators()
        # Pods get no address before vpc-cni runs, so nodes come after it; the rest needs nodes to run on.
        before = [
            self._addon("vpc-cni", spec.addons.vpc_cni, _NETWORK_POLICIES, ("aws-node", "AmazonEKS_CNI_Policy")),
            self._addon("kube-proxy", spec.addons.kube_proxy),
            self._addon("eks-pod-identity-agent", spec.addons.pod_identity_agent),
        ]
        nodes = self._nodes(before)
        self._addon("coredns", spec.addons.coredns, after=nodes)
        driver = ("ebs-csi-controller-sa", "service-role/AmazonEBSCSIDriverPolicy")
        disks = self._addon("aws-ebs-csi-driver", spec.addons.ebs_csi, None, driver, after=nodes)
        self._storage_class(storage_class, disks)
        roles = {service: self._identity(service, namespace) for service in services}
        self.outputs = self.register(
            ClusterOutputs(
                name=self._cluster.name,
                endpoint=self._cluster.endpoint,
                administrators=administrators,
                roles=roles,
            )
        )

    def _control_plane(self, called: str, safety: Safety) -> eks.Cluster:
        # EKS writes to a group of this name; made by EKS itself, it would keep everything for ever.
        logs = cloudwatch.LogGroup(
            self.child("logs"),
            name=f"/aws/eks/{called}/cluster",
            retention_in_days=self._spec.log_retention_days,
            opts=self.within(),
        )
        acts_as, ready = role(
            self.child("role"), assumed_by("eks.amazonaws.com"), ["AmazonEKSClusterPolicy"], opts=self.within()
        )
        door = self._doors()
        return eks.Cluster(
            self.child("cluster"),
            name=called,
            version=self._spec.kubernetes_version,
            role_arn=acts_as.arn,
            vpc_config={
                "subnet_ids": self._network.private_subnet_ids,
                "security_group_ids": [door.id],
                "endpoint_private_access": True,
                "endpoint_public_access": False,
            },
            encryption_config={"provider": {"key_arn": self._key_arn}, "resources": ["secrets"]},
            enabled_cluster_log_types=list(LOGS),
            access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": False},
            bootstrap_self_managed_addons=False,  # the add-ons below are the ones that are pinned
            upgrade_policy={"support_type": "STANDARD"},
            deletion_protection=safety.deletion_protection,
            opts=self.stateful(depends_on=[logs, *ready]),
        )

    def _doors(self) -> ec2.SecurityGroup:
        """Nodes and the API reach each other (EKS user guide, "Security group requirements"); named ranges the API."""
        workloads = self._network.workloads
        plane = ec2.SecurityGroup(
            self.child("api"),
            vpc_id=self._network.vpc_id,
            description="Kubernetes API: from nodes and named ranges, on port 443; out to nodes",
            revoke_rules_on_delete=True,
            opts=self.within(),
        )
        self._let_in("api-in", plane.id, "Nodes and pods call the API", HTTPS, HTTPS, workloads)
        for cidr in self._spec.api_ranges:
            vpc.SecurityGroupIngressRule(
                self.child(f"api-from-{cidr.replace('.', '-').replace('/', '-')}"),
                security_group_id=plane.id,
                description="People and CI call the API",
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=HTTPS,
                to_port=HTTPS,
                opts=self.within(),
            )
        vpc.SecurityGroupEgressRule(
            self.child("api-out"),
            security_group_id=plane.id,
            description="The API calls kubelets, webhooks and aggregated APIs",
            referenced_security_group_id=workloads,
            ip_protocol="-1",
            opts=self.within(),
        )
        # Operators choose the ports of their webhooks, so no shorter list holds.
        self._let_in("nodes-from-api", workloads, "The API calls kubelets and webhooks", 1025, 65535, plane.id)
        vpc.SecurityGroupIngressRule(
            self.child("nodes-from-nodes"),
            security_group_id=workloads,
            description="Pods reach pods on other nodes; NetworkPolicies say which",
            referenced_security_group_id=workloads,
            ip_protocol="-1",
            opts=self.within(),
        )
        return plane

    def _let_in(
        self, name: str, group: pulumi.Input[str], why: str, first: int, last: int, source: pulumi.Input[str]
    ) -> None:
        vpc.SecurityGroupIngressRule(
            self.child(name),
            security_group_id=group,
            description=why,
            referenced_security_group_id=source,
            ip_protocol="tcp",
            from_port=first,
            to_port=last,
            opts=self.within(),
        )

    def _administrators(self) -> pulumi.Output[str]:
        """The one role that may do everything; the account's own IAM policies say who may take it on."""
        trust = self._network.account.apply(
            lambda account: document(
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                }
            )
        )
        who = iam.Role(self.child("administrators"), assume_role_policy=trust, opts=self.within())
        entry = eks.AccessEntry(
            self.child("administrators"),
            cluster_name=self._cluster.name,
            principal_arn=who.arn,
            type="STANDARD",
            opts=self.within(),
        )
        eks.AccessPolicyAssociation(
            self.child("administrators"),
            cluster_name=self._cluster.name,
            principal_arn=entry.principal_arn,
            policy_arn=ADMINISTRATION,
            access_scope={"type": "cluster"},
            opts=self.within(),
        )
        return _arn(who)

    def _nodes(self, before: list[pulumi.Resource]) -> list[pulumi.Resource]:
        """A managed node group in each zone, so that a zone's disks always find a node beside them."""
        policies = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"]
        acts_as, ready = role(self.child("nodes"), assumed_by("ec2.amazonaws.com"), policies, opts=self.within())
        template = ec2.LaunchTemplate(
            self.child("nodes"), **_launch(self._spec, self._key_arn, self._network.workloads), opts=self.within()
        )
        count = self._spec.nodes_per_zone
        return [
            eks.NodeGroup(
                self.child(f"nodes-{zone}"),
                cluster_name=self._cluster.name,
                version=self._spec.kubernetes_version,
                node_role_arn=acts_as.arn,
                subnet_ids=[subnet],
                ami_type="AL2023_ARM_64_STANDARD" if self._spec.arm else "AL2023_x86_64_STANDARD",
                capacity_type="ON_DEMAND",
                instance_types=list(self._spec.instance_types),
                scaling_config={"min_size": count, "max_size": count, "desired_size": count},
                update_config={"max_unavailable": 1},
                node_repair_config={"enabled": True},
                launch_template={"id": template.id, "version": template.latest_version.apply(_as_text)},
                opts=self.within(depends_on=[*ready, *before]),
            )
            for zone, subnet in zip(self._network.zones, self._network.private_subnet_ids, strict=True)
        ]

    def _addon(
        self,
        name: str,
        version: str,
        configuration: dict[str, Any] | None = None,
        identity: tuple[str, str] | None = None,
        after: list[pulumi.Resource] | None = None,
    ) -> eks.Addon:
        """One add-on, at a pinned release. ``identity``: its service account, and the AWS policy of its own role."""
        associations, ready = None, list(after or [])
        if identity:
            account, policy = identity
            trust = assumed_by_pods("kube-system", account)
            acts_as, made = role(self.child(name), trust, [policy], opts=self.within())
            associations, ready = [{"service_account": account, "role_arn": acts_as.arn}], [*ready, *made]
        return eks.Addon(
            self.child(name),
            cluster_name=self._cluster.name,
            addon_name=name,
            addon_version=version,
            configuration_values=json.dumps(configuration, sort_keys=True) if configuration else None,
            pod_identity_associations=associations,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",  # what is declared here is what runs
            opts=self.within(depends_on=ready),
        )

    def _identity(self, service: str, namespace: str) -> pulumi.Output[str]:
        """A role for one service. It may do nothing yet: each component that a service uses adds its own grant."""
        acts_as, _ = role(self.child(service), assumed_by_pods(namespace, service), opts=self.within())
        eks.PodIdentityAssociation(
            self.child(service),
            cluster_name=self._cluster.name,
            namespace=namespace,
            service_account=service,
            role_arn=acts_as.arn,
            opts=self.within(),
        )
        return _arn(acts_as)

    def _storage_class(self, called: str, driver: eks.Addon) -> None:
        StorageClass(
            self.child("disks"),
            metadata={"name": called},
            provisioner="ebs.csi.aws.com",
            parameters={"type": "gp3", "encrypted": "true", "kmsKeyId": self._key_arn},
            reclaim_policy="Retain",
            volume_binding_mode="WaitForFirstConsumer",  # the disk is made in the zone where its pod will run
            allow_volume_expansion=True,
            # Its parameters cannot change, and its name is taken; disks made from it do not need it any more.
            opts=self.within(depends_on=[driver], delete_before_replace=True),
        )


# Without this the NetworkPolicies of every namespace are there to be read, and nothing more (EKS user guide).
_NETWORK_POLICIES = {"enableNetworkPolicy": "true"}


def _launch(spec: ClusterSpec, key_arn: pulumi.Input[str], workloads: pulumi.Input[str]) -> dict[str, Any]:
    """The launch template's arguments."""
    disk = {
        "volume_type": "gp3",
        "volume_size": spec.node_disk_gib,
        "encrypted": "true",
        "kms_key_id": key_arn,
        "delete_on_termination": "true",
    }
    return {
        "update_default_version": True,
        "vpc_security_group_ids": [workloads],
        "block_device_mappings": [{"device_name": ROOT_DISK, "ebs": disk}],
        # One hop ends at the node: a pod that asks for the node's own rights gets no answer.
        "metadata_options": {"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
    }


def _arn(role: iam.Role) -> pulumi.Output[str]:
    return pulumi.Output.from_input(role.arn)


def _as_text(version: Any) -> str:
    return str(int(version))
