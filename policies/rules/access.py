"""Rules for what a resource itself says of who may use it: resource policies, and calls of functions."""

from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.iam import each_allowing, names_who
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH
from tollgate.policy.statement import rule

# Everything with a resource policy in a property called "policy" (pulumi_aws 7.51.1).
CARRIERS = (
    "aws:backup/vaultPolicy:VaultPolicy",
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy",
    "aws:dynamodb/resourcePolicy:ResourcePolicy",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "aws:ecr/registryPolicy:RegistryPolicy",
    "aws:ecr/repositoryPolicy:RepositoryPolicy",
    "aws:efs/fileSystemPolicy:FileSystemPolicy",
    "aws:kms/externalKey:ExternalKey",
    "aws:kms/key:Key",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:kms/replicaKey:ReplicaKey",
    "aws:s3/accessPoint:AccessPoint",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketV2:BucketV2",
    "aws:secretsmanager/secret:Secret",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    "aws:sns/topic:Topic",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queue:Queue",
    "aws:sqs/queuePolicy:QueuePolicy",
)
PERMISSION = "aws:lambda/permission:Permission"
# Runtimes whose support has ended (Lambda developer guide, runtimes, deprecated).
ENDED = (
    "dotnet6",
    "dotnet7",
    "dotnetcore3.1",
    "go1.x",
    "java8",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs16.x",
    "nodejs18.x",
    "provided",
    "python3.6",
    "python3.7",
    "python3.8",
    "python3.9",
    "ruby2.7",
    "ruby3.2",
)


def _allows(**statement: Any) -> dict[str, Any]:
    return {"policy": {"Statement": [{"Effect": "Allow", **statement}]}}


@rule(
    id="access-principal-name",
    why="A queue, key, file or secret that lets anybody in belongs to everybody with an AWS account.",
    severity=CRITICAL,
    controls=(
        "PCI-DSS 7.2.1",
        "FSBP KMS.5",
        "FSBP S3.2",
        "FSBP S3.3",
        "FSBP SNS.4",
        "FSBP SQS.3",
    ),
    types=CARRIERS,
    fix="name the accounts, roles or services in Principal, or demand aws:PrincipalAccount or aws:PrincipalOrgID",
    good=_allows(Principal={"AWS": "arn:aws:iam::111122223333:role/gateway"}),
    bad=_allows(Principal={"AWS": "*"}),
    also_good={
        "everybody of our own": _allows(
            Principal="*", Condition={"StringEquals": {"aws:PrincipalAccount": "111122223333"}}
        ),
        "refusing is no risk": {"policy": {"Statement": [{"Effect": "Deny", "Principal": "*"}]}},
        "said elsewhere": {},
    },
    also_bad={
        "in short": _allows(Principal="*"),
        "one of two": {
            "policy": '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}},'
            ' {"Effect": "Allow", "Principal": {"AWS": ["111122223333", "*"]}}]}'
        },
    },
    # pulumi_aws 7.51.1: left out, there is none, that of a separate resource, or AWS's own (a key's: the account).
    defaults={"policy": None},
    later=("policy",),
)
def principal_named(resource: Reading) -> Check:
    policy = resource["policy"]
    return each_allowing(policy, names_who).unless(policy.is_left_out())


@rule(
    id="access-function-name",
    why="A function that anybody may call does its work, with its rights, for anybody.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.5", "FSBP Lambda.1"),
    types=(PERMISSION,),
    fix="name the caller in principal; for a service of AWS give sourceArn (or sourceAccount), too",
    good={"principal": "secretsmanager.amazonaws.com", "sourceArn": "arn:aws:secretsmanager:secret:one"},
    bad={"principal": "*", "sourceArn": "arn:aws:secretsmanager:secret:one"},
    also_good={
        "an account": {"principal": "111122223333"},
        "a service for one account": {"principal": "s3.amazonaws.com", "sourceAccount": "111122223333"},
    },
    also_bad={"a service, for whomever": {"principal": "secretsmanager.amazonaws.com", "sourceArn": ""}},
    later=("sourceArn",),
)
def function_caller_named(permission: Reading) -> Check:
    principal = permission["principal"]
    source = permission["sourceArn"].is_set().unless(permission["sourceAccount"].is_set())
    person = principal.satisfies(lambda name: not str(name).endswith(".amazonaws.com"), "no service")
    return principal.none_of("*") & source.unless(person)


@rule(
    id="access-function-sign",
    why="A function with an address on the internet and no sign-in is open to all of it.",
    severity=CRITICAL,
    controls=("PCI-DSS 1.4.4", "PCI-DSS 7.2.5", "FSBP Lambda.1"),
    types=("aws:lambda/functionUrl:FunctionUrl", PERMISSION),
    fix="set authorizationType (in a permission: functionUrlAuthType) to AWS_IAM",
    good={"authorizationType": "AWS_IAM", "functionUrlAuthType": "AWS_IAM"},
    bad={"authorizationType": "NONE", "functionUrlAuthType": "AWS_IAM"},
    also_bad={"by permission": {"authorizationType": "AWS_IAM", "functionUrlAuthType": "NONE"}},
    # pulumi_aws 7.51.1: an address must say which; a permission is about an address only if it says so.
    defaults={"authorizationType": None, "functionUrlAuthType": None},
)
def function_signs_in(function: Reading) -> Check:
    return function["authorizationType"].one_of("AWS_IAM") & function["functionUrlAuthType"].one_of("AWS_IAM")


@rule(
    id="access-function-runtime",
    why="A language version past its end of life gets no repairs.",
    severity=HIGH,
    controls=("PCI-DSS 6.3.3", "FSBP Lambda.2"),
    types=("aws:lambda/function:Function",),
    fix="set runtime to a version that AWS still supports",
    good={"runtime": "python3.13"},
    bad={"runtime": "python3.8"},
    also_good={"an image": {"packageType": "Image"}},
    also_bad={
        "another language": {"runtime": "nodejs16.x"},
        "an old base": {"runtime": "provided"},
        "an old Java": {"runtime": "java8"},
    },
)
def function_supported(function: Reading) -> Check:
    return function["runtime"].none_of(*ENDED).unless(function["packageType"].one_of("Image"))
