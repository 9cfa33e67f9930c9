"""Runs before the loader on aws: gets the token by which it signs in to ElastiCache, and the authorities to trust.

The token is a signed request, good for 15 minutes, that is never sent as one: ElastiCache takes it as a password. It is
signed with what EKS Pod Identity gives this pod, by AWS Signature Version 4 (ElastiCache user guide, "Authenticating
with IAM"). The image has Python and no AWS library, and needs none for this.

Surroundings: STORE, REGION, SIGNS_IN_AS (the user); PASSWORDS_FOLDER (where to put the token); AUTHORITY (where
to put the certificates of Amazon's own authorities). EKS sets AWS_CONTAINER_CREDENTIALS_FULL_URI and
AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import ssl
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

SERVICE = "elasticache"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"  # of Debian's ca-certificates, which the image has
SECONDS = 900  # the longest that ElastiCache takes
NOTHING = hashlib.sha256(b"").hexdigest()


def token(store: str, user: str, region: str, credentials: Mapping[str, str], now: datetime) -> str:
    """The token of a user. ``credentials``: AccessKeyId, SecretAccessKey and Token, as Pod Identity gives them."""
    day = f"{now:%Y%m%d}"
    scope = f"{day}/{region}/{SERVICE}/aws4_request"
    query = {
        "Action": "connect",
        "User": user,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials['AccessKeyId']}/{scope}",
        "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": str(SECONDS),
        "X-Amz-Security-Token": credentials["Token"],
        "X-Amz-SignedHeaders": "host",
    }
    asked = urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")
    request = "\n".join(["GET", "/", asked, f"host:{store}", "", "host", NOTHING])
    digest = hashlib.sha256(request.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, digest])
    key = f"AWS4{credentials['SecretAccessKey']}".encode()
    for part in (day, region, SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return f"{store}/?{asked}&X-Amz-Signature={signature}"


def pod_credentials(surroundings: Mapping[str, str]) -> dict[str, str]:
    """What EKS Pod Identity gives this pod, from its agent on the node."""
    proof = Path(surroundings["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).read_text(encoding="utf-8").strip()
    request = urllib.request.Request(  # noqa: S310  (EKS sets the address)
        surroundings["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={"Authorization": proof}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        given: dict[str, str] = json.load(answer)
    return given


def amazon_authorities(bundle: str) -> str:
    """The certificates of Amazon's own authorities in a bundle, as PEM. Raises LookupError when there is none."""
    context = ssl.create_default_context(cafile=bundle)
    told = zip(context.get_ca_certs(), context.get_ca_certs(binary_form=True), strict=True)
    found = [ssl.DER_cert_to_PEM_cert(der) for said, der in told if _organisation(said) == "Amazon"]
    if not found:
        raise LookupError(f"{bundle} holds no authority of Amazon")
    return "".join(found)


def _organisation(certificate: Mapping[str, Any]) -> str | None:
    return dict(part[0] for part in certificate["subject"]).get("organizationName")


def main(surroundings: Mapping[str, str]) -> None:
    made = token(
        surroundings["STORE"],
        surroundings["SIGNS_IN_AS"],
        surroundings["REGION"],
        pod_credentials(surroundings),
        datetime.now(UTC),
    )
    password = Path(surroundings["PASSWORDS_FOLDER"]) / "loader" / "password"
    password.parent.mkdir(mode=0o700, exist_ok=True)
    password.write_text(made, encoding="utf-8")
    Path(surroundings["AUTHORITY"]).write_text(amazon_authorities(BUNDLE), encoding="utf-8")


if __name__ == "__main__":
    main(os.environ)
