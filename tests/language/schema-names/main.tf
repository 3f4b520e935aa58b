resource "aws_vpc" "a" {
  cidr_blok = "10.0.0.0/16"
  arn       = "arn:aws:ec2:x"
  id        = "vpc-1"

  tags {
    Name = "x"
  }
}

resource "aws_subnet" "b" {}

resource "aws_vcp" "c" {}

resource "aws_caller_identity" "d" {}

data "aws_caller_identiy" "e" {}

data "aws_security_group_rule" "f" {}

resource "gcp_thing" "g" {}

resource "kubernetes_namespace_v1" "h" {
  metadata = {
    name = "x"
  }
}

resource "kubernetes_namespace_v1" "i" {
  metadata {
    name  = "x"
    lable = { a = "b" }
  }

  metadata {}
}

resource "kubernetes_namespac_v1" "j" {}

resource "thing" "k" {}
