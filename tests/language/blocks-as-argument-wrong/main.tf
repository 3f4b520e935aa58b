resource "aws_route_table" "both" {
  vpc_id = "vpc-1"
  route  = []

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = "igw-1"
  }
}

resource "aws_route_table" "types" {
  vpc_id = "vpc-1"
  route  = [{ cidr_block = "0.0.0.0/0", gateway_id = ["igw-1"] }]
}

resource "aws_security_group" "incomplete" {
  name    = "incomplete"
  ingress = [{ from_port = 80, to_port = "many", protocol = "tcp" }]
  egress  = [{ from_port = 80, protocol = "tcp" }]
}

resource "aws_route_table" "text" {
  vpc_id = "vpc-1"
  route  = "none"
}

resource "aws_eks_cluster" "block_only" {
  name       = "c"
  role_arn   = "arn:aws:iam::123456789012:role/r"
  vpc_config = [{ subnet_ids = [] }]
}
