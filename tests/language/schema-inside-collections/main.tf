resource "kubernetes_config_map_v1" "a" {
  metadata {
    name   = "a"
    labels = { fine = "x", wrong = ["y"] }
  }
}

resource "aws_subnet" "b" {
  vpc_id     = "vpc-1"
  cidr_block = "10.0.0.0/24"
  tags = merge({ a = "b" }, {
    c = ["d"]
  })
}

resource "aws_eks_node_group" "c" {
  cluster_name  = "c"
  node_role_arn = "arn:aws:iam::123456789012:role/r"

  subnet_ids = [
    "subnet-1",
    { id = "subnet-2" },
  ]

  scaling_config {
    desired_size = 1
    max_size     = 1
    min_size     = 1
  }
}
