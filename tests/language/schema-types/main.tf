resource "aws_vpc" "a" {
  cidr_block           = ["10.0.0.0/16"]
  enable_dns_hostnames = "maybe"
  tags                 = { Name = ["x"] }
}

resource "aws_subnet" "b" {
  vpc_id     = null
  cidr_block = { a = 1 }
  tags       = "x"
}

resource "aws_eks_node_group" "c" {
  cluster_name   = "c"
  node_role_arn  = "arn:aws:iam::123456789012:role/r"
  subnet_ids     = "subnet-1"
  instance_types = [["t3.micro"]]

  scaling_config {
    desired_size = "two"
    max_size     = 2.5
    min_size     = true
  }
}

resource "kubernetes_config_map_v1" "d" {
  metadata {
    name   = 5
    labels = ["a"]
  }

  data = { a = { b = 1 }, c = 2 }
}

resource "kubernetes_service_v1" "e" {
  metadata {
    name = "e"
  }

  spec {
    port {
      port = "http"
    }
  }
}
