"""Rules for who may do what in Kubernetes: roles, bindings and service accounts."""

from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH, MEDIUM
from tollgate.policy.statement import rule

GROUP = "kubernetes:rbac.authorization.k8s.io/v1"
# A patch adds to what is there, so it is judged like the whole.
ROLES = tuple(f"{GROUP}:{kind}" for kind in ("Role", "RolePatch", "ClusterRole", "ClusterRolePatch"))
BINDINGS = tuple(
    f"{GROUP}:{kind}" for kind in ("RoleBinding", "RoleBindingPatch", "ClusterRoleBinding", "ClusterRoleBindingPatch")
)
ACCOUNTS = ("kubernetes:core/v1:ServiceAccount", "kubernetes:core/v1:ServiceAccountPatch")
ESCALATING = ("bind", "escalate", "impersonate")
READING = ("get", "list", "watch")
# Resources with which one can act as another, or run anything.
POWERFUL = (
    "*/attach",
    "*/exec",
    "*/proxy",
    "*/token",
    "certificatesigningrequests/approval",
    "mutatingwebhookconfigurations",
    "nodes/*",
    "nodes/proxy",
    "pods/*",
    "pods/attach",
    "pods/ephemeralcontainers",
    "pods/exec",
    "serviceaccounts/*",
    "serviceaccounts/token",
    "validatingwebhookconfigurations",
)
EVERYONE = (
    "system:anonymous",
    "system:authenticated",
    "system:masters",
    "system:serviceaccounts",
    "system:unauthenticated",
)


def _role(**changed: Any) -> dict[str, Any]:
    return {"rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]} | changed]}


def _each_rule(role: Reading, check: Any) -> Check:
    return role["rules"].each(check)


def _without(values: Reading, *names: str) -> Check:
    return values.each(lambda value: value.none_of(*names))


@rule(
    id="access-role-name",
    why="A role for everything holds rights that nobody thought of, and next year's new ones.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.5", "CIS-Kubernetes 5.1.3"),
    types=ROLES,
    fix="name apiGroups, resources and verbs in each of rules",
    good=_role(),
    bad=_role(resources=["*"]),
    also_bad={
        "every action": _role(verbs=["get", "*"]),
        "every group": _role(apiGroups=["*"]),
    },
    also_good={"pages of the server": {"rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]}},
    # Kubernetes API reference, PolicyRule: a rule is about resources or about pages; no rules give nothing.
    defaults={"rules": None, "rules[*].apiGroups": None, "rules[*].resources": None},
)
def role_names_rights(role: Reading) -> Check:
    def named(part: Reading) -> Check:
        return _without(part["apiGroups"], "*") & _without(part["resources"], "*") & _without(part["verbs"], "*")

    return _each_rule(role, named)


@rule(
    id="access-role-escalate",
    why="Whoever may hand out rights, or act as somebody else, has all rights.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.5", "CIS-Kubernetes 5.1.8"),
    types=ROLES,
    fix="take bind, escalate and impersonate out of verbs",
    good={"rules": [{"verbs": ["get"]}]},
    bad={"rules": [{"verbs": ["bind"]}]},
    also_bad={
        "beyond its own": {"rules": [{"verbs": ["escalate"]}]},
        "as another": {"rules": [{"verbs": ["impersonate"]}]},
        "one of two": {"rules": [{"verbs": ["get"]}, {"verbs": ["get", "bind"]}]},
    },
    also_good={"two": {"rules": [{"verbs": ["get"]}, {"verbs": ["get", "list"]}]}},
    # Kubernetes API reference: no rules give nothing.
    defaults={"rules": None},
)
def role_escalates_nothing(role: Reading) -> Check:
    return _each_rule(role, lambda part: _without(part["verbs"], *ESCALATING))


@rule(
    id="access-role-secret",
    why="A role that may read all secrets of a namespace may become every service in it.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5", "CIS-Kubernetes 5.1.2", "Seed 15"),
    types=ROLES,
    fix="name the secrets in resourceNames",
    good=_role(resources=["secrets"], resourceNames=["gateway"]),
    bad=_role(resources=["secrets"], resourceNames=[]),
    also_good={
        "not secrets": _role(resourceNames=[]),
        "making them": _role(resources=["secrets"], verbs=["create"]),
        "making them, among others": _role(resources=["configmaps", "secrets"], verbs=["create"]),
        "changing them": _role(resources=["configmaps", "secrets"], verbs=["create", "update"]),
    },
    also_bad={
        "listing shows them, too": _role(resources=["configmaps", "secrets"], verbs=["create", "list"]),
        "as does watching": _role(resources=["configmaps", "secrets"], verbs=["watch"]),
    },
    # Kubernetes API reference: no rules give nothing; a rule without resources is about pages.
    defaults={"rules": None, "rules[*].resources": None},
)
def role_names_secrets(role: Reading) -> Check:
    def named(part: Reading) -> Check:
        harmless = _without(part["resources"], "secrets") | _without(part["verbs"], *READING)
        return part["resourceNames"].has_items().unless(harmless)

    return _each_rule(role, named)


@rule(
    id="access-role-power",
    why="Running commands in pods, signing tokens or changing what is admitted is a way to every secret.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5", "CIS-Kubernetes 5.1.4", "CIS-Kubernetes 5.1.10", "CIS-Kubernetes 5.1.13"),
    types=ROLES,
    fix="take the resource out, or give it to a person for a time",
    good=_role(resources=["pods"]),
    bad=_role(resources=["pods/exec"]),
    also_bad={
        "any part of a pod": _role(resources=["pods/*"]),
        "tokens": _role(resources=["pods", "serviceaccounts/token"]),
        "nodes": _role(resources=["nodes/proxy"]),
        "what is admitted": _role(resources=["mutatingwebhookconfigurations"]),
    },
    # Kubernetes API reference: no rules give nothing; a rule without resources is about pages.
    defaults={"rules": None, "rules[*].resources": None},
)
def role_without_power(role: Reading) -> Check:
    return _each_rule(role, lambda part: _without(part["resources"], *POWERFUL))


@rule(
    id="access-binding-admin",
    why="Whoever takes over an administrator of the cluster owns everything in it.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.5", "CIS-Kubernetes 5.1.1"),
    types=BINDINGS,
    fix="bind a role that names what is needed instead of cluster-admin, admin or edit",
    good={"roleRef": {"name": "gateway-reader"}},
    bad={"roleRef": {"name": "cluster-admin"}},
    also_bad={"of a namespace": {"roleRef": {"name": "admin"}}, "nearly": {"roleRef": {"name": "edit"}}},
)
def binding_not_admin(binding: Reading) -> Check:
    return binding["roleRef.name"].none_of("cluster-admin", "admin", "edit")


@rule(
    id="access-binding-named",
    why="A right that everybody has belongs to the next intruder, too.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.5", "CIS-Kubernetes 5.1.5", "CIS-Kubernetes 5.1.7"),
    types=BINDINGS,
    fix="name a service account of its own in subjects",
    good={"subjects": [{"kind": "ServiceAccount", "name": "gateway"}]},
    bad={"subjects": [{"kind": "ServiceAccount", "name": "default"}]},
    also_good={"a team": {"subjects": [{"kind": "Group", "name": "payments-developers"}]}},
    also_bad={
        "everybody who signs in": {"subjects": [{"kind": "Group", "name": "system:authenticated"}]},
        "every service": {"subjects": [{"kind": "Group", "name": "system:serviceaccounts"}]},
        "every service of a namespace": {"subjects": [{"kind": "Group", "name": "system:serviceaccounts:payments"}]},
        "nobody in particular": {
            "subjects": [{"kind": "ServiceAccount", "name": "gateway"}, {"name": "system:anonymous"}]
        },
    },
    # Kubernetes API reference: a binding without subjects gives nothing.
    defaults={"subjects": None},
)
def binding_names_subjects(binding: Reading) -> Check:
    def named(name: Any) -> bool:
        return isinstance(name, str) and name not in (*EVERYONE, "default") and not name.startswith(EVERYONE[3] + ":")

    return binding["subjects"].each(lambda subject: subject["name"].satisfies(named, "a subject of its own"))


@rule(
    id="access-account-tokenless",
    why="A program that never calls the cluster must not carry a key to it.",
    severity=MEDIUM,
    controls=("PCI-DSS 7.2.5", "CIS-Kubernetes 5.1.5", "CIS-Kubernetes 5.1.6"),
    types=ACCOUNTS,
    fix="set automountServiceAccountToken to false",
    good={"automountServiceAccountToken": False},
    bad={"automountServiceAccountToken": True},
)
def account_tokenless(account: Reading) -> Check:
    return account["automountServiceAccountToken"].is_false()
