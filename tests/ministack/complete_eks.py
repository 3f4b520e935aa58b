"""Completes the EKS of ministack, which without Docker is an address and nothing else.

- every cluster is the control plane that listens on EKS_BASE_PORT, and shows the
  certificate authority in the file TOPO_EKS_CA;
- the calls that update a cluster or a node group exist, and DescribeUpdate;
- what a caller set is in what a describe tells (tags given later, launch templates, update
  settings, the VPC of the subnets), and AWS's defaults are filled in;
- the answer to a create says CREATING, and a cluster's has no endpoint or certificate yet;
- a request sent again with its token gets the answer of the first;
- a cluster that still has node groups is not deleted.

Shapes and defaults are those of the EKS API reference:
https://docs.aws.amazon.com/eks/latest/APIReference/
"""

import base64
import json
import os
import re
import time

from ministack.core.responses import AccountRegionScopedDict, new_uuid
from ministack.services import ec2, eks

CLUSTER = r"/clusters/(?P<cluster>[A-Za-z0-9_-]+)"
NODE_GROUP = CLUSTER + r"/node-groups/(?P<nodegroup>[A-Za-z0-9_-]+)"

# Fields of the create requests that ministack forgets, with what AWS puts in their place
# when they are not given.
CLUSTER_FIELDS = {
    "computeConfig": None,
    "deletionProtection": False,
    "remoteNetworkConfig": None,
    "storageConfig": None,
    "upgradePolicy": {"supportType": "EXTENDED"},
    "zonalShiftConfig": None,
}
NODE_GROUP_FIELDS = {
    "launchTemplate": None,
    "nodeRepairConfig": None,
    "remoteAccess": None,
    "updateConfig": {"maxUnavailable": 1},
}

updates = AccountRegionScopedDict()
answered = AccountRegionScopedDict()
ministack_answers = eks._handle_request_sync
ministack_resets = eks.reset


def certificate_authority():
    path = os.environ.get("TOPO_EKS_CA")
    if not path:
        return ""
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


CERTIFICATE_AUTHORITY = certificate_authority()


def remember(record, request, fields):
    for field, default in fields.items():
        value = request.get(field, default)
        if value is not None:
            record[field] = value


def complete_cluster(cluster, request):
    remember(cluster, request, CLUSTER_FIELDS)
    cluster["accessConfig"] = {
        "authenticationMode": "CONFIG_MAP",
        "bootstrapClusterCreatorAdminPermissions": True,
        **cluster["accessConfig"],
    }
    cluster["certificateAuthority"]["data"] = CERTIFICATE_AUTHORITY
    network = cluster["resourcesVpcConfig"]
    for subnet in network["subnetIds"]:
        known = ec2._subnets.get(subnet)
        if known:
            network["vpcId"] = known["VpcId"]


def update(kind, about):
    """An update under way, which has succeeded by the time it is asked for."""
    record = {
        "id": new_uuid(),
        "status": "InProgress",
        "type": kind,
        "params": [{"type": key, "value": json.dumps(value)} for key, value in about.items()],
        "createdAt": time.time(),
        "errors": [],
    }
    updates[record["id"]] = record
    return eks._json_resp(200, {"update": record})


def update_cluster_config(cluster, request):
    kind = "ConfigUpdate"
    if "resourcesVpcConfig" in request:
        kind = "VpcConfigUpdate" if "subnetIds" in request["resourcesVpcConfig"] else "EndpointAccessUpdate"
        cluster["resourcesVpcConfig"].update(request["resourcesVpcConfig"])
    if "logging" in request:
        kind = "LoggingUpdate"
        cluster["logging"] = request["logging"]
    if "accessConfig" in request:
        kind = "AccessConfigUpdate"
        cluster["accessConfig"].update(request["accessConfig"])
    for field in CLUSTER_FIELDS:
        if field in request:
            cluster[field] = request[field]
    return update(kind, {k: v for k, v in request.items() if k != "clientRequestToken"})


def update_node_group_config(group, request):
    labels = request.get("labels", {})
    group["labels"].update(labels.get("addOrUpdateLabels", {}))
    for key in labels.get("removeLabels", []):
        group["labels"].pop(key, None)
    taints = request.get("taints", {})
    changed = taints.get("addOrUpdateTaints", []) + taints.get("removeTaints", [])
    identity = lambda taint: (taint.get("key"), taint.get("effect"))
    replaced = {identity(taint) for taint in changed}
    group["taints"] = [t for t in group["taints"] if identity(t) not in replaced]
    group["taints"] += taints.get("addOrUpdateTaints", [])
    for field in ("scalingConfig", "updateConfig", "nodeRepairConfig"):
        if field in request:
            group[field] = {**group.get(field, {}), **request[field]}
    group["modifiedAt"] = time.time()
    return update("ConfigUpdate", {k: v for k, v in request.items() if k != "clientRequestToken"})


def update_node_group_version(group, cluster, request):
    group["version"] = request.get("version", cluster["version"])
    for field in ("releaseVersion", "launchTemplate"):
        if field in request:
            group[field] = request[field]
    group["modifiedAt"] = time.time()
    return update("VersionUpdate", {k: v for k, v in request.items() if k != "clientRequestToken"})


def answer_update(method, path, request):
    """The update calls, or None for any other."""
    named = re.match(CLUSTER, path)
    cluster = eks._clusters.get(named["cluster"]) if named else None
    if cluster is None:
        return None
    if method == "GET" and (asked := re.fullmatch(CLUSTER + r"/updates/(?P<id>[^/]+)", path)):
        found = updates.get(asked["id"])
        if found is None:
            return eks._error(404, "ResourceNotFoundException", f"No update found for ID: {asked['id']}")
        found["status"] = "Successful"
        return eks._json_resp(200, {"update": found})
    if method == "DELETE" and re.fullmatch(CLUSTER, path):
        groups = [key for key in eks._nodegroups if key.startswith(f"{cluster['name']}/")]
        if groups:
            return eks._error(409, "ResourceInUseException", "Cluster has nodegroups attached")
        for key in [key for key in eks._addons if key.startswith(f"{cluster['name']}/")]:
            eks._addons.pop(key)
        return None
    if method != "POST":
        return None
    if re.fullmatch(CLUSTER + "/update-config", path):
        return update_cluster_config(cluster, request)
    if re.fullmatch(CLUSTER + "/updates", path):
        cluster["version"] = request["version"]
        return update("VersionUpdate", {"Version": request["version"]})
    asked = re.fullmatch(NODE_GROUP + "/(?P<call>update-config|update-version)", path)
    group = eks._nodegroups.get(f"{asked['cluster']}/{asked['nodegroup']}") if asked else None
    if group is None:
        return None
    if asked["call"] == "update-config":
        return update_node_group_config(group, request)
    return update_node_group_version(group, cluster, request)


def with_current_tags(body):
    """The answer with the tags of now: ministack keeps those given later elsewhere."""
    for kind, arn in (("cluster", "arn"), ("nodegroup", "nodegroupArn"), ("addon", "addonArn")):
        if kind in body and arn in body[kind]:
            body[kind]["tags"] = dict(eks._tags.get(body[kind][arn], {}))
    return body


def handle(method, path, headers, body, query):
    if method == "DELETE" and path.startswith("/tags/"):
        # ministack reads one tag key of a request that may name many.
        keys = query.get("tagKeys", [])
        for key in keys if isinstance(keys, list) else [keys]:
            answer = ministack_answers(method, path, headers, body, {"tagKeys": [key]})
        return answer
    request = json.loads(body) if body else {}
    answer = answer_update(method, path, request)
    if answer is not None:
        return answer
    token = request.get("clientRequestToken") if method == "POST" else None
    if token and (path, token) in answered:
        return answered[(path, token)]
    status, answer_headers, answer_body = ministack_answers(method, path, headers, body, query)
    if status != 200 or not path.startswith("/clusters"):
        return status, answer_headers, answer_body
    told = json.loads(answer_body)
    if method == "POST" and path == "/clusters":
        cluster = eks._clusters[request["name"]]
        complete_cluster(cluster, request)
        told = {"cluster": {**eks._sanitize(cluster), "status": "CREATING", "certificateAuthority": {}}}
        told["cluster"].pop("endpoint")
    elif method == "POST" and re.fullmatch(CLUSTER + "/node-groups", path):
        group = eks._nodegroups[f"{path.split('/')[2]}/{request['nodegroupName']}"]
        remember(group, request, NODE_GROUP_FIELDS)
        told = {"nodegroup": {**group, "status": "CREATING"}}
    answer = eks._json_resp(status, with_current_tags(told))
    if token:
        answered[(path, token)] = answer
    return answer


def reset():
    ministack_resets()
    updates.clear()
    answered.clear()


def complete():
    eks._next_port = lambda: eks.EKS_BASE_PORT
    eks._handle_request_sync = handle
    eks.reset = reset
