provider "aws" {
  region = terraform_data.region.output
}

resource "terraform_data" "region" {
  input = "eu-west-1"
}

resource "aws_route_table" "none" {
  vpc_id = "vpc-1"
  route  = []
}

resource "aws_route_table" "absent" {
  vpc_id = "vpc-1"
}

resource "aws_route_table" "objects" {
  vpc_id = "vpc-1"
  route = [
    { cidr_block = "0.0.0.0/0", gateway_id = "igw-1" },
    { cidr_block = "10.1.0.0/16", nat_gateway_id = "nat-1", gateway_id = null },
  ]
}

resource "aws_security_group" "none" {
  name    = "none"
  ingress = []
  egress = [for p in ["80", "443"] : {
    from_port   = p
    to_port     = p
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }]
}

output "routes" {
  value = {
    none    = aws_route_table.none.route
    absent  = aws_route_table.absent.route
    objects = [for r in aws_route_table.objects.route : "${r.cidr_block} ${r.nat_gateway_id == null ? "internet" : r.nat_gateway_id}"]
  }
}

output "rules" {
  value = {
    none   = aws_security_group.none.ingress
    egress = [for e in aws_security_group.none.egress : "${e.from_port}-${e.to_port} ${join(",", e.cidr_blocks)}"]
  }
}
