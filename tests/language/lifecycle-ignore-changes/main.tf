resource "aws_eks_node_group" "fine" {
  cluster_name  = "c"
  node_role_arn = "arn:aws:iam::123456789012:role/r"
  subnet_ids    = ["subnet-1"]

  scaling_config {
    desired_size = 1
    max_size     = 1
    min_size     = 1
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size, tags["Name"], scaling_config, "labels", tags.Owner]
  }
}

resource "aws_eks_node_group" "wrong" {
  cluster_name  = "c"
  node_role_arn = "arn:aws:iam::123456789012:role/r"
  subnet_ids    = ["subnet-1"]

  scaling_config {
    desired_size = 1
    max_size     = 1
    min_size     = 1
  }

  lifecycle {
    ignore_changes = [upper("x"), "*", 5, tags[var.x], labels[*], all]
  }
}

resource "aws_eks_node_group" "not_a_list" {
  cluster_name  = "c"
  node_role_arn = "arn:aws:iam::123456789012:role/r"
  subnet_ids    = ["subnet-1"]

  scaling_config {
    desired_size = 1
    max_size     = 1
    min_size     = 1
  }

  lifecycle {
    ignore_changes = tags
  }
}

resource "aws_eks_node_group" "quoted_all" {
  cluster_name  = "c"
  node_role_arn = "arn:aws:iam::123456789012:role/r"
  subnet_ids    = ["subnet-1"]

  scaling_config {
    desired_size = 1
    max_size     = 1
    min_size     = 1
  }

  lifecycle {
    ignore_changes = "all"
  }
}

resource "aws_eks_node_group" "legacy" {
  cluster_name  = "c"
  node_role_arn = "arn:aws:iam::123456789012:role/r"
  subnet_ids    = ["subnet-1"]

  scaling_config {
    desired_size = 1
    max_size     = 1
    min_size     = 1
  }

  lifecycle {
    ignore_changes = ["*"]
  }
}

variable "x" {}
