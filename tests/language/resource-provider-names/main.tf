terraform {
  required_providers {
    cloud = {
      source = "hashicorp/aws"
    }
  }
}

provider "cloud" {
  alias  = "west"
  region = "us-west-2"
}

resource "aws_vpc" "a" {
  provider   = cloud.west
  cidr_block = "10.0.0.0/16"
}

resource "terraform_data" "b" {
  provider = terraform
}

resource "null_resource" "c" {
  provider = null
}
