variable "regions" {
  type    = set(string)
  default = ["eu-west-1", "us-east-1"]
}

provider "aws" {
  alias    = "by_region"
  for_each = var.regions
  region   = each.value
}

resource "aws_vpc" "v" {
  for_each   = var.regions
  provider   = aws.by_region[each.key]
  cidr_block = "10.0.0.0/16"
}

module "child" {
  source    = "./child"
  for_each  = var.regions
  providers = { aws = aws.by_region[each.value] }
}
