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
    ignore_changes = [
      scaling_confg,
      scaling_config[0].desired_sise,
      scaling_config.desired_size,
      tags.a.b,
      subnet_ids[0],
      cluster_name.x,
      arn,
      labels["x"],
    ]
  }
}
