"""Completes the EC2 of ministack: the refusals that a correct client must count on.

ministack takes nearly every request. AWS does not delete what something else needs, does not
make a thing twice, and says so when what is asked for does not exist. The tests want to see
that topo works in an order that AWS accepts, and that it understands these answers.

Codes and messages are those of
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

import ipaddress
import re

from idempotency import once, parameter
from ministack.services import ec2

# A describe by id: the parameter with the ids, the code when one is unknown, what it is called.
DESCRIBES = {
    "DescribeRouteTables": ("RouteTableId", "InvalidRouteTableID.NotFound", "routeTable ID"),
    "DescribeAddresses": ("AllocationId", "InvalidAllocationID.NotFound", "allocation ID"),
    "DescribeNatGateways": ("NatGatewayId", "NatGatewayNotFound", "NAT gateway"),
    "DescribeSecurityGroupRules": (
        "SecurityGroupRuleId",
        "InvalidSecurityGroupRuleId.NotFound",
        "security group rule ID",
    ),
}

TOKENS = ("CreateEgressOnlyInternetGateway", "CreateNatGateway", "CreateRouteTable", "CreateVpcEndpoint")


def living_nat_gateways():
    return [nat for nat in ec2._nat_gateways.values() if nat["State"] not in ("deleted", "failed")]


def in_use(kind, identity):
    return "DependencyViolation", f"The {kind} '{identity}' has dependencies and cannot be deleted."


def create_subnet(params):
    vpc = ec2._vpcs.get(parameter(params, "VpcId"))
    asked = parameter(params, "CidrBlock")
    if vpc is None:
        return "InvalidVpcID.NotFound", f"The vpc ID '{parameter(params, 'VpcId')}' does not exist"
    try:
        network = ipaddress.ip_network(asked)
    except ValueError:
        return "InvalidParameterValue", f"Value ({asked}) for parameter cidrBlock is invalid."
    if not network.subnet_of(ipaddress.ip_network(vpc["CidrBlock"])):
        return "InvalidSubnet.Range", f"The CIDR '{asked}' is invalid."
    for subnet in ec2._subnets.values():
        if subnet["VpcId"] == vpc["VpcId"] and network.overlaps(ipaddress.ip_network(subnet["CidrBlock"])):
            return "InvalidSubnet.Conflict", f"The CIDR '{asked}' conflicts with another subnet"
    return None


def delete_subnet(params):
    subnet = parameter(params, "SubnetId")
    if any(nat["SubnetId"] == subnet for nat in living_nat_gateways()):
        return in_use("subnet", subnet)
    return None


def delete_internet_gateway(params):
    gateway = parameter(params, "InternetGatewayId")
    if ec2._internet_gateways.get(gateway, {}).get("Attachments"):
        return in_use("internetGateway", gateway)
    return None


def delete_route_table(params):
    table = parameter(params, "RouteTableId")
    if ec2._route_tables.get(table, {}).get("Associations"):
        return in_use("routeTable", table)
    return None


def delete_security_group(params):
    group = parameter(params, "GroupId")
    for other in ec2._security_groups.values():
        for rule in other["IpPermissions"] + other["IpPermissionsEgress"]:
            referred = [pair.get("GroupId") for pair in rule.get("UserIdGroupPairs", [])]
            if other["GroupId"] != group and group in referred:
                return "DependencyViolation", f"resource {group} has a dependent object"
    return None


def release_address(params):
    allocation = parameter(params, "AllocationId")
    if any(nat["AllocationId"] == allocation for nat in living_nat_gateways()):
        address = ec2._addresses[allocation]["PublicIp"]
        return "InvalidIPAddress.InUse", f"Address {address} is in use."
    return None


def route(params):
    """The route of this destination in the table, or None."""
    table = ec2._route_tables.get(parameter(params, "RouteTableId"), {"Routes": []})
    asked = parameter(params, "DestinationCidrBlock")
    return next((r for r in table["Routes"] if r.get("DestinationCidrBlock") == asked), None)


def create_route(params):
    if parameter(params, "DestinationCidrBlock") and route(params):
        asked = parameter(params, "DestinationCidrBlock")
        return "RouteAlreadyExists", f"The route identified by {asked} already exists."
    return None


def change_route(params):
    table = parameter(params, "RouteTableId")
    asked = parameter(params, "DestinationCidrBlock")
    if asked and table in ec2._route_tables and not route(params):
        return (
            "InvalidRoute.NotFound",
            f"no route with destination-cidr-block {asked} in route table {table}",
        )
    return None


def associate_route_table(params):
    subnet = parameter(params, "SubnetId")
    for table in ec2._route_tables.values():
        if subnet and any(a.get("SubnetId") == subnet for a in table["Associations"]):
            return (
                "Resource.AlreadyAssociated",
                f"the specified association for route table {table['RouteTableId']} conflicts with an existing association",
            )
    return None


def disassociate_route_table(params):
    association = parameter(params, "AssociationId")
    known = [a["RouteTableAssociationId"] for t in ec2._route_tables.values() for a in t["Associations"]]
    if association not in known:
        return (
            "InvalidAssociationID.NotFound",
            f"The association ID '{association}' does not exist",
        )
    return None


def authorize(side):
    def refuse(params):
        group = ec2._security_groups.get(parameter(params, "GroupId"), {side: []})
        for rule in ec2._parse_ip_permissions(params, "IpPermissions"):
            if any(ec2._rules_match(rule, known) for known in group[side]):
                return "InvalidPermission.Duplicate", "the specified rule already exists"
        return None

    return refuse


def revoke(side):
    def refuse(params):
        group = ec2._security_groups.get(parameter(params, "GroupId"), {side: []})
        for rule in ec2._parse_ip_permissions(params, "IpPermissions"):
            if not any(ec2._rules_match(rule, known) for known in group[side]):
                return (
                    "InvalidPermission.NotFound",
                    "The specified rule does not exist in this security group.",
                )
        return None

    return refuse


REFUSALS = {
    "AssociateRouteTable": associate_route_table,
    "AuthorizeSecurityGroupEgress": authorize("IpPermissionsEgress"),
    "AuthorizeSecurityGroupIngress": authorize("IpPermissions"),
    "CreateRoute": create_route,
    "CreateSubnet": create_subnet,
    "DeleteInternetGateway": delete_internet_gateway,
    "DeleteRoute": change_route,
    "DeleteRouteTable": delete_route_table,
    "DeleteSecurityGroup": delete_security_group,
    "DeleteSubnet": delete_subnet,
    "DisassociateRouteTable": disassociate_route_table,
    "ReleaseAddress": release_address,
    "ReplaceRoute": change_route,
    "RevokeSecurityGroupEgress": revoke("IpPermissionsEgress"),
    "RevokeSecurityGroupIngress": revoke("IpPermissions"),
}


def refusing(handler, refusal):
    def handle(params):
        refused = refusal(params)
        return ec2._error(*refused, 400) if refused else handler(params)

    return handle


def finding(handler, ids, code, kind):
    """A describe that says which of the ids it was asked for does not exist."""

    def handle(params):
        answer = handler(params)
        if not parameter(params, "Filter.1.Name"):
            text = answer[2].decode()
            for identity in ec2._parse_member_list(params, ids):
                if f">{identity}<" not in text:
                    return ec2._error(code, f"The {kind} '{identity}' does not exist", 400)
        return answer

    return handle


def nat_address(match):
    """The address of a NAT gateway, which ministack knows but does not tell."""
    nat = ec2._nat_gateways[match[2]]
    address = ec2._addresses.get(nat["AllocationId"], {})
    public = f"<publicIp>{address['PublicIp']}</publicIp>" if address else ""
    allocation = f"<allocationId>{nat['AllocationId']}</allocationId>" if address else ""
    serial = int(nat["NatGatewayId"][-4:], 16)
    subnet = ec2._subnets.get(nat["SubnetId"], {"CidrBlock": "10.0.0.0/24"})
    network = ipaddress.ip_network(subnet["CidrBlock"])
    private = network[4 + serial % max(1, network.num_addresses - 5)]
    return (
        f"{match[1]}<natGatewayAddressSet><item>{allocation}{public}<privateIp>{private}</privateIp>"
        f"<networkInterfaceId>eni-{nat['NatGatewayId'][4:]}</networkInterfaceId>"
        "<isPrimary>true</isPrimary><status>succeeded</status></item></natGatewayAddressSet>"
    )


def with_nat_addresses(handler):
    def handle(params):
        status, headers, body = handler(params)
        text = re.sub(
            r"(<natGatewayId>(nat-\w+)</natGatewayId>(?:(?!<natGatewayId>).)*?)<natGatewayAddressSet/>",
            nat_address,
            body.decode(),
            flags=re.DOTALL,
        )
        return status, headers, text.encode()

    return handle


def complete():
    actions = ec2._ACTION_MAP
    for name in ("CreateNatGateway", "DescribeNatGateways"):
        actions[name] = with_nat_addresses(actions[name])
    for name, refusal in REFUSALS.items():
        actions[name] = refusing(actions[name], refusal)
    for name, (ids, code, kind) in DESCRIBES.items():
        actions[name] = finding(actions[name], ids, code, kind)
    for name in TOKENS:
        actions[name] = once(ec2, actions[name], "ClientToken")
