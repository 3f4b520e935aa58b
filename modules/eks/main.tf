# The cluster, its nodes and its add-ons.

locals {
  # With EKS's own copies left out, nodes become ready only once these two run:
  # they come before the node group, and the others, which need nodes, after it.
  networking_addons = {
    kube-proxy = null
    # Without this setting the CNI accepts NetworkPolicy objects and ignores them.
    vpc-cni = jsonencode({ enableNetworkPolicy = "true" })
  }

  # metrics-server feeds the autoscaler; the CSI driver makes the database's volume.
  workload_addons = toset(["coredns", "metrics-server", "aws-ebs-csi-driver"])
}

resource "aws_eks_cluster" "this" {
  name     = var.name
  role_arn = aws_iam_role.cluster.arn
  version  = var.kubernetes_version

  bootstrap_self_managed_addons = false
  enabled_cluster_log_types     = var.enabled_log_types

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }

  vpc_config {
    subnet_ids = concat(
      [for zone in local.zones : aws_subnet.public[zone].id],
      [for zone in local.zones : aws_subnet.private[zone].id],
    )
    endpoint_private_access = true
    endpoint_public_access  = var.endpoint_public_access
    public_access_cidrs     = var.endpoint_public_access ? var.endpoint_public_access_cidrs : null
  }

  tags = var.tags

  timeouts {
    create = "30m"
    delete = "15m"
  }

  # While the policy is not attached EKS cannot make, and on the way down cannot
  # remove, the cluster's network interfaces and security group.
  depends_on = [aws_iam_role_policy_attachment.cluster]
}

resource "aws_eks_addon" "networking" {
  for_each = local.networking_addons

  cluster_name         = aws_eks_cluster.this.name
  addon_name           = each.key
  addon_version        = lookup(var.addon_versions, each.key, null)
  configuration_values = each.value

  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  tags = var.tags
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "${var.name}-default"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = [for zone in local.zones : aws_subnet.private[zone].id]
  version         = var.kubernetes_version

  instance_types = var.node_group.instance_types
  capacity_type  = var.node_group.capacity_type
  disk_size      = var.node_group.disk_size

  scaling_config {
    min_size     = var.node_group.min_size
    desired_size = var.node_group.desired_size
    max_size     = var.node_group.max_size
  }

  update_config {
    max_unavailable = 1
  }

  tags = var.tags

  timeouts {
    create = "30m"
    update = "60m"
    delete = "30m"
  }

  lifecycle {
    # The size at first; afterwards a cluster autoscaler or a person sets it.
    ignore_changes = [scaling_config[0].desired_size]
  }

  # Nodes join through NAT, with their policies, and get ready with the CNI.
  depends_on = [
    aws_eks_addon.networking,
    aws_iam_role_policy_attachment.node,
    aws_route.private,
    aws_route_table_association.private,
  ]
}

resource "aws_eks_addon" "workload" {
  for_each = local.workload_addons

  cluster_name  = aws_eks_cluster.this.name
  addon_name    = each.key
  addon_version = lookup(var.addon_versions, each.key, null)

  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  tags = var.tags

  timeouts {
    create = "20m"
  }

  depends_on = [aws_eks_node_group.this]
}
