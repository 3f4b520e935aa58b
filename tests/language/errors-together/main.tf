variable "name" {
  typ = string
}

resource "aws_vpc" "a" {
  cidr_blok = "10.0.0.0/16"
}

resource "kubernetes_namespace_v1" "n" {
  metadat {}
}
