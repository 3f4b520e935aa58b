# Two roles: what the control plane may do in the account, and what the nodes may.

data "aws_partition" "current" {}

data "aws_iam_policy_document" "assume" {
  for_each = {
    cluster = "eks.amazonaws.com"
    node    = "ec2.amazonaws.com"
  }

  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [each.value]
    }
  }
}

locals {
  policy_prefix = "arn:${data.aws_partition.current.partition}:iam::aws:policy"

  # The EBS CSI driver makes the database's volume. A role for its service
  # account alone would take an OIDC provider or a pod identity association;
  # with neither, the driver uses the node's role, which therefore carries the
  # driver's policy. Managed nodes let pods reach the instance metadata (hop
  # limit 2), so the driver finds these credentials.
  node_policies = {
    worker   = "AmazonEKSWorkerNodePolicy"
    cni      = "AmazonEKS_CNI_Policy"
    registry = "AmazonEC2ContainerRegistryReadOnly"
    ebs_csi  = "service-role/AmazonEBSCSIDriverPolicy"
  }
}

resource "aws_iam_role" "cluster" {
  name               = "${var.name}-cluster"
  description        = "Control plane of the EKS cluster ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume["cluster"].json

  tags = var.tags
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "${local.policy_prefix}/AmazonEKSClusterPolicy"
}

resource "aws_iam_role" "node" {
  name               = "${var.name}-node"
  description        = "Nodes of the EKS cluster ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume["node"].json

  tags = var.tags
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = local.node_policies

  role       = aws_iam_role.node.name
  policy_arn = "${local.policy_prefix}/${each.value}"
}
