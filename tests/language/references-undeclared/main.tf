variable "region" {}

locals {
  cluster_name = "c"
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

data "aws_availability_zones" "available" {}

module "network" {
  source = "./child"
}

output "references" {
  value = [
    var.regoin,
    var.nothing_like_it,
    local.cluster_nam,
    aws_vpc.mian.id,
    aws_vcp.main.id,
    data.aws_availability_zones.availble.names,
    aws_availability_zones.available.names,
    module.netwrk.id,
    module.network.idd,
    ephemeral.random_password.p.result,
    resource.aws_vpc.other.id,
  ]
}
